"""The page of differences has an entry for each one that the code names, and no other."""

from __future__ import annotations

import re

from tools import ROOT

PAGE = (ROOT / "docs/local-fidelity.md").read_text("utf-8")


def test_the_page_and_the_code_name_the_same_differences() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "template/kit/serve").glob("*.py"))
    named = re.findall(r"^\s*# fidelity: ([\w-]+)$", code, re.M)
    listed = re.findall(r"^### .+ \{ #([\w-]+) \}$", PAGE, re.M)
    assert sorted(named) == sorted(listed)
    assert len(set(listed)) == len(listed) >= 20


def test_every_entry_says_something() -> None:
    for entry in PAGE.split("\n### ")[1:]:
        assert len(entry.partition("\n")[2].split("\n## ")[0].split()) > 8, entry


def test_the_number_of_requests_is_true() -> None:
    corpus = (ROOT / "tests/template/serve/corpus").glob("*.json")
    assert sum(path.read_text("utf-8").count('"id": ') for path in corpus) > 200
