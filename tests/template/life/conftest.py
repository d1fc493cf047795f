"""Projects made from the template, and a shell for their commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.create import create

from tests.template.life.versions import NEW, OLD, copy_of_template, edit, packed
from tools.workbench import unpack

TEMPLATE = Path(__file__).resolve().parents[3] / "template"
VENV = Path(sys.executable).parent.parent
_OURS = re.compile(
    r"DATABASE_URL|PG[A-Z_]*|VAULT_KEY|AUDIT_URL|KUBECONFIG.*|PYTEST_.*|MAKE.*|MFLAGS|FISSION_.*|PYTHONPATH"
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """What a developer's shell has, without settings of this run."""
    return {name: value for name, value in os.environ.items() if not _OURS.fullmatch(name)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project called acme-orders."""
    create(TEMPLATE, "acme-orders", tmp_path / "acme-orders")
    return tmp_path / "acme-orders"


@pytest.fixture
def run(project: Path, clean_environment: dict[str, str]) -> Run:
    """Run a command in the project."""

    def run(*words: str, env: dict[str, str] | None = None, cwd: Path = project) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=cwd, env=clean_environment | (env or {}), capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def kit(run: Run) -> Run:
    """Run `python -m kit` in the project."""
    return lambda *words, **options: run(sys.executable, "-m", "kit", *words, **options)


@pytest.fixture
def make(run: Run) -> Run:
    """Run `make` in the project, with the virtual environment of this run instead of one of its own."""
    ready = ("--old-file", f"{VENV}/.installed", f"VENV={VENV}")  # nothing is installed into it
    return lambda *words, **options: run("make", *words, *ready, **options)


@pytest.fixture
def git(run: Run, project: Path) -> Run:
    """Run git in the project, which is a repository with one commit."""
    options = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        done = run("git", *options, *words)
        assert done.returncode == 0, done.stderr
        return done

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Start from the template")
    return git


@pytest.fixture(scope="session")
def old_template(tmp_path_factory) -> Path:
    return copy_of_template(tmp_path_factory.mktemp("old"), OLD)


@pytest.fixture(scope="session")
def old_archive(old_template, tmp_path_factory) -> Path:
    return packed(old_template, tmp_path_factory.mktemp("old-archive"))


@pytest.fixture(scope="session")
def new_template(old_template, tmp_path_factory) -> Path:
    """The next version: files changed, added and removed."""
    new = Path(shutil.copytree(old_template, tmp_path_factory.mktemp("new") / "template"))
    edit(new / "kit/__init__.py", OLD, NEW)
    edit(new / "src/health.py", '"alive": True,', '"alive": True, "template": "your-service",')
    edit(new / "src/params.py", '"""', '"""Better. ')
    edit(new / "README.md", "# your-service\n", "# your-service, better\n")
    edit(new / "Makefile", "# The project's commands.", "# The better project's commands.")
    (new / "src/added_by_template.py").write_text('"""Made for your-service."""\n')
    (new / "create-project.sh").chmod(0o755)
    (new / "MANIFEST.md").unlink()
    (new / "migrates/20260105000000_more.sql").write_text("-- migrate:up\n-- migrate:down\n")
    return new


@pytest.fixture(scope="session")
def new_archive(new_template, tmp_path_factory) -> Path:
    return packed(new_template, tmp_path_factory.mktemp("new-archive"))


@pytest.fixture
def delivered(old_archive, run_in, tmp_path) -> Path:
    """A project that was made from the old archive with create-project.sh, under another name."""
    unpacked = unpack(old_archive, tmp_path / "unpacked")
    done = run_in(unpacked, "./create-project.sh", "acme-orders", str(tmp_path / "acme-orders"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "acme-orders"


@pytest.fixture
def run_in(clean_environment) -> Callable:
    def run(folder: Path, *words: str):
        env = clean_environment | {"PYTHON": sys.executable}
        return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)

    return run
