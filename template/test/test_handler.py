"""The decorator: whatever happens in main(), the caller gets a well-formed answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from enum import StrEnum
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, Response, abort

from handler import by_method, entrypoint
from helpers import execute, fetch_one, get_secret, init_db_connection
from kit.pod import Pod
from models import ErrorResponse, Line, Price, StrictModel
from params import json_body, path_param, which_param


class Colour(StrEnum):
    RED = "red"


class Parcel(StrictModel):
    name: Line
    price: Price


def call(main: Callable[[], Any], method: str = "GET", path: str = "/", **options: Any) -> Response:
    """Call a function of the test as the environment would."""
    app = Flask("environment")
    app.add_url_rule("/", view_func=entrypoint(main), methods=["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
    return app.test_client().open(path, method=method, **options)


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"a": 1}, 200, b'{"a": 1}'),
        ([Colour.RED], 200, b'["red"]'),
        (({"a": 1}, 201), 201, b'{"a": 1}'),
        (("text", 200, {"Content-Type": "text/csv"}), 200, b"text"),
        (None, 204, b""),
        (Response("own", 202), 202, b"own"),
    ],
)
def test_main_may_return_plain_values(pod: Pod, result: Any, status: int, body: bytes):
    def main() -> Any:
        return result

    response = call(main)
    assert (response.status_code, response.data) == (status, body)


def test_a_bug_is_answered_with_a_fixed_sentence_and_logged_with_its_traceback(pod: Pod, capsys):
    def main() -> Any:
        raise RuntimeError("internal text")

    response = call(main, headers={"X-Fission-Request-Id": "r-1", "X-User": "ada"})
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    told = ErrorResponse.model_validate(response.json)
    assert (told.error_code, told.request_id, told.x_user) == ("INTERNAL_ERROR", "r-1", "ada")
    assert "internal text" not in response.text
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("internal text" in line.get("traceback", "") for line in lines)


def test_the_end_of_the_process_passes_through(pod: Pod):
    def main() -> Any:
        raise SystemExit

    with pytest.raises(SystemExit):
        call(main)


def test_an_abort_of_flask_becomes_json(pod: Pod):
    def main() -> Any:
        abort(403)

    response = call(main)
    assert (response.status_code, response.json["error_code"]) == (403, "FORBIDDEN")


def test_other_methods_are_refused_with_what_is_allowed(pod: Pod):
    def main() -> Any:
        return by_method(GET=lambda: {"ok": True})

    assert call(main, "HEAD").status_code == 200
    assert call(main, "OPTIONS").headers["Allow"] == "GET, HEAD, OPTIONS"
    refused = call(main, "DELETE")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert refused.json["error_code"] == "METHOD_NOT_ALLOWED"


def test_what_was_not_committed_is_gone_after_the_request(parcels: None):
    def main() -> Any:
        init_db_connection().cursor().execute("INSERT INTO parcels (name, price) VALUES ('half', 1)")
        return {}

    call(main)
    assert init_db_connection().get_transaction_status() == 0
    assert fetch_one("SELECT count(*) FROM parcels") == {"count": 0}


def test_a_nul_character_on_its_way_to_the_database_is_the_callers_mistake(pod: Pod):
    def main() -> Any:
        return execute("SELECT %(text)s", {"text": "a\0b"})

    assert call(main).status_code == 400


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'"\\ud800"', "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
        (b" " * 2_000_000, "application/json", 413),
    ],
    ids=["no JSON", "no UTF-8", "half a character", "a form", "no type", "too large"],
)
def test_a_body_that_is_not_fit_is_refused(pod: Pod, data: bytes, content_type: str | None, status: int):
    def main() -> Any:
        return json_body(Parcel)

    response = call(main, "POST", data=data, content_type=content_type)
    assert response.status_code == status
    ErrorResponse.model_validate(response.json)


@pytest.mark.parametrize(("length", "status"), [(100, 200), (101, 413), (5_000, 413)])
def test_a_chunked_body_has_the_same_limit_as_one_that_says_its_length(pod: Pod, length: int, status: int):
    def main() -> Any:
        return json_body(Parcel, max_bytes=100)

    body = b'{"name": "box", "price": 1}'.ljust(length)
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    response = call(
        main, "POST", input_stream=BytesIO(body), content_type="application/json", environ_overrides=chunked
    )
    assert response.status_code == status, response.text


def test_all_mistakes_of_a_body_are_reported_at_once(pod: Pod):
    def main() -> Any:
        return json_body(Parcel)

    response = call(main, "POST", json={"name": " ", "price": -1, "colour": "red"})
    assert [problem["loc"] for problem in response.json["details"]] == ["body.name", "body.price", "body.colour"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Fission-Params-Name": "Jürgen".encode().decode("latin-1")}, {"name": "Jürgen"}),
        ({"X-Fission-Params-Name": "a b", "X-Fission-Full-Url": "/x/a%20b?y=1"}, {"name": "a b"}),
        ({"X-Fission-Params-Name": "forged", "X-Fission-Full-Url": "/x/real"}, None),
        ({}, {"name": None}),
    ],
    ids=["umlaut", "blank", "made up by the client", "none"],
)
def test_a_path_parameter_is_what_stands_in_the_url(
    pod: Pod, headers: dict[str, str], expected: dict[str, str | None] | None
):
    def main() -> Any:
        return {"name": path_param("Name", None)}

    response = call(main, headers=headers)
    assert response.status_code == (200 if expected else 400)
    assert expected is None or response.json == expected


@pytest.mark.parametrize(
    ("headers", "status", "chosen"),
    [
        ({"X-Fission-Params-Runid": "7"}, 200, "runid"),
        ({"X-Fission-Params-Scheduleid": "7"}, 200, "ScheduleID"),
        ({}, 200, None),
        ({"X-Fission-Params-Other": "7"}, 200, None),
        ({"X-Fission-Params-Runid": "7", "X-Fission-Params-Scheduleid": "7"}, 400, None),
        ({"X-Fission-Params-Scheduleid": "8"}, 400, None),
    ],
    ids=["one", "another", "none", "one that was not asked for", "a second one", "not in the URL"],
)
def test_which_variable_the_url_has_cannot_be_made_up(
    pod: Pod, headers: dict[str, str], status: int, chosen: str | None
):
    def main() -> Any:
        return {"chosen": which_param("ScheduleID", "runid")}

    response = call(main, headers={"X-Fission-Full-Url": "/runs/7/redrive", **headers})
    assert (response.status_code, response.json.get("chosen")) == (status, chosen)


def test_browsers_may_send_every_header_that_the_examples_read(pod: Pod):
    pod.set_config("CORS_ORIGINS", "*")
    answer = call(lambda: None, method="OPTIONS", headers={"Origin": "https://app.example"})
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Content-Type", "X-User", "If-Match", "If-None-Match", "Idempotency-Key"} <= set(allowed)


def test_browsers_of_listed_origins_get_cors_headers_and_others_do_not(pod: Pod):
    def main() -> Any:
        return {}

    asked = {"Origin": "https://app.example"}
    assert "Access-Control-Allow-Origin" not in call(main, headers=asked).headers
    pod.set_config("CORS_ORIGINS", "https://shop.example,https://app.example")
    assert call(main, headers=asked).headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in call(main, headers={"Origin": "https://evil.example"}).headers
    assert "Access-Control-Allow-Methods" not in call(main, headers=asked).headers
    assert "PUT" in call(main, method="OPTIONS", headers=asked).headers["Access-Control-Allow-Methods"]


def test_each_request_is_logged_in_one_line_with_fissions_keys(pod: Pod, capsys):
    def main() -> Any:
        logging.getLogger("items").info("looked up", extra={"item": 7})
        return {}

    headers = {"X-Fission-Request-Id": "r-1", "X-User": "ada", "X-Fission-Full-Url": "/items/7?a=1"}
    call(main, headers={**headers, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    own, request = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (own["msg"], own["level"], own["logger"], own["item"]) == ("looked up", "INFO", "items", 7)
    assert (request["http.method"], request["http.path"], request["http.status_code"]) == ("GET", "/items/7", 200)
    for line in (own, request):
        assert (line["fission.request.id"], line["user"], line["trace_id"]) == ("r-1", "ada", "a" * 32)


def test_no_log_line_shows_a_secret(pod: Pod, capsys):
    pod.set_secret("TOKEN", 'very "secret" value')

    def main() -> Any:
        logging.getLogger("items").warning("the token is %s", get_secret("TOKEN"))
        raise RuntimeError(get_secret("TOKEN"))

    call(main)
    out = capsys.readouterr().out
    assert "the token is ***" in out
    assert "secret" not in out.replace("get_secret", "")
