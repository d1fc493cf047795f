"""Blocks are found without running code, and every mistake in them has its place, reason and remedy."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kit.specs.docstring import read_functions, read_module
from kit.specs.errors import SpecErrors

from tests.template.specs.sample import TEMPLATE, module

GOOD = '{"name": "orders"}'


def problems(folder: Path, **files: str | bytes) -> list[str]:
    """Return what is wrong with these modules, with paths as in the folder."""
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.py").write_bytes(data)
    try:
        read_functions(folder)
    except SpecErrors as errors:
        return [str(error.relative_to(folder)) for error in errors.errors]
    return []


def test_code_is_never_run(tmp_path):
    assert problems(tmp_path, orders="raise SystemExit(1)\n" + module(GOOD)) == []


def test_finds_every_function_of_the_template():
    functions = read_functions(TEMPLATE / "src", TEMPLATE / "examples")
    found = {function.config.name: function.module for function in functions}
    assert found["your-service-health"] == "health"
    assert all(
        (function.path.read_text().splitlines()[function.line - 1]).strip() == "```fission" for function in functions
    )


def test_modules_without_main_or_block_are_no_functions(tmp_path):
    texts = ["", "x = 1\n", "def main():\n    pass\n", 'def main():\n    """No block, but {"json": 1}."""\n']
    texts += ['def main():\n    """See:\n\n    ```json\n    {"name": "x"}\n    ```\n    """\n']
    assert problems(tmp_path, **{f"m{i}": text for i, text in enumerate(texts)}) == []


def test_handler_and_package_modules(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.py").write_text(module({"name": "orders", "handler": "other"}))
    (function,) = read_functions(tmp_path)
    assert (function.module, function.handler, function.line) == ("shop.orders", "other", 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "Orders"}', 'm.py:5:14: "Orders" is not a name for Kubernetes. Names are DNS-1123 labels'),
        ('{"name": "' + "a" * 64 + '"}', "m.py:5:14: "),
        ('{"name": "a.b"}', 'm.py:5:14: "a.b" is not a name for Kubernetes'),
        ('{"nam": "orders"}', 'm.py:5:6: the key "nam" is unknown. Misspelt keys would be ignored'),
        ('{"nam": "orders"}', 'm.py:5:5: the key "name" is missing'),
        ('{"name": "o", "name": "p"}', 'm.py:5:19: the key "name" stands twice'),
        (
            '{"name": "o", "timeout_seconds": "60"}',
            "m.py:5:38: a text does not fit here. Input should be a valid integer",
        ),
        ('{"name": "o", "timeout_seconds": 0}', "m.py:5:38: 0 does not fit here"),
        ('{"name": "o", "http_triggers": {"a": {"url": "/", "methods": ["GET"]}}}', 'm.py:5:50: "/" is no path'),
        ('{"name": "o", "http_triggers": {"a": {"url": "/a/../b", "methods": ["GET"]}}}', "contains a .. segment"),
        (
            '{"name": "o", "http_triggers": {"a": {"url": "/readyz", "methods": ["GET"]}}}',
            "belongs to Fission's router",
        ),
        ('{"name": "o", "http_triggers": {"a": {"url": "/a", "methods": ["GETS"]}}}', 'Write "GET".'),
        ('{"name": "o", "http_triggers": {"a": {"url": "/a", "methods": ["get"]}}}', 'Write "GET".'),
        ('{"name": "o", "http_triggers": {"a": {"url": "/a", "methods": []}}}', "m.py:5:67: a list does not fit here"),
        (
            '{"name": "o", "http_triggers": {"a": {"methods": ["GET"]}}}',
            "m.py:5:42: the trigger has neither url nor prefix",
        ),
        (
            '{"name": "o", "http_triggers": {"A b": {"url": "/a", "methods": ["GET"]}}}',
            'm.py:5:37: "A b" is not a name',
        ),
        ('{"name": "o", "queues": {"q": {"type": "redis", "kind": "fission", "topic": "t"}}}', "need KEDA"),
        ('{"name": "o", "queues": {"q": {"type": "kafkaa", "topic": "t"}}}', 'Write "kafka".'),
        ('{"name": "o", "env": []}', "m.py:5:19: FK090 the key"),
        ('{"name": "o", "watches": {"w": {"type": "POD", "label_selector": {}}}}', "FK086 a watch cannot select"),
        ('{"name": "o",}', 'm.py:5:17: a comma stands before "}"'),
        ("[1]", "m.py:5:5: a list does not fit here"),
        ('"text"', "m.py:5:5: a text does not fit here"),
    ],
)
def test_mistakes_have_places_and_remedies(tmp_path, text, expected):
    found = problems(tmp_path, m=module(text))
    assert any(expected in line for line in found), found


def test_all_mistakes_are_reported_at_once(tmp_path):
    found = problems(tmp_path, a=module('{"name": "A", "nam": 1}'), b="def main(:\n", c=module("{"))
    assert [line.partition(":")[0] for line in found] == ["a.py", "a.py", "b.py", "c.py"]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ('\n    {"name": "o", "http_triggers": {}}\n    ', "m.py:3:19: Fission configuration stands outside the fence"),
        ('\n    ```json\n    {"name": "o", "timers": {}}\n    ```\n', "stands outside the fence"),
        (
            f"\n    ```fission\n    {GOOD}\n    ```\n    ```fission\n    {GOOD}\n    ```\n",
            "m.py:6:5: a second Fission block",
        ),
        (f"\n    ```fission\n    {GOOD}\n", "m.py:3:5: the Fission block is never closed"),
        ("\n    ```fission\n    ```\n", "the JSON ends where a value is expected"),
        (
            f'\n    ```fission\n    {GOOD}\n    ```\n    "queues": {{}}\n',
            "m.py:6:5: Fission configuration stands outside",
        ),
    ],
)
def test_fences(tmp_path, docstring, expected):
    found = problems(tmp_path, m=f'def main():\n    """Do it.{docstring}"""\n')
    assert any(expected in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        f'"""Module.\n\n```fission\n{GOOD}\n```\n"""\n',
        f'def other():\n    """Do.\n\n    ```fission\n    {GOOD}\n    ```\n    """\n',
        f'class A:\n    def main(self):\n        """\n        ```fission\n        {GOOD}\n        ```\n        """\n',
    ],
)
def test_blocks_elsewhere_are_not_overlooked(tmp_path, text):
    (found,) = problems(tmp_path, m=text)
    assert "stands outside the docstring of main()" in found


def test_names_are_unique_across_modules(tmp_path):
    (found,) = problems(tmp_path, a=module(GOOD), b=module(GOOD))
    assert found.startswith('b.py:5:14: the name "orders" is taken by')


def test_places_follow_escapes_and_indentation(tmp_path):
    """`\\\\d` is two characters of source and one of JSON; a tab and an umlaut are one column each."""
    source = 'def main():\n\t"""ü\n\n\t```fission\n\t{"name": "ü",\n\t "x\\\\u0041": 1, "y": 2}\n\t```\n\t"""\n'
    found = problems(tmp_path, m=source)
    assert [line.split(": ")[0] for line in found] == ["m.py:5:11", "m.py:6:3", "m.py:6:18"]
    one_line = "def main():\n    'ü ```fission'\n"
    assert problems(tmp_path, m=one_line) == []


@pytest.mark.parametrize("quotes", ['"""', "'''", 'r"""', 'u"""'])
def test_places_in_every_kind_of_literal(tmp_path, quotes):
    end = quotes.lstrip("ru")
    found = problems(
        tmp_path, m=f"def main():\n    {quotes}Do.\n\n    ```fission\n    {{'name': 1}}\n    ```\n    {end}\n"
    )
    assert [line.split(": ")[0] for line in found] == ["m.py:5:6"]


def test_line_continuations_and_joined_strings_have_some_place(tmp_path):
    text = f'def main():\n    """Do \\\n    it.\n\n    ```fission\n    {GOOD[:-1]}, "x": 1}}\n    ```\n    """\n'
    assert problems(tmp_path, m=text)[0].startswith('m.py:6:24: the key "x" is unknown')
    joined = 'def main():\n    ("```fission\\n{}\\n"\n     "```")\n'
    assert problems(tmp_path, m=joined)[0].startswith("m.py:2:")


def test_windows_line_ends_and_byte_order_marks(tmp_path):
    text = module('{"name": "o", "x": 1}').replace("\n", "\r\n").encode()
    assert problems(tmp_path, m=b"\xef\xbb\xbf" + text)[0].startswith("m.py:5:19: the key")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"x = 1\ny = '\xff'\n", "m.py:2:6: the byte 0xff is not UTF-8"),
        (b"x = 1\0\n", "m.py:1:"),
        (b"def main(:\n", "m.py:1:10: Python cannot read it"),
        (b"x = " + b"(" * 5000 + b")" * 5000, "m.py:1:"),
    ],
)
def test_files_that_are_no_python(tmp_path, data, expected):
    (found,) = problems(tmp_path, m=data)
    assert found.startswith(expected)


def test_links_pipes_and_missing_folders(tmp_path):
    (tmp_path / "real.txt").write_text(module(GOOD))
    (tmp_path / "link.py").symlink_to("real.txt")
    (tmp_path / "loop.py").symlink_to("loop.py")
    os.mkfifo(tmp_path / "pipe.py")
    found = problems(tmp_path)
    assert [line.split(". ")[0] for line in found] == [
        "link.py:1:1: it is a symbolic link",
        "loop.py:1:1: it is a symbolic link",
        "pipe.py:1:1: it is not a regular file",
    ]
    with pytest.raises(SpecErrors, match="the folder does not exist"):
        read_functions(tmp_path / "nowhere")


def test_unreadable_files():
    folder = Path(tempfile.mkdtemp(prefix="kit-unreadable-"))
    path = folder / "m.py"
    path.write_text(module(GOOD))
    path.chmod(0)
    folder.chmod(0o755)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root reads everything
        _, (error,) = read_module(path, folder)
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)
    assert "it cannot be read (Permission denied)" in str(error)


def test_hidden_files_and_caches_are_left_alone(tmp_path):
    for name in ("__pycache__", ".hidden", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.py").write_text("(")
    assert problems(tmp_path) == []


FRAGMENTS = st.sampled_from(
    [
        '"""',
        "'",
        "\\",
        "```fission",
        "```",
        "~~~",
        "{",
        "}",
        '"name"',
        ":",
        '"o"',
        ",",
        "[",
        "]",
        '"http_triggers"',
        '"url"',
        '"/a"',
        "ü",
        "\\x41",
        "\\N{BULLET}",
        "1e999",
        "null",
        "\n",
        "    ",
        "\t",
        "\r",
        "\0",
        "\ud800",
        "def main():",
    ]
)


@settings(max_examples=300)
@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=30))
@example(['"""', "```fission", "\n", '{"name": "\\\\ud800"}', "\n", "```", '"""'])
def test_any_text_is_read_or_refused(fragments):
    with tempfile.TemporaryDirectory() as name:
        for body in ("".join(fragments), f'def main():\n    """\n    ```fission\n{"".join(fragments)}\n```\n"""\n'):
            path = Path(name) / "m.py"
            path.write_bytes(body.encode("utf-8", "surrogatepass"))
            functions, errors = read_module(path, Path(name))
            assert all(error.line >= 1 and error.column >= 1 and str(error).encode() for error in errors)
            assert not functions or not errors or len(functions) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "http_triggers", "url", "methods", "timers", "cron", "queues", "cors", "a"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_read_or_refused(value):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "m.py"
        path.write_text(module(json.dumps(value).replace("\\", "\\\\")), encoding="utf-8")
        functions, errors = read_module(path, Path(name))
        assert bool(functions) != bool(errors)
