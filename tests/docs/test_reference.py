"""What the reference pages list is what the code has: nothing is missing, nothing is invented, in the same order."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from kit.specs.models import FunctionConfig
from kit.specs.settings import Settings

from tools import ROOT
from tools.reference.api import public_names
from tools.reference.commands import targets, walk
from tools.reference.errors import of_module, uses
from tools.reference.fields import parts
from tools.reference.variables import VARIABLES, entry_kinds, rows_of, variables_in_code

SRC = ROOT / "template/src"
MODULES = sorted(path.stem for path in SRC.glob("*.py") if path.stem != "__init__")
INTERNAL = {
    "PATH": "handed on to programs as it is",
    "KIT_WORKER_FOLDER": "set by the local server for its own worker",
    "VAULT_KEY": "a secret, listed as one",
}


def page(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / "reference" / name / "index.html").read_text("utf-8"), "html.parser")


def headings(soup: BeautifulSoup, *levels: str) -> list[str]:
    return [str(h.get_text()).removesuffix("¶") for h in soup.select("article")[0].find_all(list(levels))]


def first_cells(soup: BeautifulSoup, after: str) -> list[str]:
    """The first column of the table that follows the heading with this id."""
    heading = soup.find(id=after)
    assert heading is not None, after
    table = heading.find_next("table")
    assert table is not None
    return [row.td.get_text() for row in table.select("tbody tr")]


@pytest.mark.parametrize("module", MODULES)
def test_each_module_of_src_has_a_page_with_all_its_public_names_in_order(module: str, built_site: Path) -> None:
    soup = page(built_site, module)
    found = importlib.import_module(module)
    public = [n for n in public_names(module) if hasattr(found, n)]
    own = {
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and getattr(value, "__module__", module) == module
        and type(value).__name__ in ("function", "type", "ModelMetaclass", "EnumType")
    }
    assert own <= set(public) or module == "helpers"
    shown = (
        [a.get_text() for a in soup.select("article li > a > code")] if module == "helpers" else headings(soup, "h2")
    )
    assert shown == public_names(module) == public


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_and_classes_say_what_they_do(module: str) -> None:
    found = importlib.import_module(module)
    silent = [n for n in public_names(module) if callable(v := getattr(found, n)) and not getattr(v, "__doc__", "")]
    assert silent == []


def test_every_command_has_a_section_with_every_option(built_site: Path) -> None:
    soup = page(built_site, "commands")
    assert headings(soup, "h2", "h3") == ["make", *(f"kit {path}" for path, _ in walk())]
    for path, command in walk():
        options = [p for p in command.params if getattr(p, "opts", None) and not getattr(p, "hidden", False)]
        if not options:
            continue
        shown = " ".join(first_cells(soup, f"kit-{path.replace(' ', '-')}"))
        missing = [o for p in options for o in p.opts if o.startswith("--") and o not in shown]
        assert missing == [], path


@pytest.mark.parametrize(
    ("section", "row"),
    [
        ("kit-env", ("--output TEXT", "manifests/env[-STAGE].yaml", "A file, or - for standard output.")),
        ("kit-deploy", ("--env STAGE", "", "The stage, as in .fission/STAGE-deployment.json. (required)")),
        (
            "kit-migrate-up",
            ("--patience-seconds FLOAT RANGE", "60.0", "How long to wait for another migration run. (x>=0)"),
        ),
        ("kit-package", ("--output PATH", "dist", "")),
    ],
)
def test_an_option_s_default_stands_apart_from_its_meaning(
    section: str, row: tuple[str, str, str], built_site: Path
) -> None:
    heading = page(built_site, "commands").find(id=section)
    assert heading is not None
    table = heading.find_next("table")
    assert table is not None
    assert row in [tuple(cell.get_text() for cell in found.select("td")) for found in table.select("tbody tr")]


def test_the_help_of_every_command_is_clean_and_has_an_example() -> None:
    for path, command in walk():
        text = command.help or ""
        assert "\\b" not in text, f"kit {path}: a backslash and a b where Click wants the character"
        assert "\b\nExamples:\n" in inspect.cleandoc(text), f"kit {path}: no example"
        options = set(re.findall(r" (--[a-z-]+)", text.partition("Examples:")[2]))
        own = [below for name, below in walk() if name == path or name.startswith(f"{path} ")]
        known = {name for below in own for p in below.params for name in (*p.opts, *p.secondary_opts)}
        assert options - known == set(), f"kit {path}: an example has an unknown option"


def test_every_make_target_of_the_template_is_listed(built_site: Path) -> None:
    shown = [cell.removeprefix("make ") for cell in first_cells(page(built_site, "commands"), "make")]
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "template/Makefile").read_text("utf-8"), re.M)
    assert phony is not None
    assert shown == [name for name, _ in targets("template/Makefile")]
    assert set(shown) == set(phony[1].split())


@pytest.mark.parametrize(("name", "model"), [("fission-block", FunctionConfig), ("deployment-json", Settings)])
def test_every_key_is_listed_with_its_meaning(name: str, model: type, built_site: Path) -> None:
    soup = page(built_site, name)
    assert headings(soup, "h2") == [title for title, _ in parts(model)]
    for title, schema in parts(model):
        assert first_cells(soup, title.lower()) == list(schema.get("properties", {}))
        silent = [key for key, value in schema.get("properties", {}).items() if not value.get("description")]
        assert silent == [], f"{title}: no description"


def test_every_setting_of_the_example_file_is_listed_with_its_meaning_and_its_readers(built_site: Path) -> None:
    soup = page(built_site, "service-settings")
    kinds = entry_kinds()
    for kind, anchor in (("secret", "secrets"), ("config", "configuration")):
        rows = rows_of(kind)
        assert first_cells(soup, anchor) == [name for name, _, _ in rows] == [k for k in kinds if kinds[k] == kind]
        assert [name for name, text, readers in rows if not text or not readers] == []


def test_every_environment_variable_that_code_reads_is_listed(built_site: Path) -> None:
    assert first_cells(page(built_site, "service-settings"), "variables") == list(VARIABLES)
    assert variables_in_code() - INTERNAL.keys() == set(VARIABLES)


def test_every_error_code_is_listed_and_can_be_linked_to(built_site: Path) -> None:
    soup = page(built_site, "error-codes")
    ids = [str(span["id"]) for span in soup.select("td span[id]")]
    assert ids == [f"{code.lower()}-{status}" for code, status in sorted({(u.code, u.status) for u in uses()})]
    texts = " ".join(
        path.read_text("utf-8") for folder in (SRC, ROOT / "template/examples") for path in folder.glob("*.py")
    )
    given = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)", 4\d\d|"([A-Z_]+)", 5\d\d', texts))
    assert {a or b for a, b in given} <= {u.code for u in uses()}


def test_every_error_code_has_all_its_sentences(built_site: Path) -> None:
    soup = page(built_site, "error-codes")
    for use in uses():
        assert use.sentence, use
        span = soup.find(id=f"{use.code.lower()}-{use.status}")
        assert span is not None
        row = span.find_parent("tr")
        assert row is not None
        assert use.sentence.replace("`", "") in row.get_text().replace("\xa0", " "), use
    cell = soup.find(id="unavailable-503").find_parent("tr").get_text()  # type: ignore[union-attr]
    assert "The database is not available; try again in a moment." in cell


def test_a_sentence_that_has_a_name_is_found_where_the_name_means_it(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        'AWAY = "It is away."\n'
        'message = "Of another scope."\n'
        "def one(n):\n"
        '    message = f"{n} is too many."\n'
        '    raise ServiceException("TOO_MANY", 409, message)\n'
        "def two(late):\n"
        '    raise ServiceException("GONE", 410, "Too late." if late else AWAY)\n'
    )
    found = [(use.code, use.sentence) for use in of_module(tmp_path / "module.py")]
    assert found == [("TOO_MANY", "... is too many."), ("GONE", "Too late."), ("GONE", "It is away.")]
