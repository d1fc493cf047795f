"""The log of a pod whose environment has spoilt logging the way Fission's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .processes import TEMPLATE

# What server.py of the environment does before it loads a function (fission/environments, python/server.py), then a
# function that logs in every way that people use, and a library that floods.
POD = """
import logging, os, sys
sys.path += [os.path.join(sys.argv[1], "src"), sys.argv[2]]
from flask import Flask, current_app
app = Flask("server")
logging.getLogger().setLevel(logging.DEBUG)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
app.logger.addHandler(handler)

from helpers import entrypoint, set_up_logging
import own, library

set_up_logging(own.__file__)
set_up_logging()

@entrypoint
def main():
    logging.getLogger("x").info("info line")
    current_app.logger.info("app line")
    logging.getLogger("x").debug("debug from here")
    own.work()
    library.work()
    return {}

app.add_url_rule("/", view_func=main)
for _ in range(2):
    app.test_client().get("/", headers={"X-Fission-Request-Id": "r-1"})
"""
MODULE = "import logging\ndef work():\n    logging.getLogger('urllib3').debug('Authorization: Bearer abc')\n"


def lines_of_a_pod(folder: Path, level: str) -> list[dict[str, Any]]:
    configs = folder / "configs/default/fission-your-service-config"
    (folder / "secrets/default").mkdir(parents=True)
    configs.mkdir(parents=True)
    (configs / "LOG_LEVEL").write_text(level)
    own = folder / "own"
    (own / "library").mkdir(parents=True)
    (own / "own.py").write_text(MODULE.replace("Authorization: Bearer abc", "own debug"))
    (own / "library/__init__.py").write_text(MODULE)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", POD, str(TEMPLATE), str(own)],
        env={**os.environ, "FISSION_POD_ROOT": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_info_is_not_lost_and_no_line_is_doubled(tmp_path: Path):
    lines = lines_of_a_pod(tmp_path, "INFO")
    assert [line["msg"] for line in lines] == ["info line", "app line", "request"] * 2
    assert {line["fission.request.id"] for line in lines} == {"r-1"}


def test_debug_shows_the_services_own_lines_and_no_librarys(tmp_path: Path):
    messages = [line["msg"] for line in lines_of_a_pod(tmp_path, "DEBUG")]
    assert "own debug" in messages
    assert not [message for message in messages if "Authorization" in message]


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_a_higher_level_silences_the_lines_of_requests(tmp_path: Path, level: str):
    assert lines_of_a_pod(tmp_path, level) == []


def test_an_unknown_level_means_info(tmp_path: Path):
    assert len(lines_of_a_pod(tmp_path, "VERBOSE")) == 6
