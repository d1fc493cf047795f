"""The ledger keeps a proof as long as nothing has changed that it depends on, and not a moment longer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import ledger, state
from tools.expand import Block
from tools.ledger import Entry, Ledger, Proof, shares

PAGE = "page.md"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    for name in ("docs/page.md", "docs/other.md", "README.md", "mkdocs.yml", "Makefile", "requirements/kit.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for name in ("template/src/a.py", "snippets/page/a.py", "tools/a.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def file(kit: Path) -> Path:
    """A ledger of two pages and a README."""
    book = Ledger()
    for page in (PAGE, "other.md", "../README.md"):
        book.add(Block(page, 7, "sh", {}, page, (None,)), Proof("executed", "run"), 0.5)
    place = kit / ".cache/ledger.json"
    book.write(
        {page: state.of_page(page, state.of_kit(kit), kit) for page in (PAGE, "other.md", "../README.md")}, place
    )
    return place


def held(file: Path, kit: Path) -> set[str]:
    return {entry.page for entry in ledger.read(file, kit).entries}


def test_what_was_written_is_read_again(file: Path, kit: Path) -> None:
    entry = ledger.read(file, kit).of_page(PAGE)[0]
    assert (entry.line, entry.lang, entry.kind, entry.how, entry.seconds) == (7, "sh", "executed", "run", 0.5)
    assert held(file, kit) == {PAGE, "other.md", "../README.md"}


@pytest.mark.parametrize(
    "name", ["template/src/a.py", "template/new.py", "snippets/page/a.py", "tools/a.py", "requirements/kit.txt"]
)
def test_a_change_of_what_all_blocks_depend_on_ends_all_proofs(name: str, file: Path, kit: Path) -> None:
    (kit / name).write_text("changed")
    assert held(file, kit) == set()


def test_an_executable_bit_is_a_change(file: Path, kit: Path) -> None:
    (kit / "template/src/a.py").chmod(0o755)
    assert held(file, kit) == set()


def test_a_change_of_a_page_ends_its_own_proofs_only(file: Path, kit: Path) -> None:
    (kit / "docs/page.md").write_text("changed")
    assert held(file, kit) == {"other.md", "../README.md"}
    (kit / "docs/other.md").unlink()
    assert held(file, kit) == {"../README.md"}


def test_a_page_that_is_verified_again_replaces_its_record_and_no_other(file: Path, kit: Path) -> None:
    book = Ledger()
    book.add(Block(PAGE, 9, "sh", {}, "new", (None,)), Proof("validated", "parses"), 0.1)
    book.write({PAGE: state.of_page(PAGE, state.of_kit(kit), kit)}, file)
    read = ledger.read(file, kit)
    assert [entry.line for entry in read.of_page(PAGE)] == [9]
    assert len(read.entries) == 3


def test_runs_that_end_together_all_keep_their_records(tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    pages = [f"page-{number}.md" for number in range(40)]
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda page: Ledger().write({page: "state"}, file), pages))
    assert set(json.loads(file.read_text())) == set(pages)
    assert {p.name for p in tmp_path.iterdir()} == {"ledger.json", "ledger.lock"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"page.md": {"state": "x"}}', '{"page.md": []}', '{"page.md": 1}'])
def test_a_file_that_is_broken_or_of_an_older_kit_proves_nothing(text: str, file: Path, kit: Path) -> None:
    file.write_text(text)
    assert held(file, kit) == set()
    assert not ledger.last_seconds(file)


def test_fields_of_another_version_prove_nothing(file: Path, kit: Path) -> None:
    records = json.loads(file.read_text())
    records[PAGE]["blocks"][0]["colour"] = "red"
    file.write_text(json.dumps(records))
    assert PAGE not in held(file, kit)


def test_shares_count_kinds_and_the_table_has_readmes_as_their_own_group() -> None:
    kinds = [("a.md", "executed"), ("a.md", "validated"), ("a.md", "needs-cluster"), ("../README.md", "executed")]
    book = Ledger(Entry(page, 1, "sh", "0", kind, "", 0.25) for page, kind in kinds)  # type: ignore[arg-type]
    found = shares(book.entries)
    assert (found.blocks, found.share_executed, found.share_opted_out, found.seconds) == (4, 0.5, 0.25, 1.0)
    assert [row.split()[:2] for row in book.summary()] == [
        ["language", "blocks"],
        ["sh", "3"],
        ["READMEs", "1"],
        ["all", "4"],
    ]
