"""Draw docs/assets/bench-runtime.svg from bench/results/runtime.json.

One bar per server and number of connections; its length is the server's answers per second, with this template's
own at the same number of connections as 1. Text and axis take the colour of the page (currentColor), so the file is
readable in light and dark, inlined as well as in an <img>.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from bench import RESULTS, ROOT, report

SOURCE = RESULTS / "runtime.json"
CHART = ROOT / "docs" / "assets" / "bench-runtime.svg"

# Label in the results to what people read; the file bench/peers.py says more about each.
LABELS = {
    "bare": "bare limit",
    "ours": "this template",
    "fastapi_asyncpg": "FastAPI + asyncpg",
    "fastapi_asyncpg_total": "the same, with total",
    "sqlalchemy_gunicorn": "Flask + SQLAlchemy",
    "naive": "connect per request",
}

WIDTH = 760  # of the drawing, in SVG's units, as everything below
LEFT = 170  # where bars begin
RIGHT = 60  # room for the figure behind the longest bar
BAR, GAP, BLOCK = 9, 2, 12  # height of a bar, between bars, between servers
HEADING = 34
STYLE = """
    .bench-chart { font: 13px system-ui, sans-serif; }
    .bench-chart text { fill: currentColor; }
    .bench-chart .heading { font-weight: 600; }
    .bench-chart .figure { font-size: 10px; }
    .bench-chart .note { font-size: 11px; }
    .bench-chart .peer { fill: currentColor; opacity: 0.45; }
    .bench-chart .ours { fill: #2f81c7; }
    .bench-chart .one { stroke: currentColor; opacity: 0.5; stroke-dasharray: 3 3; }
    svg.bench-chart:root { color: #1f2328; }
    @media (prefers-color-scheme: dark) { svg.bench-chart:root { color: #e6edf3; } }"""
EXAMPLES = """examples:
  python -m bench.chart            draw the file anew
  python -m bench.chart --check    exit status 1 if the file is not what the results give
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.chart", __doc__, EXAMPLES)
    parser.add_argument("--check", action="store_true", help="write nothing, compare only")
    options = parser.parse_args(arguments)
    if not SOURCE.exists():
        print(f"{SOURCE.relative_to(ROOT)} is missing; run: python -m bench.runtime", file=sys.stderr)
        return 1
    drawn = draw(json.loads(SOURCE.read_text(encoding="utf-8")))
    name = CHART.relative_to(ROOT)
    if options.check:
        same = CHART.exists() and CHART.read_text(encoding="utf-8") == drawn
        if not same:
            print(f"{name} is not what the results give; run: python -m bench.chart", file=sys.stderr)
        return 0 if same else 1
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(drawn, encoding="utf-8")
    print(f"Written: {name}")
    return 0


def draw(results: dict[str, Any]) -> str:
    """Return the chart as SVG.

    Args:
        results: the content of bench/results/runtime.json.
    """
    relative = _relative(results)
    longest = max(value for case in relative.values() for bars in case.values() for value in bars.values())
    scale = (WIDTH - LEFT - RIGHT) / longest
    parts: list[str] = []
    y = 6
    for key, case in relative.items():
        y = _draw_case(parts, results["cases"][key]["title"], case, scale, y)
    parts.append(f'  <text class="note" x="0" y="{y + 14}">{escape(_note(results))}</text>')
    height = y + 24
    title = "Throughput of the template and its peers"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bench-chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="bench-runtime-title bench-runtime-desc">\n'
        f'  <title id="bench-runtime-title">{title}</title>\n'
        f'  <desc id="bench-runtime-desc">{escape(_description(results, relative))}</desc>\n'
        f"  <style>{STYLE}\n  </style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


Relative = dict[str, dict[str, dict[str, float]]]  # case, label, connections


def _relative(results: dict[str, Any]) -> Relative:
    """Return each contender's throughput with ours as 1, fastest first at ten connections."""
    found: Relative = {}
    for key, case in results["cases"].items():
        bars = {"ours": dict.fromkeys(case["loads"]["ours"], 1.0)}
        for row in results["comparisons"]:
            if row["case"] == key:
                bars[row["against"]] = {connections: 1 / ratio for connections, ratio in row["ratios"].items()}
        found[key] = dict(sorted(bars.items(), key=lambda item: -item[1]["10"]))
    return found


def _draw_case(parts: list[str], title: str, bars: dict[str, dict[str, float]], scale: float, y: int) -> int:
    """Add one case and return where the next one begins."""
    parts.append(f'  <text class="heading" x="0" y="{y + 15}">{escape(title)}</text>')
    y += HEADING - 10
    top = y
    for label, by_connections in bars.items():
        middle = y + len(by_connections) * (BAR + GAP) / 2 + 4
        parts.append(f'  <text x="{LEFT - 12}" y="{middle:.0f}" text-anchor="end">{escape(LABELS[label])}</text>')
        for connections, value in by_connections.items():
            length = value * scale
            parts.append(
                f'  <rect class="{"ours" if label == "ours" else "peer"}" x="{LEFT}" y="{y}" width="{length:.1f}" '
                f'height="{BAR}"/>'
            )
            figure = f"{value:.2f} at {connections}" if value != 1 else f"1 at {connections}"
            parts.append(f'  <text class="figure" x="{LEFT + length + 4:.1f}" y="{y + BAR - 1}">{figure}</text>')
            y += BAR + GAP
        y += BLOCK
    one = LEFT + scale
    parts.append(f'  <line class="one" x1="{one:.1f}" y1="{top - 4}" x2="{one:.1f}" y2="{y - BLOCK + 2}"/>')
    return y + 6


def _note(results: dict[str, Any]) -> str:
    return (
        "Answers per second, this template = 1, at 1, 10 and 50 connections. "
        f"Median of {results['rounds']} rounds, {results['cores']} cores, Python {results['python']}."
    )


def _description(results: dict[str, Any], relative: Relative) -> str:
    """Say in words what the bars show."""
    sentences = [_note(results)]
    for key, bars in relative.items():
        shown = (
            f"{LABELS[label]} " + ", ".join(f"{value:.2f} at {number}" for number, value in values.items())
            for label, values in bars.items()
            if label != "ours"
        )
        sentences.append(f"{results['cases'][key]['title']}: {'; '.join(shown)}.")
    return " ".join(sentences)


if __name__ == "__main__":
    sys.exit(main())
