"""A block is proved only when it really is what the page says; each way to be wrong is caught, with its place."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit.checks.registry import rules

from tools import source
from tools.expand import Block, Page
from tools.ledger import Proof, Unproved
from tools.runners import console, prove, text
from tools.stage import Stage
from tools.workbench import Workbench, evaluator


@pytest.fixture
def bench(stage: Stage, tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(Page("page.md", {"workspace": "empty"}, []), stage, evaluator(tmp_path), tmp_path) as bench:
        yield bench


def block(lang: str, source: str, file: Path | None = None, **options: str) -> Block:
    rows = source.split("\n")
    named = {key.replace("_", "-"): value for key, value in options.items()}
    return Block("page.md", 7, lang, named, source, tuple((file, n) if file else None for n in range(1, len(rows) + 1)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (block("", "x"), "nothing verifies a block without a language"),
        (block("rust", "fn main() {}"), "nothing verifies rust"),
        (block("console", "$ true", colour="red"), "unknown option colour"),
        (block("python", "print(1)"), "python is typed in the page"),
        (block("json", "{}"), "json is typed in the page"),
        (block("text", "anything"), "plain text proves nothing"),
        (
            block("text", "your-service/\n  src/\n    nowhere.py", tree="template"),
            "row 3: the archive holds no src/nowhere",
        ),
        (block("console", "hello"), "output before the first command"),
        (block("console", "$ sleep 60\n...", leave_running="yes"), "must show the line that says that it is ready"),
        (block("json", "{}", rule="FK999", example="bad"), "there is no bad example of a rule FK999"),
        (block("json", "{}", rule="FK001", example="bad"), "this is not the bad example of FK001"),
        (block("console", "$ echo one\ntwo"), "printed\none\n\nbut the page shows\ntwo"),
        (block("console", "$ echo one"), "but the page shows"),
        (block("console", "$ false"), "ended with status 1, not 0"),
        (block("console", "$ true", exit="2"), "ended with status 0, not 2"),
        (block("console", "$ true", exit="one"), 'exit="one" is no status'),
        (block("console", "$ fission spec aply", needs_cluster="yes"), "no contract is recorded"),
        (block("console", "$ kubectl get pods; rm x", needs_cluster="yes"), "';' joins commands"),
        (block("console", "$ kubectl get pods -n dev\nNAME", needs_cluster="yes"), "leave it out"),
        (block("console", "$ fission spec apply --wiat", needs_cluster="yes"), "has no option --wiat"),
        (
            block("console", "$ kubectl get pods -n <namespace>", needs_cluster="yes"),
            "needs a value, and '<namespace>' is none",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_block_is_named_with_page_and_line(wrong: Block, message: str, bench: Workbench) -> None:
    with pytest.raises(Unproved) as caught:
        prove(wrong, bench)
    assert str(caught.value).startswith("docs/page.md:7: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        block("console", "$ echo one two three\none ... three"),
        block("console", "# a remark\n$ printf '1\\n2\\n'\n1\n2\n$ echo a \\\n> b\na b"),
        block("console", "$ cd /nowhere\n...", exit="1"),
        block("console", "$ fission spec apply --wait --specdir specs", needs_cluster="yes"),
        block("text", "your-service/\n  src/  runs in the pod\n    build.sh", tree="template"),
    ],
    ids=lambda b: b.source.splitlines()[0],
)
def test_a_right_block_is_proved(right: Block, bench: Workbench) -> None:
    assert prove(right, bench).how


def test_the_address_of_a_published_site_is_tried_at_the_site_of_this_run(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://kit.example.org/guide")
    url = "https://kit.example.org/guide/downloads/SHA256SUMS"
    assert prove(block("console", f"$ curl -sf -o sums -w '%{{url}}\\n' {url}\n{url}"), bench).kind == "executed"
    assert (bench.home / "sums").read_text().endswith(".tar.gz\n")


RUNNING = (
    "$ (echo ready; while sleep 0.05; do test -e stop && exit 3; test -e changed && echo reload: b.py; done)\nready"
)


def running(bench: Workbench) -> Path:
    prove(block("console", RUNNING, terminal="server", leave_running="yes"), bench)
    return bench.home


def test_a_line_that_says_more_than_the_page_is_not_the_line_that_is_waited_for(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "TIMEOUT_SECONDS", 1.0)
    said = "$ echo 'ready on http://x/ but 3 functions are broken'; sleep 60\nready on http://x/"
    with pytest.raises(Unproved, match="is not done after 1 s; it printed\nready on http://x/ but 3 functions"):
        prove(block("console", said, leave_running="yes"), bench)


def test_lines_that_follow_at_once_are_waited_for_one_after_the_other(bench: Workbench) -> None:
    said = "$ printf 'ready on http://x/ in 2 s\\none\\ntwo\\n'; sleep 60\nready on http://x/ ..."
    prove(block("console", said, terminal="1", leave_running="yes"), bench)
    assert prove(block("text", "one", terminal="1"), bench).kind == "executed"
    assert prove(block("text", "two", terminal="1"), bench).kind == "executed"


def test_text_of_a_terminal_is_waited_for_in_what_its_running_command_prints(bench: Workbench) -> None:
    said = block("text", "reload: b.py", terminal="server")
    place = running(bench)
    threading.Timer(0.5, (place / "changed").touch).start()
    assert prove(said, bench).kind == "executed"


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ("reload: c.py", "reload: b.py"),
        ("reload: b", "reload: b.py"),
    ],
)
def test_text_that_the_running_command_does_not_print_is_wrong(
    shown: str, message: str, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "TIMEOUT_SECONDS", 1.0)
    (running(bench) / "changed").touch()
    with pytest.raises(Unproved, match=rf"(?s)docs/page\.md:7.*is not done after 1 s.*{message}"):
        prove(block("text", shown, terminal="server"), bench)


def test_text_of_a_terminal_is_wrong_when_its_command_has_ended_or_none_runs(bench: Workbench) -> None:
    with pytest.raises(Unproved, match="no command was left running"):
        prove(block("text", "reload: b.py", terminal="server"), bench)
    (running(bench) / "stop").touch()
    with pytest.raises(Unproved, match="ended with status 3"):
        prove(block("text", "reload: b.py", terminal="server"), bench)


def test_a_wrong_output_comes_with_what_the_other_terminals_printed(bench: Workbench) -> None:
    (running(bench) / "changed").touch()
    prove(block("text", "reload: b.py", terminal="server"), bench)
    with pytest.raises(Unproved, match=r"(?s)the page shows\ntwo\nterminal server meanwhile printed\n.*reload: b\.py"):
        prove(block("console", "$ sleep 0.3; echo one\ntwo"), bench)


def included(tmp_path: Path, name: str, text: str, lang: str) -> Block:
    file = tmp_path / name
    file.write_text(text)
    return block(lang, text.rstrip("\n"), file)


@pytest.mark.parametrize(
    ("name", "lang", "text", "message"),
    [
        ("a.py", "python", "print(1 + 1)\n#> 3\n", "#> 3"),
        ("a.py", "python", "raise SystemExit(3)\n", "SystemExit: 3"),
        ("a.json", "json", '{"a": }\n', "not JSON"),
        ("a.yaml", "yaml", "a: [\n", "not YAML"),
        ("a.yaml", "yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", "the key 'c' is there twice"),
        ("a.json", "json", '{"a": {"b": 1, "b": 2}}\n', "a key is there twice: b"),
        ("a.toml", "toml", "a = \n", "not TOML"),
        ("a.ini", "ini", "a\n", "not INI"),
        ("a.env", "dotenv", "what is this\n", "the .env reader refuses it"),
        ("a.sql", "sql", "SELEC 1;\n", "PostgreSQL refuses it"),
        ("a.sql", "sql", "-- migrate:up\nCREATE TABLE t (;\n-- migrate:down\nDROP TABLE t;\n", "a.sql:2"),
        ("a.sh", "sh", "echo $1\n", "ShellCheck finds"),
    ],
)
def test_a_wrong_file_is_caught_by_running_or_reading_it(
    name: str, lang: str, text: str, message: str, bench: Workbench, tmp_path: Path
) -> None:
    name = name.replace("a.sql", "20990101000000_a.sql") if "migrate" in text else name
    with pytest.raises(Unproved, match=r"docs/page\.md:7") as caught:
        prove(included(tmp_path, name, text, lang), bench)
    assert message.replace("a.sql", "20990101000000_a.sql") in str(caught.value) or message in str(caught.value)


@pytest.mark.parametrize(
    ("file", "name"),
    [("template/kit/pod.py", "lay_out"), ("template/src/exceptions.py", "SQLSTATES")],
    ids=["a function outside of what is watched", "a value"],
)
def test_what_no_test_of_the_template_enters_is_validated_only(file: str, name: str, bench: Workbench) -> None:
    shown = source.cut(file, name)
    rows = range(shown.line, shown.line + len(shown.text.split("\n")))
    cut = Block("page.md", 7, "python", {}, shown.text, tuple((shown.path, row) for row in rows))
    assert prove(cut, bench) == Proof("validated", f"defined inside {file}")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("    pytest.skip('no network')", "does not run all of it: 1 skipped in"),
        ("    pytest.xfail('later')", "does not run all of it: 1 xfailed in"),
        ("    assert 1 == 2", "pytest test_a.py fails"),
    ],
)
def test_a_test_that_is_not_run_to_its_end_proves_nothing(
    line: str, says: str, bench: Workbench, tmp_path: Path
) -> None:
    text = f"import pytest\n\n\ndef test_it():\n{line}\n"
    with pytest.raises(Unproved, match=rf"docs/page\.md:7 .*{says}"):
        prove(included(tmp_path, "test_a.py", text, "python"), bench)
    assert prove(included(tmp_path, "test_a.py", text.replace(line, "    pass"), "python"), bench).kind == "executed"


@pytest.mark.parametrize(
    ("kind", "says"), [("bad", "does not find its bad example"), ("good", "finds its good example")]
)
def test_an_example_of_a_check_is_judged_by_its_rule(
    kind: str, says: str, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = rules()["FK001"]
    swapped = replace(rule, bad=rule.good, good=rule.bad)
    shown = swapped.bad if kind == "bad" else swapped.good
    right = rule.bad if kind == "bad" else rule.good
    assert "kit check" in prove(block("json", right.text, rule="FK001", example=kind), bench).how
    shutil.rmtree(bench.folder / f"FK001-{kind}")
    monkeypatch.setattr("tools.runners.rules.rules", lambda: {"FK001": swapped})
    with pytest.raises(Unproved, match=says):
        prove(block("json", shown.text, rule="FK001", example=kind), bench)


@pytest.mark.parametrize(
    ("page", "source", "message"),
    [
        ("../template/README.md", "false  # fails", r"ended with status 1"),
        ("../template/README.md", "make nothing", r"No rule to make target"),
        ("../template/README.md", "make check nothing", r"No rule to make target"),
        ("../template/README.md", "kubectl get pods --every", r"has no option --every"),
        ("../template/README.md", "echo 'open", r"No closing quotation"),
        ("../template/README.md", "# a remark alone", r"no command"),
        ("../README.md", "rm -r site", r"only make is typed in a clone of the kit"),
        ("../README.md", "make nothing", r"No rule to make target"),
    ],
)
def test_a_wrong_command_of_a_readme_is_named_with_its_place(
    page: str, source: str, message: str, stage: Stage, tmp_path: Path
) -> None:
    wrong = Block(page, 7, "bash", {}, source, (None,))
    with (
        Workbench(Page(page, {}, []), stage, evaluator(tmp_path), tmp_path) as bench,
        pytest.raises(Unproved, match=message) as caught,
    ):
        prove(wrong, bench)
    assert str(caught.value).startswith(f"{page.removeprefix('../')}:7: ")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("python -m kit --version", "executed"),
        ("make check\npython -m kit --version", "validated"),
        ("kubectl get pods -n dev", "needs-cluster"),
        ("kubectl get pods -n dev\npython -m kit --version", "validated"),
    ],
)
def test_a_readme_is_executed_only_when_all_of_it_ran(source: str, kind: str, stage: Stage, tmp_path: Path) -> None:
    page = "../template/README.md"
    with Workbench(Page(page, {}, []), stage, evaluator(tmp_path), tmp_path) as bench:
        assert prove(Block(page, 7, "bash", {}, source, (None,)), bench).kind == kind
