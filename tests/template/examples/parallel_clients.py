"""Many clients at once: processes, each with a database connection of its own, let loose at the same moment.

`kit.parallel` forks the test itself, which is simpler and enough where a lock decides. These clients are forked from an
interpreter that holds nothing else, connect first and begin closer together: without `FOR UPDATE` every run of theirs
loses updates, and only some of those with `kit.parallel` do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parents[3] / "template"
PATIENCE_SECONDS = 120  # on a busy machine; alone it takes a few seconds

# One interpreter imports everything and forks, because 16 interpreters take 16 times as long to start. A forked
# process opens a connection of its own (see `database`). All of them wait at the pipe `gate`, whose end is for all.
PROCESSES = """
import json, os, sys
from pathlib import Path
from kit.project import Project
from kit.serve.client import Client

template, results = Path(sys.argv[1]), Path(sys.argv[2])
sys.path += [str(template / "src"), str(template / "examples")]
plans = json.load(sys.stdin)
client = Client(Project(template))
for method, path, body in plans[0][:1]:
    client.get(path)  # loads the function
from helpers import fetch_one

ready, here = os.pipe()
gate, go = os.pipe()
children = []
for number, plan in enumerate(plans):
    if child := os.fork():
        children.append(child)
        continue
    os.close(go)
    backend = fetch_one("SELECT pg_backend_pid() AS pid")["pid"]
    os.write(here, b".")
    os.read(gate, 1)
    answers = [client.open(method, path, json=body) for method, path, body in plan]
    found = [[answer.status_code, answer.json if answer.data else None] for answer in answers]
    (results / str(number)).write_text(json.dumps([backend, found]))
    os._exit(0)
for _ in plans:
    os.read(ready, 1)
os.close(go)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""

Request = tuple[str, str, Any]  # method, path, body


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    json: Any


def at_once(plans: list[list[Request]], folder: Path) -> list[list[Answer]]:
    """Send the requests of each client one after the other, and all clients at the same time.

    Args:
        plans: The requests of each client. The pod is that of the fixture `pod`.
        folder: Where the processes may write.
    """
    results = folder / "results"
    results.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, str(TEMPLATE), str(results)],
        cwd=TEMPLATE,
        input=json.dumps(plans),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = [json.loads((results / str(number)).read_text()) for number in range(len(plans))]
    assert len({backend for backend, _ in found}) == len(plans), "some clients shared a connection"
    return [[Answer(status, body) for status, body in answers] for _, answers in found]
