"""In a project made from the archive, `make check` is green on every supported Python that this machine has."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template.life.test_audit import VULNERABLE, osv, service
from tools import archive
from tools.workbench import environment, unpack

VERSIONS = ("3.11", "3.12", "3.13")


@functools.cache
def python(version: str) -> str | None:
    """Find an interpreter of this version: on the PATH, or one of pyenv's."""
    found = [shutil.which(f"python{version}"), getattr(sys, "_base_executable", sys.executable)]
    found += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")), reverse=True)
    for candidate in filter(None, found):
        code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if done.stdout.strip() == version:
            return candidate
    return None


@pytest.mark.parametrize("version", VERSIONS)
def test_make_check_is_green(version, built_site: Path, tmp_path: Path) -> None:
    interpreter = python(version)
    if not interpreter:
        pytest.skip(f"this machine has no Python {version}")
    unpacked = unpack(built_site / "downloads" / f"{archive.NAME}-{archive.version()}.zip", tmp_path)
    env = environment() | {"PYTHON": interpreter}

    def run(*command: str, cwd: Path, **more: str) -> str:
        done = subprocess.run(
            command, cwd=cwd, env=env | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    run("./create-project.sh", "acme-orders", "../acme-orders", cwd=unpacked)
    project = tmp_path / "acme-orders"
    # As `make setup` does, but by uv, which takes seconds; test_archive runs the real one.
    uv = str(Path(sys.executable).with_name("uv"))
    run(interpreter, "-m", "venv", ".venv", cwd=project)
    run(uv, "pip", "sync", "-q", "--require-hashes", "--python", ".venv", "dev-requirements.txt", cwd=project)
    (project / ".venv/.installed").touch()
    with service(osv(VULNERABLE)) as (url, _):
        said = run("make", "check", cwd=project, AUDIT_URL=url)
    for line in ("Success: no issues found", "0 secrets found", "went up", " passed", "0 known vulnerabilities"):
        assert line in said
