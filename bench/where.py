"""Show where the time of one request goes: our example in this process, without HTTP, under cProfile.

Prints the time per request without the profiler, then what each file and each function spends itself. The profiler
makes calls dearer than they are, so read it as an order, not as a measure.
"""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import TEMPLATE, WORK, driver, report

EXAMPLES = """examples:
  bench/.venv/bin/python -m bench.where get
  bench/.venv/bin/python -m bench.where list --requests 500 --functions 40
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.where", __doc__, EXAMPLES)
    parser.add_argument("case", choices=("get", "list", "insert"))
    parser.add_argument("--requests", type=int, default=2000, help="how many (default 2000)")
    parser.add_argument("--functions", type=int, default=25, help="how many functions to list (default 25)")
    options = parser.parse_args(arguments)
    try:
        print(explore(options.case, options.requests, options.functions))
    except ImportError as error:
        print(report.explain_missing(error), file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"The profile failed: {error}", file=sys.stderr)
        return 1
    return 0


def explore(case: str, count: int, functions: int) -> str:
    """Profile one case and return the tables.

    Args:
        case: get, list or insert.
        count: requests to send.
        functions: rows of the table of functions.

    Raises:
        RuntimeError: an answer was an error.
    """
    from bench import stage
    from bench.servers.environment import Environment

    WORK.mkdir(exist_ok=True)
    with stage.built() as ground, (WORK / "where.log").open("w") as log:
        os.environ.update(ground.environment)
        sys.path.append(str(TEMPLATE / "src"))
        app = Environment()
        app.load(str(TEMPLATE / "examples"), "example_crud.main")
        send = _sender(app, case, ground)
        terminal, sys.stdout = sys.stdout, log  # the lines of the log cost what they cost in a pod
        try:
            _repeat(send, count // 4)
            plain = _repeat(send, count)
            profile = cProfile.Profile()
            profile.enable()
            _repeat(send, count)
            profile.disable()
        finally:
            sys.stdout = terminal
    return f"{case}: {plain / count * 1e6:.0f} µs per request, of which the profiler sees\n\n" + _tables(
        profile, count, functions
    )


def _repeat(send: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        send()
    return time.perf_counter() - started


def _sender(app: Any, case: str, ground: Any) -> Callable[[], None]:
    """Return a function that calls the application as bjoern does, once."""
    from bench import cases

    targets = {"get": f"/items/{ground.ids[0]}", "list": f"/items?limit={cases.PAGE}", "insert": "/items"}
    target = targets[case]
    raw = cases.INSERTS[0].partition(b"\r\n\r\n")[2] if case == "insert" else b""
    headers = {**cases.HEADERS, "X-Fission-Full-Url": target}
    if case == "get":
        headers["X-Fission-Params-Itemid"] = ground.ids[0]
    parts = urlsplit(target)
    environ = {
        "REQUEST_METHOD": "POST" if raw else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8888",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + key.upper().replace("-", "_"): value for key, value in headers.items()},
    }
    if raw:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw))}
    number = 0

    def start_response(status: str, _headers: Any, _error: Any = None) -> None:
        if not status.startswith("2"):
            raise RuntimeError(f"the answer was {status}")

    def send() -> None:
        nonlocal number
        number += 1
        body = raw.replace(driver.PLACEHOLDER, b"%08d" % number)
        b"".join(app({**environ, "wsgi.input": io.BytesIO(body)}, start_response))

    return send


def _tables(profile: cProfile.Profile, count: int, functions: int) -> str:
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    files: dict[str, float] = defaultdict(float)
    rows = []
    for (file, line, name), (_, calls, own, total, _) in stats.items():
        place = _place(file)
        files[place] += own
        rows.append((own, f"{place}:{line} {name}" if line else name, calls, total))
    rows.sort(reverse=True)
    per = 1e6 / count
    by_file = sorted(files.items(), key=lambda item: -item[1])[:12]
    return "\n\n".join(
        [
            report.table([["file", "own µs"], *([place, f"{own * per:.1f}"] for place, own in by_file)]),
            report.table(
                [
                    ["function", "calls", "own µs", "with callees µs"],
                    *(
                        [name[:90], f"{calls / count:.1f}", f"{own * per:.1f}", f"{total * per:.1f}"]
                        for own, name, calls, total in rows[:functions]
                    ),
                ]
            ),
        ]
    )


def _place(file: str) -> str:
    if file == "~":
        return "C code"
    path = Path(file)
    if path.is_relative_to(TEMPLATE):
        return str(path.relative_to(TEMPLATE))
    return "/".join(path.parts[-2:])


if __name__ == "__main__":
    sys.exit(main())
