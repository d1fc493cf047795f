"""Measure the template under load against its peers, and print ratios of one run.

Starts a PostgreSQL, the template's example behind the server of Fission's environment, and four peers, and asks
them in turn, in short rounds, so that what else happens on the machine hits all of them alike. Compare ratios,
never requests per second. Writes bench/results/runtime.json.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bench import WORK, compare, driver, report
from bench.quiet import Quiet

CONNECTIONS = (1, 10, 50)

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
    results = report.attempt(lambda: measure(options.rounds, options.seconds, options.case, options.patience))
    print(compare.show(results))
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
        measured = {case.key: compare.measure(case, urls, CONNECTIONS, rounds, seconds, gate) for case in chosen}
    report.progress_done()
    return {
        "script": "bench/runtime.py",
        **report.circumstances(),
        "postgresql": ground.database_version,
        "driver": driver.name(),
        "rounds": rounds,
        "seconds": seconds,
        "others": gate.others,
        **compare.results(chosen, measured),
    }


if __name__ == "__main__":
    sys.exit(main())
