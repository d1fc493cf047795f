"""`create-project.sh` with its options: namespace, executor, examples."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from kit import adopt, changes, origin
from kit.create import configured, create
from kit.errors import KitError
from kit.rename import files, rename_bytes

OPTIONS = ("--namespace", "shop", "--executor", "newdeploy")


def run(template: Path, *args: object) -> subprocess.CompletedProcess[str]:
    command = [template / "create-project.sh", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files(root)}


@pytest.fixture
def plain(template, tmp_path) -> dict[str, bytes]:
    """What the same command makes without options."""
    create(template, "orders", tmp_path / "plain")
    return content(tmp_path / "plain")


def test_namespace_and_executor_change_two_values_and_no_other_byte(template, plain, tmp_path):
    done = run(template, "orders", tmp_path / "made", *OPTIONS)
    assert (done.returncode, done.stderr) == (0, "")
    made = content(tmp_path / "made")
    path = ".fission/deployment.json"
    expected = plain[path].replace(b'"namespace": "default"', b'"namespace": "shop"')
    expected = expected.replace(b'    "executor": "poolmgr"', b'    "executor": "newdeploy"')
    assert made.pop(path) == expected != plain.pop(path)
    assert made == plain
    settings = json.loads(expected)
    assert (settings["namespace"], settings["function_defaults"]["executor"]) == ("shop", "newdeploy")


def test_added_examples_are_what_the_rule_says_in_any_order(template, plain, tmp_path):
    done = run(template, "--add=quota", "orders", tmp_path / "made", "--add", "crud, quota")
    assert done.stdout.startswith(f"Created orders in {tmp_path / 'made'}, with crud, quota in src/. Next:\n")
    expected = {**plain, **adopt.adopt(plain, ["crud", "quota"])}
    assert content(tmp_path / "made") == {path: text for path, text in expected.items() if text is not None}


def test_the_manifest_says_what_the_template_delivered_so_that_an_update_still_merges(template, tmp_path):
    """The archive has one; this stands for it."""
    delivered = tmp_path / "template"
    shutil.copytree(template, delivered, ignore=shutil.ignore_patterns(".*_cache", "__pycache__", ".kit", ".venv"))
    found = {path: origin.checksum(text) for path, text in content(delivered).items()}
    (delivered / origin.FILE).write_text(origin.Origin("0.1.0", found).text)
    create(delivered, "orders", tmp_path / "made", examples=["crud"], namespace="shop", executor="newdeploy")
    expected = {path: rename_bytes(text, "your-service", "orders") for path, text in content(template).items()}
    recorded = origin.read(tmp_path / "made")
    assert recorded.files == {path: origin.checksum(text) for path, text in expected.items()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--namespace", "Shop"], "'Shop' is no valid namespace: use at most 63 lower-case letters, digits and inner"),
        (["--namespace", "n" * 64], "is no valid namespace"),
        (["--namespace", ""], "'' is no valid namespace"),
        (["--namespace", 'a"'], "is no valid namespace"),
        (["--namespace", "shop\n"], "is no valid namespace"),
        (["--executor", "fast"], "there is no executor 'fast' in .fission/deployment.json; there are: poolmgr, "),
        (["--add", "crudd"], "there is no example 'crudd'; there are: crud, "),
        (["--add", "crud,"], "there is no example ''; there are: crud, "),
        (["--add", "../crud"], "there is no example '../crud'; there are: crud, "),
    ],
)
def test_a_wrong_value_is_one_error_and_creates_nothing(template, tmp_path, options, message):
    done = run(template, "orders", tmp_path / "made", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["orders", "made", "more"], "unrecognized arguments: more"),
        (["orders", "made", "--namespaces", "x"], "unrecognized arguments: --namespaces x"),
        (["orders", "made", "--add"], "argument --add: expected one argument"),
        (["orders", "--add", "crud"], "the following arguments are required: DIR"),
    ],
)
def test_a_wrong_command_line_is_one_error(template, tmp_path, words, message):
    done = run(template, *(tmp_path / word if word == "made" else word for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {message}; ./create-project.sh --help shows what is possible\n"
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_option_and_every_example(template):
    shown = run(template, "orders", "--help").stdout
    assert all(word in shown for word in ("--add", "--namespace", "--executor", *adopt.NAMES))


@pytest.mark.parametrize(
    "text",
    [
        '{"namespace": "default", "function_defaults": {"executor": "poolmgr"}, "executors": {"x": {}}}',
        '{\n  "project": "a",\n  "executors": {\n    "x": {},\n    "namespace": "default"\n  }\n}\n',
        '{\n  "executors": {"x": {}},\n  "function_defaults": {"cors": {"a": {}}, "executor": "poolmgr"}\n}\n',
    ],
)
def test_a_text_without_the_line_is_left_to_the_user(text):
    for values in (("shop", None), (None, "x")):
        with pytest.raises(KitError, match=r"has no line for (namespace|function_defaults\.executor) that can be"):
            configured(text.encode(), *values)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_while_examples_are_added_leaves_nothing(template, tmp_path, monkeypatch, when):
    write = changes.write

    def fail(*arguments):
        if when == "after":
            write(*arguments)
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("kit.changes.write", fail)
    with pytest.raises(KitError, match="cannot be created: No space left on device"):
        create(template, "orders", tmp_path / "orders", examples=["crud"])
    assert list(tmp_path.iterdir()) == []
