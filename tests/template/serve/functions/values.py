"""One function per kind of return value."""

import datetime
import decimal
import io
import uuid

import flask
from werkzeug.wrappers import Response

THEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def text():
    return "Grüße"


def empty():
    return ""


def raw():
    return b"\x00\xff\n"


def buffer():
    return bytearray(b"bytes")


def mapping():
    return {"b": 1, "a": [True, None, 1.5, "ü"]}


def sequence():
    return [3, {"z": 1, "a": 2}]


def types():
    return {"when": THEN, "day": THEN.date(), "price": decimal.Decimal("1.50"), "id": uuid.UUID(int=7)}


def unserialisable():
    return {"x": object}


def nothing():
    return None


def number():
    return 42


def truth():
    return True


def a_set():
    return {1}


def body_status():
    return "made", 201


def body_headers():
    return "typed", {"Content-Type": "text/plain", "X-One": "1"}


def body_status_headers():
    return {"a": 1}, 202, {"X-One": "1"}


def header_pairs():
    return "pairs", 200, [("X-Two", "1"), ("X-Two", "2")]


def status_text():
    return "odd", "299 Fine"


def status_unknown():
    return "odd", 599


def status_enum():
    from http import HTTPStatus

    return "teapot", HTTPStatus.IM_A_TEAPOT


def pair_none():
    return None, 204


def four():
    return "a", 200, {}, "b"


def one():
    return ("a",)


def no_content():
    return "", 204


def no_content_with_body():
    return "ignored", 204


def not_modified():
    return "ignored", 304, {"ETag": '"x"'}


def response():
    answer = flask.make_response("made by hand", 203)
    answer.headers["X-Hand"] = "made"
    answer.mimetype = "text/plain"
    return answer


def jsonify():
    return flask.jsonify(b=1, a=2)


def redirect():
    return flask.redirect("/elsewhere?a=b")


def cookie():
    answer = flask.make_response("cookie")
    answer.set_cookie("a", "1", path="/", httponly=True)
    answer.set_cookie("b", "ü")
    return answer


def generator():
    yield "one "
    yield "two"


def generator_bytes():
    return iter([b"one ", b"", b"two"])


def generator_response():
    return flask.Response((part for part in ["a,b\n", "1,2\n"]), mimetype="text/csv")


def generator_fails():
    yield "one "
    raise ValueError("in the middle")


def generator_fails_at_once():
    raise ValueError("at once")
    yield "never"


def wsgi_callable():
    return Response("wsgi", status=206, headers={"X-Wsgi": "1"})


def plain_callable():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
        return [b"app"]

    return app


def file():
    return flask.send_file(io.BytesIO(b"file"), mimetype="application/octet-stream", download_name="f.bin")


def large():
    return "0123456789" * 30_000


def coroutine():
    async def later():
        return "late"

    return later()


async def asynchronous():
    return "late"


def header_latin():
    return "x", 200, {"X-Name": "Jürgen"}


def header_newline():
    return "x", 200, {"X-Name": "a\nb"}


def template():
    return flask.render_template_string("<b>{{ name }}</b>", name="<x>")


def length_header():
    return "four", 200, {"Content-Length": "4"}


def two_types():
    answer = flask.Response("x")
    answer.headers.add("Content-Type", "text/plain")
    return answer


def vary():
    return "x", 200, {"Vary": "Accept", "X-Content-Type-Options": "off", "Cache-Control": "no-store"}


def url():
    return {"url": flask.url_for("userfunc_call"), "healthz": flask.url_for("healthz")}


def after_this():
    @flask.after_this_request
    def add(answer):
        answer.headers["X-After"] = "yes"
        return answer

    return "after"


class Callable:
    def __call__(self):
        return "an object"


instance = Callable()


def wants(argument):
    return argument


def optional(argument="default"):
    return argument


def session():
    flask.session["a"] = 1
    return "x"
