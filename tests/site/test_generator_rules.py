"""The browser's rules against Python's, on texts that nobody thought of."""

from __future__ import annotations

import hashlib
import json
import keyword
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import adopt, create, rename
from kit.errors import KitError
from kit.origin import Origin
from playwright.sync_api import Page

from tools import ROOT, archive, browser_data

PINS = next((archive.TEMPLATE / "kit").glob("python-env-*.txt"))
many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

labels = st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
# Unassigned characters are shown by the version of Unicode, which is not the browser's.
anything = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=12)
parts = ["blue-door", "blue_door", "-", "_", " ", "A", "0", "é", "\n", "$&", "$1", "blue", "\U0001f6aa", "\r\n"]
texts = st.lists(st.sampled_from(parts) | anything, max_size=9).map("".join)
packages = st.text(string.ascii_letters[::9] + "019.-_", min_size=1, max_size=4)
rows = st.sampled_from(
    ["    --hash=sha256:0a \\", "\t# via x", "# a comment", "", "    # via y", " ", "é==1", "--option"]
)
requirements = st.lists(packages.map("{}==1 \\".format) | rows, max_size=9).map("\n".join)


@pytest.fixture
def rules(open_generator) -> Page:
    return open_generator()


@many
@given(cases=st.lists(st.tuples(texts, labels), max_size=40))
def test_texts_are_renamed_alike(rules: Page, cases: list[tuple[str, str]]) -> None:
    ours = rules.evaluate("(cases) => cases.map(([text, name]) => KIT.renameText(text, 'blue-door', name))", cases)
    assert ours == [rename.rename_text(text, "blue-door", name) for text, name in cases]


@many
@given(old=labels, name=labels, around=st.tuples(anything, anything))
def test_any_name_is_replaced_alike(rules: Page, old: str, name: str, around: tuple[str, str]) -> None:
    text = old.join(around) + rename.identifier(old).join(around)
    ours = rules.evaluate("(given) => KIT.renameText(...given)", [text, old, name])
    assert ours == rename.rename_text(text, old, name)


def sentence(check, *given) -> str:
    try:
        check(*given)
    except KitError as error:
        return str(error)
    return ""


taken = sorted(keyword.kwlist) + sorted(rename.STDLIB) + sorted(rename.environment_packages(PINS))
names = labels | anything | st.sampled_from(taken).map(lambda name: name.replace("_", "-"))
lengths = st.integers(46, 50).map("o".__mul__)


@many
@given(cases=st.lists(names | lengths | st.from_regex(r"[0-9]-?[a-z]", fullmatch=True), max_size=60))
def test_names_are_refused_in_the_same_words(rules: Page, cases: list[str]) -> None:
    ours = rules.evaluate("(cases) => cases.map((name) => KIT.nameProblem(name, KIT_TEMPLATE.rules))", cases)
    assert ours == [sentence(rename.check_name, name, PINS) for name in cases]


def test_every_name_that_python_has_taken_is_refused(rules: Page) -> None:
    cases = [name.replace("_", "-") for name in taken]
    ours = rules.evaluate("(cases) => cases.map((name) => KIT.nameProblem(name, KIT_TEMPLATE.rules))", cases)
    assert ours == [sentence(rename.check_name, name, PINS) for name in cases]
    assert all(ours)


@many
@given(cases=st.lists(labels | anything | st.integers(62, 65).map("n".__mul__), max_size=40))
def test_namespaces_are_refused_in_the_same_words(rules: Page, cases: list[str]) -> None:
    deployment = (archive.TEMPLATE / create.DEPLOYMENT).read_bytes()
    ours = rules.evaluate("(cases) => cases.map(KIT.namespaceProblem)", cases)
    assert ours == [sentence(create.configured, deployment, name, None) for name in cases]


@many
@given(files=st.dictionaries(anything | texts, anything, max_size=9), version=anything)
def test_the_manifest_is_written_alike(rules: Page, files: dict[str, str], version: str) -> None:
    call = "([version, files]) => KIT.manifestText(version, new Map(files))"
    assert rules.evaluate(call, [version, list(files.items())]) == Origin(version, files).text


@many
@given(cases=st.lists(st.tuples(requirements, requirements), max_size=20))
def test_packages_are_appended_alike(rules: Page, cases: list[tuple[str, str]]) -> None:
    ours = rules.evaluate("(cases) => cases.map((pair) => KIT.withPackages(...pair))", cases)
    assert ours == [adopt.with_packages(have.encode(), more.encode()).decode() for have, more in cases]


def test_checksums_are_right_at_every_length_around_a_block(rules: Page) -> None:
    contents = [bytes(n * 7 % 256 for n in range(length)) for length in (*range(130), 1000, 65537)]
    call = "(contents) => contents.map((bytes) => KIT.sha256(Uint8Array.from(bytes)))"
    assert rules.evaluate(call, [list(c) for c in contents]) == [hashlib.sha256(c).hexdigest() for c in contents]


def test_what_is_no_text_reaches_the_zip_as_it_is(rules: Page) -> None:
    content = bytes(range(256))
    script = browser_data.script("x", "1", [(f"kit/{PINS.name}", 0o644, b""), ("logo.png", 0o755, content)])
    data = json.loads(script.decode().removeprefix("window.KIT_TEMPLATE = ").rstrip(";\n"))
    call = "(file) => [file.executable, ...KIT.bytesOf(file)]"
    assert rules.evaluate(call, data["files"][1]) == [True, *content]


def test_the_data_name_no_folder_of_the_machine(built_site: Path) -> None:
    assert str(ROOT) not in (built_site / "downloads/template.js").read_text("utf-8")
