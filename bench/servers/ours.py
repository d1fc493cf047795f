"""The template as it stands: its ``example_crud``, loaded as a pod loads it.

Validation, error mapping, logging and CORS are on; secrets and configuration are read from the pod's files, whose
place ``FISSION_POD_ROOT`` names.
"""

from __future__ import annotations

import sys

from bench import TEMPLATE
from bench.servers import environment

if __name__ == "__main__":
    app = environment.Environment()
    sys.path.append(str(TEMPLATE / "src"))  # in the pod, src/ and the function lie in one folder
    app.load(str(TEMPLATE / "examples"), "example_crud.main")
    environment.serve(app, int(sys.argv[1]))
