"""What the template's own tests run is known by line, and a test that fails speaks for the lines that it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import tools
from tools import environments, expand, tested
from tools.expand import Block, Page
from tools.ledger import Unproved
from tools.runners import prove
from tools.stage import Stage
from tools.workbench import Workbench, evaluator

GREETING = '''LIMIT = 3


def greet(name):
    """Say hello."""
    if len(name) > LIMIT:
        return "Hello!"
    return f"Hello, {name}!"


def leave(name):
    return f"Bye, {name}!"
'''
TESTS = """from pathlib import Path

from greeting import greet, leave


def test_a_name_is_greeted():
    with Path(r"{runs}").open("a") as runs:
        runs.write("run\\n")
    assert greet("Ada") == "Hello, Ada!"
"""
RED = """

def test_nobody_leaves():
    assert leave("Ada") == ""
"""


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (tools, expand):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "CACHE", tmp_path / ".cache")
    for name, text in {
        "pytest.ini": "[pytest]\npythonpath = src\naddopts = --import-mode=importlib\n",
        "src/greeting.py": GREETING,
        "test/test_greeting.py": TESTS.format(runs=tmp_path / "runs"),
    }.items():
        (tmp_path / "template" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "template" / name).write_text(text)
    return tmp_path / "template"


def add(template: Path, text: str) -> None:
    with (template / "test/test_greeting.py").open("a") as file:
        file.write(text)


def proved(template: Path, name: str) -> str:
    first = 1 + next(n for n, row in enumerate(GREETING.split("\n")) if row.startswith(f"def {name}"))
    rows = GREETING.split("\n")[first - 1 :]
    rows = rows[: rows.index("")]
    at = tuple((template / "src/greeting.py", first + n) for n in range(len(rows)))
    with Workbench(Page("page.md", {}, []), Stage(template, template), evaluator(template), template) as bench:
        proof = prove(Block("page.md", 7, "python", {}, "\n".join(rows), at), bench)
    return f"{proof.kind}: {proof.how}"


def test_a_function_that_a_test_enters_is_executed_with_a_count_of_its_lines(template: Path) -> None:
    assert proved(template, "greet") == "executed: run by the template's tests, 2 of 3 lines"


def test_a_test_that_fails_is_named_at_what_it_enters_and_nowhere_else(template: Path) -> None:
    add(template, RED)
    assert proved(template, "greet").startswith("executed")
    with pytest.raises(Unproved, match=r"(?s)^docs/page\.md:7 .*enter it and fail.*::test_nobody_leaves: Assertion"):
        proved(template, "leave")


def test_tests_that_cannot_be_imported_prove_nothing(template: Path) -> None:
    add(template, "import nowhere\n")
    with pytest.raises(Unproved, match=r"(?s)^docs/page\.md:7 .*tests cannot be run.*No module named 'nowhere'"):
        proved(template, "greet")


def runs(template: Path) -> int:
    return (template.parent / "runs").read_text().count("run")


def test_tests_run_once_for_each_state_of_the_template(template: Path) -> None:
    first = tested.of(template)
    assert tested.of(template) == first
    assert runs(template) == 1
    (template / "README.md").write_text("more")
    tested.of(template)
    assert runs(template) == 2


def test_a_failure_is_not_kept_because_it_may_not_be_the_templates(template: Path) -> None:
    add(template, RED)
    assert list(tested.of(template).failed) == ["test/test_greeting.py::test_nobody_leaves"]
    tested.of(template)
    assert runs(template) == 2
    assert not list(environments.CACHE.glob("tested-*"))


@pytest.mark.parametrize("text", ["X = 1\n", "class A:\n    x: int\n", 'def f():\n    """Say."""\n'])
def test_what_has_no_body_cannot_be_entered(text: str) -> None:
    assert tested.bodies(text, 1, 9) == set()


def test_bodies_are_those_of_all_functions_between_two_lines() -> None:
    text = "def f():\n    1\nclass A:\n    def g(self):\n        2\n\n    async def h(self):\n        3\n"
    assert tested.bodies(text, 3, 8) == {5, 8}
    assert tested.bodies(text, 1, 2) == {2}
