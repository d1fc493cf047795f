"""What a function receives and what a caller gets back (FACTS 1.5 to 1.7, 2.4 to 2.6)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import flask
import pytest
from kit.serve.environment import FunctionApp
from kit.serve.functions import Function
from kit.serve.gateway import Gateway, InvocationError
from kit.serve.router import Route, Router
from kit.serve.wsgi import Reply, call_wsgi
from kit.specs.models import Cors
from werkzeug.test import Client

CORS = Cors(allow_origins=["https://a.example"], allow_headers=["X-User"], expose_headers=["X-Total"])
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "HEAD", "OPTIONS", "DELETE"})


def echo():
    request = flask.request
    return {
        "path": request.path,
        "query": request.query_string.decode(),
        "method": request.method,
        "headers": dict(request.headers),
        "body": request.get_data(as_text=True),
    }


def gateway(handler=echo, *, invoke=None, **route):
    function = Function("acme-f", "default", "m.main", 60, Path("m.py"))
    app = FunctionApp()
    app.function = handler
    settings = {"path": "/x", "is_prefix": False, "keep_prefix": False, "methods": METHODS, "cors": None} | route
    routes = [Route(trigger="t", function=function, **settings)]
    return Client(Gateway(Router(routes), invoke or (lambda _, environ: call_wsgi(app, environ))))


def test_the_headers_of_the_router():
    answer = gateway(path="/u/{UserID}").get("/u/J%C3%BCrgen%20x?a=b%20c", headers={"Host": "shop.example:8888"})
    seen = answer.json["headers"]
    assert answer.json["path"] == "/"
    assert answer.json["query"] == "a=b%20c"
    assert seen["X-Fission-Params-Userid"] == "Jürgen x".encode().decode("latin-1")
    assert seen["X-Fission-Full-Url"] == "/u/J%C3%BCrgen%20x?a=b%20c"
    assert seen["X-Fission-Function-Name"] == "acme-f"
    assert seen["X-Fission-Function-Namespace"] == "default"
    assert re.fullmatch(r"[0-9a-f-]{36}", seen["X-Fission-Function-Uid"])
    assert seen["X-Forwarded-Host"] == "shop.example:8888"
    assert seen["Forwarded"] == "host=shop.example:8888;"
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["Host"] == "pod.internal:8888"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", seen["Traceparent"])
    assert answer.headers["X-Fission-Request-ID"] == seen["X-Fission-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Vary"] == "Origin"


def test_headers_of_the_caller_that_stay_and_that_go():
    sent = {
        "Authorization": "Bearer x",
        "Connection": "close",
        "TE": "trailers",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "front.example",
        "X-Fission-Function-Name": "faked",
        "X-Fission-Params-Other": "kept",
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    }
    seen = gateway().get("/x", headers=sent).json["headers"]
    assert seen["Authorization"] == "Bearer x"
    assert not {"Connection", "Te", "Forwarded"} & seen.keys()
    assert seen["X-Forwarded-For"] == "10.0.0.1, 127.0.0.1"
    assert seen["X-Forwarded-Host"] == "front.example"
    assert seen["X-Fission-Function-Name"] == "acme-f"
    assert seen["X-Fission-Params-Other"] == "kept"
    assert seen["Traceparent"].startswith("00-" + "a" * 32)


@pytest.mark.parametrize(("sent", "kept"), [("abc-1", True), ("a b", False), ("x" * 192, True), ("x" * 193, False)])
def test_request_ids(sent, kept):
    answer = gateway().get("/x", headers={"X-Fission-Request-Id": sent})
    assert (answer.headers["X-Fission-Request-ID"] == sent) is kept


def test_a_variable_with_an_underscore_never_arrives():
    assert not [name for name in gateway(path="/u/{user_id}").get("/u/7").json["headers"] if "Params" in name]


def test_a_control_character_in_a_variable_is_a_500_of_the_router():
    answer = gateway(path="/u/{id}").get("/u/a%0Ab")
    assert (answer.status_code, answer.json["reason"]) == (500, "function_error")


def test_the_router_s_own_answers():
    client = gateway()
    for path, status, text in [
        ("/", 200, ""),
        ("/readyz", 200, ""),
        ("/nothing", 404, "404 page not found\n"),
        ("/x/", 404, "404 page not found\n"),
    ]:
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (status, text)
    assert client.open("/x", method="TRACE").text == "405 method not allowed\n"
    assert client.get("/x", environ_overrides={"CONTENT_LENGTH": "-1"}).status_code == 400


def test_the_environment_refuses_patch_and_passes_options_and_head():
    client = gateway()
    refused = client.patch("/x")
    assert (refused.status_code, refused.mimetype) == (405, "text/html")
    assert client.options("/x").json["method"] == "OPTIONS"
    assert client.head("/x").status_code == 200


def test_the_body_arrives():
    assert gateway().post("/x", data="ä" * 100_000).json["body"] == "ä" * 100_000


@pytest.mark.parametrize(
    ("value", "status", "kind"),
    [
        ("text", 200, "text/html"),
        ({"b": 1, "a": 2}, 200, "application/json"),
        ([1], 200, "application/json"),
        (("made", 201, {"X-A": "b"}), 201, "text/html"),
        (iter(["a", "b"]), 200, "text/html"),
        (None, 500, "text/html"),
        (3, 500, "text/html"),
    ],
)
def test_return_values(value, status, kind):
    answer = gateway(lambda: value).get("/x")
    assert (answer.status_code, answer.mimetype) == (status, kind)


def test_what_escapes_the_function_is_an_html_page():
    def fail():
        raise RuntimeError("private detail")

    answer = gateway(fail).get("/x")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "private detail" not in answer.text


def test_control_paths_of_the_environment_are_reachable_through_a_trimmed_prefix():
    client = gateway(path="/api", is_prefix=True)
    assert client.get("/api/healthz").text == ""
    assert client.get("/api/static/a").status_code == 404
    assert client.get("/api/other").json["path"] == "/other"


def test_structured_errors():
    def invoke(function, environ):
        raise InvocationError(504, "timeout", "function_timeout", "too slow")

    answer = gateway(invoke=invoke).get("/x")
    assert (answer.status_code, answer.headers["X-Fission-Component"]) == (504, "timeout")
    assert answer.json.keys() == {"component", "reason", "requestId", "traceId", "message"}
    assert answer.json["requestId"] == answer.headers["X-Fission-Request-ID"]


def preflight(client, origin):
    return client.options("/x", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})


def test_preflights_are_answered_by_the_router():
    client = gateway(lambda: json.loads("{"), cors=CORS, methods=frozenset({"GET"}))
    allowed = preflight(client, "https://a.example")
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert allowed.headers["Access-Control-Allow-Methods"] == "GET"
    assert allowed.headers["Access-Control-Allow-Headers"] == "X-User"
    refused = preflight(client, "https://b.example")
    assert (refused.status_code, refused.text) == (403, "cross-origin requests not permitted\n")


def test_real_requests_from_elsewhere_are_forwarded_without_permission():
    client = gateway(cors=CORS)
    assert (
        client.get("/x", headers={"Origin": "https://a.example"}).headers["Access-Control-Expose-Headers"] == "X-Total"
    )
    other = client.get("/x", headers={"Origin": "https://b.example"})
    assert other.status_code == 200
    assert "Access-Control-Allow-Origin" not in other.headers


def test_without_rules_the_function_s_own_cors_headers_pass():
    answer = gateway(lambda: ("", 200, {"Access-Control-Allow-Origin": "*"})).get("/x")
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert "Vary" not in answer.headers


def test_a_streamed_body_is_closed():
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            closed.append(True)

    client = gateway(invoke=lambda *_: Reply("200 OK", [], Body()))
    answer = client.get("/x", buffered=True)
    assert (answer.data, closed) == (b"ab", [True])
