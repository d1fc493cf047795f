"""Measure the template under load against its peers, and print ratios of one run.

Starts a PostgreSQL, the template's example behind the server of Fission's environment, and four peers, and asks
them in turn, in short rounds, so that what else happens on the machine hits all of them alike. Compare ratios,
never requests per second. Writes bench/results/runtime.json.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from bench import WORK, driver, report
from bench.quiet import Quiet

CONNECTIONS = (1, 10, 50)
NOISY = 0.1  # share of the processors in use by others, above which the ratios are rough

EXAMPLES = """examples (from the root of the repository, after `make bench` has set up bench/.venv):
  bench/.venv/bin/python -m bench.runtime                  about 3 minutes
  bench/.venv/bin/python -m bench.runtime --quick          about half a minute, rough figures, nothing is written
  bench/.venv/bin/python -m bench.runtime --case get       one case only, nothing is written
  bench/.venv/bin/python -m bench.runtime --rounds 9       steadier figures on a busy machine
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.runtime", __doc__, EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="one round of 1 s each, write nothing")
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (default 5)")
    parser.add_argument("--seconds", type=int, default=1, help="length of one turn in seconds (default 1)")
    parser.add_argument("--case", choices=("get", "list", "insert"), help="measure this case only, write nothing")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to wait, in all, for other programs to pause (default 60)"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds = options.seconds = 1
    try:
        results = measure(options.rounds, options.seconds, options.case, options.patience)
    except ImportError as error:
        print(report.explain_missing(error), file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"The measurement failed: {error}", file=sys.stderr)
        return 1
    print(show(results))
    if not (options.quick or options.case):
        print(f"\nWritten: bench/results/{report.save('runtime', results).name}")
    return 0


def measure(rounds: int, seconds: int, only: str | None = None, patience: float = 0) -> dict[str, Any]:
    """Run all cases and return what ``bench/results/runtime.json`` holds.

    Args:
        rounds: how often each contender has its turn, per number of connections.
        seconds: the length of a turn.
        only: key of the only case to run.
        patience: seconds to wait, in all, until nothing else keeps the machine busy.

    Raises:
        ImportError: a package of bench/requirements.txt is missing.
        RuntimeError: a server does not start, answers differently or with errors.
    """
    import bjoern  # noqa: F401 - fails early, with a hint, where `make bench` has not run

    from bench import cases, peers, stage

    WORK.mkdir(exist_ok=True)
    report.progress("starting PostgreSQL and the servers ...")
    gate = Quiet(patience)
    with stage.built() as ground, peers.running(peers.PEERS, ground.environment, WORK) as urls:
        chosen = [case for case in cases.build(ground, urls) if only in (None, case.key)]
        measured = {case.key: _measure(case, urls, rounds, seconds, gate) for case in chosen}
    report.progress_done()
    return {
        "script": "bench/runtime.py",
        **report.circumstances(),
        "postgresql": ground.database_version,
        "driver": driver.name(),
        "rounds": rounds,
        "seconds": seconds,
        "others": gate.others,
        "cases": {case.key: {"title": case.title, "loads": _summary(measured[case.key])} for case in chosen},
        "comparisons": [row for case in chosen for row in _comparisons(case, measured[case.key])],
    }


Measured = dict[str, dict[int, list[driver.Load]]]  # label, connections, one per round


def _measure(case: Any, urls: dict[str, str], rounds: int, seconds: int, gate: Quiet) -> Measured:
    loads: Measured = {contender.label: {number: [] for number in CONNECTIONS} for contender in case.contenders}
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        for turn in range(rounds):
            for connections in CONNECTIONS:
                gate.wait()
                # A B, then B A: a slow drift of the machine then cancels out
                for contender in case.contenders if turn % 2 == 0 else reversed(case.contenders):
                    url = urls[contender.server]
                    load = driver.run(url, contender.requests, connections, seconds, Path(work))
                    if load.failed:
                        raise RuntimeError(f"{contender.label}: {load.failed} answers of {case.key} were errors")
                    loads[contender.label][connections].append(load)
                    report.progress(
                        f"{case.title}, round {turn + 1} of {rounds}, {connections} connections, "
                        f"{contender.label}: {load.rps:,.0f}/s"
                    )
    return loads


def _summary(measured: Measured) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        label: {
            str(connections): {
                **{key: round(median(asdict(load)[key] for load in loads), 2) for key in ("rps", "p50_ms", "p99_ms")},
                "rounds": [round(load.rps) for load in loads],
            }
            for connections, loads in by_connections.items()
        }
        for label, by_connections in measured.items()
    }


def _comparisons(case: Any, measured: Measured) -> list[dict[str, Any]]:
    ours = measured[case.contenders[0].label]
    rows = []
    for label, target in case.targets.items():
        ratios = {
            str(connections): round(
                median(
                    us.rps / them.rps for us, them in zip(ours[connections], measured[label][connections], strict=True)
                ),
                3,
            )
            for connections in CONNECTIONS
        }
        met = {connections: ratio >= target for connections, ratio in ratios.items()} if target else None
        rows.append({"case": case.key, "against": label, "target": target, "ratios": ratios, "met": met})
    return rows


def show(results: dict[str, Any]) -> str:
    """Return the results as tables for a terminal."""
    blocks = []
    for key, case in results["cases"].items():
        heading = [case["title"], *(f"{number} conn." for number in CONNECTIONS), "target", "verdict"]
        rows = [heading]
        for row in results["comparisons"]:
            if row["case"] != key:
                continue
            ratios = [f"{row['ratios'][str(number)]:.2f}" for number in CONNECTIONS]
            rows.append([f"ours / {row['against']}", *ratios, _target(row), _verdict(row)])
        for label, loads in case["loads"].items():
            rates = [f"{loads[str(number)]['rps']:,.0f}/s" for number in CONNECTIONS]
            rows.append([f"  {label}", *rates, "", ""])
        blocks.append(report.table(rows))
    if results["others"] > NOISY:
        blocks.append(
            f"Other programs used {results['others']:.0%} of this machine meanwhile: measure again when it is idle."
        )
    return "\n\n".join(blocks)


def _target(row: dict[str, Any]) -> str:
    return f">= {row['target']:g}" if row["target"] else "-"


def _verdict(row: dict[str, Any]) -> str:
    if not row["met"]:
        return "-"
    missed = [connections for connections, met in row["met"].items() if not met]
    return f"missed at {', '.join(missed)}" if missed else "met"


if __name__ == "__main__":
    sys.exit(main())
