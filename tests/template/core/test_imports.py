"""Cold start: what importing the core loads, in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .processes import TEMPLATE

HEAVY = {"boto3", "requests", "nacl", "psycopg2", "pydantic", "jwt", "sqlalchemy", "hypothesis", "pytest"}


def loaded_by(module: str) -> set[str]:
    code = f"import sys; sys.path += ['src', 'examples']; import {module}, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=TEMPLATE, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_helpers_load_nothing_that_the_environment_has_not_loaded_already():
    assert not loaded_by("helpers") & HEAVY


@pytest.mark.parametrize("module", ["example_crud", "health", "models", "paging", "params"])
def test_a_module_loads_at_most_pydantic(module: str):
    assert loaded_by(module) & HEAVY <= {"pydantic"}
