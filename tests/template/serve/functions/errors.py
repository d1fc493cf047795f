"""What functions let escape."""

import flask
from werkzeug.exceptions import BadRequest, Conflict, HTTPException


class OwnError(Exception):
    pass


class OwnHttp(HTTPException):
    code = 409
    description = "taken"


def value_error():
    raise ValueError("a <secret> text")


def own():
    raise OwnError("mine")


def key_error():
    return {}["missing"]


def stop_iteration():
    raise StopIteration("odd")


def abort_404():
    flask.abort(404)


def abort_text():
    flask.abort(403, "not <you>")


def abort_418():
    flask.abort(418)


def abort_429():
    flask.abort(429)


def abort_unknown():
    flask.abort(499)


def abort_response():
    flask.abort(flask.make_response({"error": "own"}, 422))


def own_http():
    raise OwnHttp


def with_response():
    raise Conflict(response=flask.Response("conflict", 409, {"X-C": "1"}))


def bad_request():
    raise BadRequest("because")


def returned():
    return BadRequest("returned")


def assertion():
    assert flask.request.method == "NEVER", "wrong"


def recursion():
    return recursion()


def redirect_exception():
    from werkzeug.routing import RequestRedirect

    raise RequestRedirect("/new")


def handled():
    """Error handlers that a function registers are too late; Flask refuses."""

    @flask.current_app.errorhandler(ValueError)
    def never(error):
        return "handled"

    raise ValueError("x")
