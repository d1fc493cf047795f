"""A pod's first request, from a fresh interpreter: Fission's environment, the function, one answer.

Run as a script with the folder of ``src``, the folder of the function, and the id of an item. Prints one line of
JSON: milliseconds since the first line of this file ran.
"""

import time

started = time.perf_counter()

import io  # noqa: E402 - the clock comes first
import json  # noqa: E402
import sys  # noqa: E402

from environment import Environment  # noqa: E402 - a script's own folder is its import path, as in the pod


def main(source: str, folder: str, itemid: str) -> None:
    """Load the function as the fetcher asks for it, call it once, say how long it took."""
    app = Environment()
    times = {"environment_ms": _now()}
    sys.path.append(source)
    order = json.dumps({"filepath": folder, "functionName": "example_crud.main"}).encode()
    _call(app, "POST", "/v2/specialize", order)
    times["loaded_ms"] = _now()
    answer = _call(app, "GET", "/", headers={"HTTP_X_FISSION_PARAMS_ITEMID": itemid})
    times["answered_ms"] = _now()
    if json.loads(answer)["id"] != itemid:
        raise SystemExit(f"wrong answer: {answer!r}")
    sys.stdout.write(json.dumps(times) + "\n")
    sys.stdout.flush()


def _now() -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _call(app: Environment, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8888",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **(headers or {}),
    }
    statuses: list[str] = []
    answer = b"".join(app(environ, lambda status, *_: statuses.append(status)))
    if not statuses[0].startswith("2"):
        raise SystemExit(f"{method} {path} was answered with {statuses[0]}: {answer!r}")
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])
