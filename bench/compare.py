"""Contenders are asked in turn, in short rounds, so that what else happens on the machine hits all of them alike."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from bench import WORK, driver, report
from bench.cases import Case
from bench.quiet import Quiet

NOISY = 0.1  # share of the processors in use by others, above which the ratios are rough

Measured = dict[str, dict[int, list[driver.Load]]]  # label, connections, one per round


def measure(
    case: Case, urls: dict[str, str], numbers_of_connections: Sequence[int], rounds: int, seconds: int, gate: Quiet
) -> Measured:
    """Ask all contenders of a case in turn, and return what each round measured.

    Args:
        case: what to ask.
        urls: of the running servers.
        numbers_of_connections: how many requests are on the way at a time; each number in turn.
        rounds: how often each contender has its turn, per number of connections.
        seconds: the length of a turn.
        gate: passed before the turns.

    Raises:
        RuntimeError: an answer was an error.
    """
    loads: Measured = {
        contender.label: {number: [] for number in numbers_of_connections} for contender in case.contenders
    }
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        for turn in range(rounds):
            for connections in numbers_of_connections:
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


def results(chosen: Sequence[Case], measured: dict[str, Measured]) -> dict[str, Any]:
    """Return the keys ``cases`` and ``comparisons`` of a file of results."""
    return {
        "cases": {case.key: {"title": case.title, "loads": _summary(measured[case.key])} for case in chosen},
        "comparisons": [row for case in chosen for row in _comparisons(case, measured[case.key])],
    }


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


def _comparisons(case: Case, measured: Measured) -> list[dict[str, Any]]:
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
            for connections in ours
        }
        met = {connections: ratio >= target for connections, ratio in ratios.items()} if target else None
        rows.append({"case": case.key, "against": label, "target": target, "ratios": ratios, "met": met})
    return rows


def show(found: dict[str, Any]) -> str:
    """Return the results as tables for a terminal."""
    blocks = []
    for key, case in found["cases"].items():
        numbers = list(next(iter(case["loads"].values())))
        heading = [case["title"], *(f"{number} conn." for number in numbers), "target", "verdict"]
        rows = [heading]
        for row in found["comparisons"]:
            if row["case"] != key:
                continue
            ratios = [f"{row['ratios'][number]:.2f}" for number in numbers]
            rows.append([f"ours / {row['against']}", *ratios, _target(row), _verdict(row)])
        for label, loads in case["loads"].items():
            rates = [f"{loads[number]['rps']:,.0f}/s" for number in numbers]
            rows.append([f"  {label}", *rates, "", ""])
        blocks.append(report.table(rows))
    if found["others"] > NOISY:
        blocks.append(
            f"Other programs used {found['others']:.0%} of this machine meanwhile: measure again when it is idle."
        )
    return "\n\n".join(blocks)


def _target(row: dict[str, Any]) -> str:
    return f">= {row['target']:g}" if row["target"] else "-"


def _verdict(row: dict[str, Any]) -> str:
    if not row["met"]:
        return "-"
    missed = [connections for connections, met in row["met"].items() if not met]
    return f"missed at {', '.join(missed)}" if missed else "met"
