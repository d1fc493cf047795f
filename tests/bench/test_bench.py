"""The measuring scripts can be asked for help, and what is published is what was measured. Nothing is timed here."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from bench import RESULTS, ROOT, TEMPLATE, chart, driver, examples
from bench.servers import example_bare, statements

SCRIPTS = ["runtime", "cold_start", "vault", "parts", "where", "examples", "docs_speed", "chart"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_examples_that_can_be_typed(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{script}", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert f"-m bench.{script}" in done.stdout.partition("examples")[2]


@pytest.mark.skipif(importlib.util.find_spec("bjoern") is not None, reason="bjoern is installed here")
def test_a_missing_server_is_explained_with_the_command_that_helps() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.runtime", "--quick"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "make bench" in done.stderr
    assert "apt-get install gcc libev-dev" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_chart_is_drawn_from_the_results() -> None:
    drawn = chart.draw(json.loads(chart.SOURCE.read_text(encoding="utf-8")))

    assert chart.CHART.read_text(encoding="utf-8") == drawn, "run: python -m bench.chart"


def test_the_chart_follows_its_results() -> None:
    results = json.loads(chart.SOURCE.read_text(encoding="utf-8"))
    before = chart.draw(results)

    results["comparisons"][0]["ratios"]["10"] *= 2

    assert chart.draw(results) != before


def test_the_chart_says_in_words_what_its_bars_show() -> None:
    drawing = ElementTree.fromstring(chart.CHART.read_text(encoding="utf-8"))
    figures = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "figure"]
    described = drawing.findtext(f"{SVG}desc") or ""

    assert drawing.findtext(f"{SVG}title")
    assert figures
    assert [figure for figure in figures if figure not in described and not figure.startswith("1 at ")] == []


@pytest.mark.parametrize("name", ["runtime", "cold_start", "vault", "parts", "examples"])
def test_results_name_no_place_on_a_machine(name: str) -> None:
    text = (RESULTS / f"{name}.json").read_text(encoding="utf-8")

    assert not re.search(r"/(home|root|work|tmp|Users)/", text)


def test_every_verdict_of_the_results_follows_from_its_ratio() -> None:
    rows = json.loads((RESULTS / "runtime.json").read_text(encoding="utf-8"))["comparisons"]

    assert {row["case"] for row in rows} == {"get", "list", "insert"}
    for row in rows:
        if row["target"]:
            assert row["met"] == {number: ratio >= row["target"] for number, ratio in row["ratios"].items()}


def test_peers_run_the_statements_of_the_example() -> None:
    example = " ".join((TEMPLATE / "examples/example_crud.py").read_text(encoding="utf-8").split())

    assert " ".join(statements.INSERT.split()) in example
    assert f'"{statements.READ}%(id)s"' in example


def test_every_example_has_a_row_or_a_reason_why_it_has_none() -> None:
    here = {path.stem.split("_")[1] for path in (TEMPLATE / "examples").glob("example_*.py")}
    found = json.loads((RESULTS / "examples.json").read_text(encoding="utf-8"))

    assert set(examples.MAINS) >= here
    assert found["cases"].keys() | found["skipped"].keys() == set(examples.MAINS)
    assert {row["case"] for row in found["comparisons"]} == found["cases"].keys()


def test_an_example_that_is_not_there_or_lacks_a_package_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examples.missing("crud") is None
    monkeypatch.setitem(examples.MAINS, "storage", replace(examples.MAINS["storage"], needs=("no_such_package",)))
    assert examples.missing("storage") == "no_such_package is not installed"
    monkeypatch.setitem(examples.MAINS, "other", examples.MAINS["crud"])
    assert examples.missing("other") == "it is not there"


def test_the_limit_of_an_example_sends_what_never_repeats_anew() -> None:
    made_up, kept = "0b9f4f5e-6a45-4a36-9d0b-6f0c2f3f6a11", "5e3d3f2a-9a44-4c55-8a59-2c8f6f1f4d10"
    values = {"name": f"Bench {example_bare.OBSERVED}", "id": made_up, "other": [kept, 7, None]}

    assert list(example_bare.ids(values)) == [made_up]
    assert example_bare.renewed(values, {example_bare.OBSERVED: "00000007", made_up: "new"}) == {
        "name": "Bench 00000007",
        "id": "new",
        "other": [kept, 7, None],
    }


def test_a_request_of_the_driver_is_one_that_servers_understand() -> None:
    raw = driver.build_request("POST", "/items", {"X-User": "ada"}, b'{"name": "########"}')
    head, _, body = raw.partition(b"\r\n\r\n")

    assert head.split(b"\r\n")[0] == b"POST /items HTTP/1.1"
    assert f"Content-Length: {len(body)}".encode() in head
    assert driver.PLACEHOLDER in body
