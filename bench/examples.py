"""Measure the main operation of each example against a bare function with the same statements on the same server.

What the bare function leaves out is validation, models, errors, the log line and all else that Python does between the
round trips to PostgreSQL; so the ratio says how much of the possible an example reaches. Examples that are not there
are skipped. Writes bench/results/examples.json.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench import TEMPLATE, WORK, compare, driver, report
from bench.driver import PLACEHOLDER
from bench.quiet import Quiet

CONNECTIONS = (1, 10)
WARM_UP = (90_000_000, 90_000_001)  # see bench/servers/example_bare.py
SECRET = "a-secret-of-the-benchmark"  # not the secret of anything
NUMBER = PLACEHOLDER.decode()

EXAMPLES = """examples (from the root of the repository, after `make bench` has set up bench/.venv):
  bench/.venv/bin/python -m bench.examples                 about 3 minutes
  bench/.venv/bin/python -m bench.examples --quick         about half a minute, rough figures, nothing is written
  bench/.venv/bin/python -m bench.examples --case quota    one example only, nothing is written
"""

Send = Callable[..., Any]  # method, path, body, path variables -> JSON of the answer


@dataclass(frozen=True)
class Main:
    """The main operation of an example.

    Attributes:
        title: names it for people.
        prepare: makes what must be there before; returns the path with its variables.
        method: of the request.
        body: what is sent.
        headers: beside the usual ones.
        needs: packages without which the example cannot be measured.
    """

    title: str
    prepare: Callable[[Send], tuple[str, dict[str, str]]]
    body: dict[str, Any]
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def _nothing(path: str, **variables: str) -> Callable[[Send], tuple[str, dict[str, str]]]:
    return lambda _send: (path, variables)


def _quota(send: Send) -> tuple[str, dict[str, str]]:
    made = send("POST", "/quotas", {"user_id": "ada", "resource": "calls", "limit": 10**9})
    return f"/quotas/{made['id']}/consume", {"Consumeid": made["id"]}


def _user(send: Send) -> tuple[str, dict[str, str]]:
    made = send(
        "POST", "/ai/admin/users", {"tag": "ada", "name": "Ada", "email": "ada@example.org", "roles": ["analyst"]}
    )
    return f"/ai/admin/users/{made['id']}", {"Userid": made["id"]}


def _area(send: Send) -> tuple[str, dict[str, str]]:
    made = send("POST", "/storage", {"name": "bench"})
    return f"/storage/{made['id']}/files", {"Homeid": made["id"]}


PUSH = {"ref": "refs/heads/main"}
SIGNATURE = hmac.new(SECRET.encode(), json.dumps(PUSH).encode(), hashlib.sha256).hexdigest()

# What is measured, by the name of the example.
MAINS = {
    "crud": Main(
        "crud: create with an Idempotency-Key",
        _nothing("/items"),
        {"name": f"Bench {NUMBER}", "price": "12.50", "status": "active"},
        headers={"Idempotency-Key": f'"key-{NUMBER}"'},
    ),
    "webhook": Main(
        "webhook: take a signed delivery",
        _nothing("/webhooks/github", Source="github"),
        PUSH,
        headers={
            "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-4c93{NUMBER}",
            "X-GitHub-Event": "push",
            "X-Hub-Signature-256": f"sha256={SIGNATURE}",
        },
    ),
    "scheduler": Main(
        "scheduler: create a schedule",
        _nothing("/schedules"),
        {
            "name": f"Bench {NUMBER}",
            "cron": "*/5 * * * *",
            "launch": {"repository_location": "lab", "job": "train"},
        },
        needs=("cronsim", "cron_descriptor"),
    ),
    "quota": Main("quota: consume", _quota, {"amount": 1}),
    "storage": Main(
        "storage: announce an upload",
        _area,
        {"name": f"file {NUMBER}.txt", "content_type": "text/plain", "size_bytes": 10},
        needs=("boto3",),
    ),
    "users": Main("users: change one", _user, {"name": f"Ada {NUMBER}"}, method="PUT"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.examples", __doc__, EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="one round of 1 s each, write nothing")
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (default 5)")
    parser.add_argument("--seconds", type=int, default=1, help="length of one turn in seconds (default 1)")
    parser.add_argument("--case", choices=list(MAINS), help="measure this example only, write nothing")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to wait, in all, for other programs to pause (default 60)"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds = options.seconds = 1
    chosen = [options.case] if options.case else list(MAINS)
    results = report.attempt(lambda: measure(chosen, options.rounds, options.seconds, options.patience))
    print(compare.show(results))
    for name, reason in results["skipped"].items():
        print(f"\nskipped {name}: {reason}")
    if not (options.quick or options.case):
        print(f"\nWritten: bench/results/{report.save('examples', results).name}")
    return 0


def measure(chosen: Sequence[str], rounds: int, seconds: int, patience: float = 0) -> dict[str, Any]:
    """Measure some examples and return what ``bench/results/examples.json`` holds.

    Args:
        chosen: keys of ``MAINS``.
        rounds: how often each contender has its turn, per number of connections.
        seconds: the length of a turn.
        patience: seconds to wait, in all, until nothing else keeps the machine busy.

    Raises:
        ImportError: a package of bench/requirements.txt is missing.
        RuntimeError: a server does not start, or answers with an error.
    """
    import bjoern  # noqa: F401 - fails early, with a hint, where `make bench` has not run

    from bench import cases, stage

    WORK.mkdir(exist_ok=True)
    skipped = {name: reason for name in chosen if (reason := missing(name))}
    gate = Quiet(patience)
    measured: dict[str, compare.Measured] = {}
    done: list[cases.Case] = []
    with ExitStack() as stack:
        ground = stack.enter_context(stage.built())
        surroundings = {**ground.environment, "WEBHOOK_GITHUB_SECRETS": SECRET, **_store(stack, chosen, skipped)}
        for name in chosen:
            if name not in skipped:
                case, loads = _measure(name, surroundings, rounds, seconds, gate)
                done.append(case)
                measured[name] = loads
    report.progress_done()
    return {
        "script": "bench/examples.py",
        **report.circumstances(),
        "postgresql": ground.database_version,
        "driver": driver.name(),
        "rounds": rounds,
        "seconds": seconds,
        "others": gate.others,
        "skipped": skipped,
        **compare.results(done, measured),
    }


def missing(name: str) -> str | None:
    """Return why an example cannot be measured, or None if it can."""
    if not (TEMPLATE / "examples" / f"example_{name}.py").is_file():
        return "it is not there"
    packages = [package for package in MAINS[name].needs if importlib.util.find_spec(package) is None]
    return f"{', '.join(packages)} is not installed" if packages else None


def _store(stack: ExitStack, chosen: Sequence[str], skipped: dict[str, str]) -> dict[str, str]:
    """Start an object store if it is needed, and return its settings."""
    if "storage" not in chosen or "storage" in skipped:
        return {}
    from kit.errors import KitError
    from kit.objectstore import ObjectStore

    try:
        secrets, configs = stack.enter_context(ObjectStore.temporary()).settings("bench")
    except KitError as error:
        skipped["storage"] = str(error)
        return {}
    return {**secrets, **configs}


def _measure(
    name: str, surroundings: dict[str, str], rounds: int, seconds: int, gate: Quiet
) -> tuple[Any, compare.Measured]:
    from bench import cases, peers

    operation = MAINS[name]
    with peers.running(["example", "example_bare"], {**surroundings, "BENCH_EXAMPLE": name}, WORK) as urls:
        path, variables = operation.prepare(lambda *request: _send(urls["example"], *request))
        body = json.dumps(operation.body).encode()
        headers = {**_headers(path, variables), **operation.headers}
        for number in WARM_UP:  # the limit observes these; the example gets its own, so that none comes twice
            _send_raw(urls["example_bare"], operation.method, path, body, headers, number)
            _send_raw(urls["example"], operation.method, path, body, headers, number + 5_000_000)
        requests = [driver.build_request(operation.method, path, headers, body)]
        case = cases.Case(
            name,
            operation.title,
            [cases.Contender("ours", "example", requests), cases.Contender("bare", "example_bare", requests)],
            {"bare": None},
        )
        return case, compare.measure(case, urls, CONNECTIONS, rounds, seconds, gate)


def _headers(path: str, variables: dict[str, str]) -> dict[str, str]:
    from bench import cases

    given = {f"X-Fission-Params-{name}": value for name, value in variables.items()}
    return {**cases.HEADERS, "X-Fission-Full-Url": path, **given}


def _send(url: str, method: str, path: str, body: dict[str, Any]) -> Any:
    return _send_raw(url, method, path, json.dumps(body).encode(), _headers(path, {}), 0)


def _send_raw(url: str, method: str, path: str, body: bytes, headers: dict[str, str], number: int) -> Any:
    """Send one request and return the JSON of its answer.

    Raises:
        RuntimeError: it was answered with an error.
    """
    digits = b"%08d" % number
    filled = {key: value.replace(NUMBER, digits.decode()) for key, value in headers.items()}
    request = urllib.request.Request(
        url + path, body.replace(PLACEHOLDER, digits), {"Content-Type": "application/json", **filled}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")[:300]
        raise RuntimeError(f"{method} {path} was answered with {error.code}: {text}") from None


if __name__ == "__main__":
    sys.exit(main())
