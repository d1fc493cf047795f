"""The JSON reader accepts exactly JSON, remembers places, and says in words what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.specs.json_reader import JsonError, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_reads_what_json_writes(value, indent):
    assert read_json(json.dumps(value, indent=indent)).value == value


@given(st.text(alphabet="{}[]\":, \n\t0123456789-+.eEtrufalsn\\/'#xNaI", max_size=40))
def test_accepts_what_the_standard_library_accepts_and_nothing_else(text):
    expected = outcome(lambda: json.loads(text, parse_constant=not_json))
    found = outcome(lambda: read_json(text).value)
    if isinstance(found, JsonError):
        assert 0 <= found.offset <= len(text)
        found = ...
    if isinstance(expected, ValueError):
        expected = ...
    if "e" in text.lower() and found is ... and expected is not ...:
        return  # numbers beyond a float, which the standard library reads as infinity
    assert found == expected


def outcome(read):
    """Return what is read, or the exception."""
    try:
        return read()
    except ValueError as error:
        return error


def not_json(name):
    raise ValueError(name)


def test_places():
    text = '{"a": [1, {"b": true}]}'
    document = read_json(text)
    assert text[document.offset(("a", 1, "b")) :].startswith("true")
    assert text[document.offset(("a", 1, "b"), of_key=True) :].startswith('"b"')
    assert text[document.offset(("a", 1, "missing")) :].startswith('{"b"')


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ('{"a": 1,}', 8, "comma stands before"),
        ("{'a': 1}", 2, "single quotes"),
        ('{"a": True}', 7, "True is Python"),
        ('{"a": 1 // note\n}', 9, "no comments"),
        ('{"a": 1 "b": 2}', 9, 'where "," or "}" is expected'),
        ('{"a" 1}', 6, 'where ":" after the key is expected'),
        ('{"a": 1', 8, "the JSON ends"),
        ('{"a": "x', 7, "a string is wrong"),
        (r'{"a": "\d"}', 8, "escape"),
        ('{"a": 1} {', 10, "text follows"),
        ("", 1, "the JSON ends"),
        ('{"a": NaN}', 7, "where a value is expected"),
        ('{"a": -Infinity}', 7, "too large"),
        ('{"a": 1e999}', 7, "too large"),
        ("[" * 50, 42, "levels are nested"),
        ("9" * 5000, 1, "too long"),
    ],
)
def test_says_what_is_wrong(text, column, what):
    with pytest.raises(JsonError) as caught:
        read_json(text)
    assert what in caught.value.what
    assert caught.value.offset + 1 == column


def test_finds_repeated_keys():
    assert read_json('{"a": 1, "b": {"c": 1, "c": 2}}').duplicates == [("b", "c")]
