"""Code is addressed by name; what is not there, or not there once, stops the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import source
from tools.source import MARK, SourceError, cut, shown, traced


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(source, "ROOT", tmp_path)
    return tmp_path


PYTHON = """\
import os

LIMIT: int = 3


@property
def area(side: int) -> int:
    return side * side


class Box:
    def area(self) -> int:
        return 1
"""


@pytest.mark.parametrize(
    ("name", "first", "text"),
    [
        ("area", 6, "@property\ndef area(side: int) -> int:\n    return side * side"),
        ("Box.area", 12, "def area(self) -> int:\n    return 1"),
        ("LIMIT", 3, "LIMIT: int = 3"),
        (None, 1, PYTHON.rstrip()),
    ],
)
def test_python_is_cut_by_symbol_with_its_decorators(kit: Path, name: str | None, first: int, text: str) -> None:
    (kit / "shape.py").write_text(PYTHON)
    found = cut("shape.py", name)
    assert (found.line, found.text) == (first, text)


JSON = """\
{
  "name": "a",
  "executors": {
    "poolmgr": {
      "name": "b"
    },
    "newdeploy": {
      "name": "c"
    }
  }
}
"""


def test_json_is_cut_by_key_path(kit: Path) -> None:
    (kit / "d.json").write_text(JSON)
    assert cut("d.json", "executors.newdeploy").text == '"newdeploy": {\n  "name": "c"\n}'
    assert cut("d.json", "executors.newdeploy.name").line == 8
    assert cut("d.json", "name").text == '"name": "a",'


def test_toml_sql_and_make_are_cut_by_table_section_and_target(kit: Path) -> None:
    (kit / "p.toml").write_text("[a]\nx = 1\n[a.b]\ny = 2\n")
    assert cut("p.toml", "a.b").text == "[a.b]\ny = 2"
    (kit / "m.sql").write_text("-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n")
    assert cut("m.sql", "up").text == "-- migrate:up\nSELECT 1;"
    (kit / "Makefile").write_text("run: setup\n\tgo \\\n\t\tfast\n\ntest:\n\tcheck\n")
    assert cut("Makefile", "run").text == "run: setup\n\tgo \\\n\t\tfast"


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [
        ("gone.py", None, "gone.py: FileNotFoundError"),
        ("shape.py", "volume", r"shape.py: volume: found 0 times"),
        ("shape.py", "Box.volume", r"shape.py: Box.volume: found 0 times"),
        ("twice.py", "f", r"twice.py: f: found 2 times"),
        ("d.json", "executors.container", "d.json: no key executors.container"),
        ("m.sql", "sideways", "m.sql: no section"),
        ("notes.txt", "part", "parts of .txt files cannot be addressed"),
    ],
)
def test_what_is_not_there_once_is_an_error_that_names_file_and_name(
    kit: Path, path: str, name: str | None, message: str
) -> None:
    (kit / "shape.py").write_text(PYTHON)
    (kit / "twice.py").write_text("def f(): ...\ndef f(): ...\n")
    (kit / "d.json").write_text(JSON)
    (kit / "m.sql").write_text("-- migrate:up\nSELECT 1;\n")
    (kit / "notes.txt").write_text("x\n")
    with pytest.raises(SourceError, match=message):
        cut(path, name)


def test_each_line_carries_its_origin_only_while_blocks_are_traced(kit: Path) -> None:
    (kit / "shape.py").write_text(PYTHON)
    found = cut("shape.py", "area")
    with traced():
        assert shown(found).split("\n")[1] == f"def area(side: int) -> int:{MARK}{kit / 'shape.py'}:7"
    assert shown(found) == found.text
