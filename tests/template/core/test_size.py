"""The runtime core stays small enough to be read in one sitting."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

from tools import ROOT

SRC = ROOT / "template/src"
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(file: Path) -> int:
    """Count lines without blanks, comments and docstrings."""
    text = file.read_text("utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {n for t in tokens if t.type not in SILENT for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def test_all_of_src_is_about_900_lines_of_code_and_no_file_is_above_300_lines() -> None:
    files = sorted(SRC.glob("*.py"))
    assert sum(map(lines_of_code, files)) <= 930
    assert {f.name for f in files if f.read_text("utf-8").count("\n") > 300} == set()
