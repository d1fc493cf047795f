"""An example as it stands, loaded as a pod loads it. ``BENCH_EXAMPLE`` in the environment names it."""

from __future__ import annotations

import os
import sys

from bench import TEMPLATE
from bench.servers import environment


def loaded() -> environment.Environment:
    """Return the application with the example's function."""
    app = environment.Environment()
    sys.path.append(str(TEMPLATE / "src"))  # in the pod, src/ and the function lie in one folder
    app.load(str(TEMPLATE / "examples"), f"example_{os.environ['BENCH_EXAMPLE']}.main")
    return app


if __name__ == "__main__":
    environment.serve(loaded(), int(sys.argv[1]))
