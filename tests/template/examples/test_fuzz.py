"""2,000 requests to each example, right and wrong ones, made from its OpenAPI document: it keeps what that promises."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from models import ErrorResponse
from schemathesis import GenerationMode

from .operations import AWAY, HEADERS, Known, Operation, document_of, names, operations_of, timers_of

REQUESTS = 2_000
TIMER_EVERY = 250  # requests
KEYS = set(ErrorResponse.model_fields)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
header_values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
generate = settings(
    max_examples=REQUESTS,
    derandomize=True,  # the same requests in every run
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", names())
def test_no_request_makes_an_example_break_what_its_document_promises(equipped: Any, name: str):
    client = equipped
    operations = {str(one): one for one in operations_of(name)}
    schema = schemathesis.openapi.from_dict(document_of(name))
    cases = st.one_of(
        [found.ok().as_strategy(generation_mode=mode) for found in schema.get_all_operations() for mode in MODES]
    )
    known, seen = Known(), Counter[int]()

    @generate
    @given(case=cases, choices=st.tuples(st.integers(0, 99), st.integers(0, 99), header_values))
    def send(case: Any, choices: tuple[int, int, str]) -> None:
        operation = operations[f"{case.method.upper()} {case.path}"]
        response = answer(client, operation, case, known, *choices)
        seen[response.status_code] += 1
        judge(name, operation, case, response)
        known.learn(operation, response)
        if seen.total() % TIMER_EVERY == 0:
            for timer in timers_of(name):
                assert client.timer(timer).status_code in {200, 202, 204, *AWAY.get(name, set())}

    send()
    assert seen.total() >= REQUESTS * 0.95  # the rest were paths that no client can send
    come_through = sum(times for status, times in seen.items() if status < 400)
    assert come_through >= REQUESTS / 20, f"too few were right to prove anything: {seen}"


def answer(client: Any, operation: Operation, case: Any, known: Known, which: int, header: int, text: str) -> Any:
    """Send a request; half of them are about something that exists, and half have headers with which they may pass."""
    variables = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    ids = {name: known.one(operation, name, which) for name in variables} if which % 2 else {}
    for name, value in variables.items():
        variables[name] = quote(ids.get(name) or "", safe="") or value
        assume(reaches_the_function(unquote(variables[name])))
    read = operation.parameters("header")
    if header % 4 > 1:
        case.headers.update({key: value for key, value in HEADERS.items() if key in read})
    elif header % 4 == 1:
        case.headers.update(dict.fromkeys(read, text))
    case.path_parameters = variables
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    kwargs.pop("cookies", None)
    prepared = requests.Request(**kwargs).prepare()
    headers = {str(key): str(value) for key, value in prepared.headers.items() if key != "Content-Length"}
    return client.open(str(prepared.method), prepared.path_url, headers=headers, data=prepared.body)


def reaches_the_function(value: str) -> bool:
    """Tell whether the router hands on a path with this value: no other path, nothing that no header can carry."""
    return "/" not in value and value not in ("", ".", "..") and not any(char < " " or char == "\x7f" for char in value)


def judge(name: str, operation: Operation, case: Any, response: Any) -> None:
    """Fail if the answer is not what the document says about this operation."""
    asked = f"{operation} {case.path_parameters} {case.query} {case.headers} {str(case.body)[:300]}"
    got = f"{asked}\nwas answered with {response.status_code} {response.text[:500]}"
    if response.status_code < 400:
        assert not (problem := operation.problem(response)), f"{got}\n{problem}"
        return
    assert response.status_code < 500 or response.status_code in AWAY.get(name, set()), got
    assert response.content_type == "application/problem+json", got
    assert {str(response.status_code), "default"} & set(operation.described["responses"]), got
    assert set(response.json) == KEYS, got
    ErrorResponse.model_validate(response.json)
