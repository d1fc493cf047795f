"""Record what the real python/server.py answers: python tests/template/serve/record.py SERVER.PY [PYTHON].

SERVER.PY is that of fission/environments at image version 1.35.0 (commit 45815b4), PYTHON an interpreter, best 3.13
as in the image, that has the packages of its requirements.txt, which lie beside it. Writes observed/*.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import pods


def record(server: str, python: str) -> None:
    """Write one file per server mode."""
    (pods.HERE / "observed").mkdir(exist_ok=True)
    for mode in pods.MODES:
        found = {}
        with tempfile.TemporaryDirectory() as folder, pods.running([python, server], mode, Path(folder)) as pod:
            for case in pods.corpus():
                found[case["id"]] = pod.send(case)
                print(mode, case["id"], found[case["id"]]["status"])
        rows = [f"{json.dumps(name)}: {json.dumps(answer, sort_keys=True)}" for name, answer in found.items()]
        path = pods.HERE / "observed" / f"{mode}.json"
        path.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.executable)
