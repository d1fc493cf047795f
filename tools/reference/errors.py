"""Every error code that a caller can meet: of the core's classes, its table of SQLSTATEs, and what functions raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools import ROOT
from tools.reference.markdown import code, table

FOLDERS = ("template/src", "template/examples")
Texts = dict[str, list[str]]  # what a name may stand for


class Use(NamedTuple):
    """One place where a code is given: its HTTP status, the sentence that goes with it, and the module."""

    code: str
    status: int
    sentence: str
    module: str


def error_codes() -> str:
    """Return one table of all codes, in alphabetical order."""
    rows: list[tuple[str, str, str, str]] = []
    for (name, status), uses in sorted(_grouped().items()):
        sentences = list(dict.fromkeys(use.sentence for use in uses if use.sentence))
        modules = ", ".join(dict.fromkeys(code(use.module) for use in uses))
        anchor = f'<span id="{name.lower()}-{status}"></span>'
        rows.append((f"{anchor}{code(name)}", str(status), "<br>".join(sentences), modules))
    return table(["`error_code`", "Status", "Sentence", "Given by"], rows)


def uses() -> Iterator[Use]:
    """Yield every place in the template's modules that gives an error code."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            yield from of_module(path)


def _grouped() -> dict[tuple[str, int], list[Use]]:
    found: dict[tuple[str, int], list[Use]] = {}
    for use in uses():
        found.setdefault((use.code, use.status), []).append(use)
    return found


def of_module(path: Path) -> Iterator[Use]:
    """Yield every place in one module that gives an error code."""
    tree = ast.parse(path.read_text("utf-8"))
    for node, texts in _below(tree, _assigned(tree.body)):
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node, path.stem)
        elif isinstance(node, ast.Call):
            yield from _of_call(node, path.stem, texts)
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "SQLSTATES":
            yield from _of_table(node, path.stem, texts)


def _below(node: ast.AST, texts: Texts) -> Iterator[tuple[ast.AST, Texts]]:
    """Yield everything below a node, with the texts that have a name there."""
    for child in ast.iter_child_nodes(node):
        inner = texts | _assigned(ast.walk(child)) if isinstance(child, ast.FunctionDef) else texts
        yield child, inner
        yield from _below(child, inner)


def _assigned(nodes: Iterable[ast.AST]) -> Texts:
    found: Texts = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and any(_texts(node.value, {})):
            found.setdefault(node.targets[0].id, []).extend(_texts(node.value, {}))
    return found


def _of_class(node: ast.ClassDef, module: str) -> Iterator[Use]:
    """A class such as `code, status = "NOT_FOUND", 404`, with its docstring as the sentence."""
    text = re.sub(r"^\d{3}[^:]*: ", "", (ast.get_docstring(node) or "").partition("\n\n")[0])
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple) and len(line.value.elts) == 2:
            name, status = (getattr(part, "value", None) for part in line.value.elts)
            if isinstance(name, str) and isinstance(status, int):
                yield Use(name, status, " ".join(text.split()).replace("``", "`"), module)


def _of_call(node: ast.Call, module: str, texts: Texts) -> Iterator[Use]:
    """A call whose first arguments are a code in capitals, a status, and a sentence."""
    values = [getattr(argument, "value", None) for argument in node.args[:2]]
    if len(values) == 2 and isinstance(values[0], str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", values[0]):
        status = values[1]
        if isinstance(status, int) and 400 <= status <= 599:
            for sentence in _texts(node.args[2], texts) if len(node.args) > 2 else [""]:
                yield Use(values[0], status, sentence, module)


def _of_table(node: ast.AnnAssign, module: str, texts: Texts) -> Iterator[Use]:
    assert isinstance(node.value, ast.Dict)
    for value in node.value.values:
        assert isinstance(value, ast.Tuple)
        name, status = (ast.literal_eval(part) for part in value.elts[:2])
        for sentence in _texts(value.elts[2], texts):
            yield Use(name, status, sentence, module)


def _texts(node: ast.expr, known: Texts) -> list[str]:
    """The sentences that may stand here, as they are written; what is filled in later becomes an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, known) + _texts(node.orelse, known)
    return known.get(node.id, [""]) if isinstance(node, ast.Name) else [""]
