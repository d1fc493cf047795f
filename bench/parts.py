"""Where the processor time of one request goes: parts of the template are taken out, one at a time.

Measured in one process, without HTTP, as the least of many short turns that alternate, because the machine is shared.
Writes ``bench/results/parts.json``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from bench import TEMPLATE, WORK, report

EXAMPLES = """examples:
  bench/.venv/bin/python -m bench.parts
  bench/.venv/bin/python -m bench.parts --turns 40
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.parts", __doc__, EXAMPLES)
    parser.add_argument("--turns", type=int, default=20, help="turns for each variant (default 20)")
    options = parser.parse_args(arguments)
    try:
        least = measure(options.turns)
    except ImportError as error:
        print(report.explain_missing(error), file=sys.stderr)
        return 2
    whole = least["the template"]
    rows = [["GET one item by id", "CPU µs", "of the whole"]]
    rows += [[name, f"{least[name]:.0f}", f"{least[name] / whole:.2f}"] for name in least]
    print(report.table(rows))
    kept = {name: round(value / whole, 3) for name, value in least.items()}
    report.save("parts", {"script": "bench/parts.py", **report.circumstances(), "of_the_whole": kept})
    return 0


def measure(turns: int) -> dict[str, float]:
    """Return the processor time per request of each variant, microseconds."""
    from bench import stage
    from bench.servers.environment import Environment
    from bench.where import _sender

    WORK.mkdir(exist_ok=True)
    with stage.built() as ground, (WORK / "parts.log").open("w") as log:
        os.environ.update(ground.environment)
        sys.path.append(str(TEMPLATE / "src"))
        app = Environment()
        app.load(str(TEMPLATE / "examples"), "example_crud.main")
        senders = {name: _sender(found, "get", ground) for name, found in _others().items()}
        send = _sender(app, "get", ground)
        variants: dict[str, tuple[Callable[[], Any], Callable[[], None]]] = {
            name: (change, send) for name, change in _changes(app).items()
        }
        variants |= {name: (_nothing, other) for name, other in senders.items()}
        return _least(variants, turns, log)


def _others() -> dict[str, Any]:
    from bench.servers import bare
    from bench.servers.environment import Environment

    limit, floor = Environment(), Environment()
    limit.function = bare.main
    floor.function = lambda: "x"
    return {"the bare limit": limit, "Flask alone": floor}


def _changes(app: Any) -> dict[str, Callable[[], Any]]:
    import example_crud
    import handler
    from helpers import fetch_one

    with app.test_request_context("/"):
        row = fetch_one("SELECT * FROM items LIMIT 1")
    return {
        "the template": _nothing,
        "without its log line": lambda: patch.object(handler, "log_request", lambda *_: None),
        "without CORS": lambda: patch.object(handler, "cors_headers", dict),
        "without the statement": lambda: patch.object(example_crud, "fetch_one", lambda *_: row),
    }


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _least(variants: dict[str, tuple[Callable[[], Any], Callable[[], None]]], turns: int, log: Any) -> dict[str, float]:
    """Send in short turns that alternate, and return the quickest turn of each."""
    found = dict.fromkeys(variants, float("inf"))
    terminal, count = sys.stdout, 200
    for _ in range(turns):
        for name, (change, send) in variants.items():
            with change():
                sys.stdout = log  # the lines of the log cost what they cost in a pod
                for _ in range(20):
                    send()
                started = time.process_time()
                for _ in range(count):
                    send()
                spent = (time.process_time() - started) / count * 1e6
                sys.stdout = terminal
            found[name] = min(found[name], spent)
    return found


if __name__ == "__main__":
    sys.exit(main())
