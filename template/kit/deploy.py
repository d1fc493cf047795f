"""`python -m kit deploy`: everything that one stage needs, in the right order."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from kit import project
from kit.errors import KitError

POLL_SECONDS = 3.0
JOB = "manifests/migrate-job.yaml"


@click.command("deploy")
@click.option("--env", "stage", required=True, metavar="STAGE", help="The stage, as in .fission/STAGE-deployment.json.")
@click.option("--migrate", is_flag=True, help=f"First run the Job of {JOB} and wait for its end.")
@click.option("--delete", is_flag=True, help="Also delete this project's objects that the specs no longer name.")
@click.option("--dry-run", is_flag=True, help="Write specs and archive, and print the other commands.")
def command(stage: str, migrate: bool, delete: bool, dry_run: bool) -> None:
    """Write specs and archive of a stage, apply its settings, migrate, and apply the specs.

    The cluster is that of kubectl. In CI, KUBECONFIG_CONTENT may hold a whole kubeconfig; it is written to a private
    file that is removed at the end.

    \b
    Examples:
      python -m kit deploy --env dev --dry-run
      python -m kit deploy --env staging --migrate
    """
    here = project.current()
    if not (here.root / ".fission" / "uid").is_file():
        raise KitError(
            ".fission/uid is missing; run `make specs` once and commit the file. Without it each deployment would take "
            "the objects of the last one for somebody else's"
        )
    for arguments in (["check", "--env", stage], ["specs", "--env", stage], ["package", "--env", stage]):
        _run([sys.executable, "-m", "kit", *arguments], here.root)
    namespace = _namespace(here.root, stage)
    first = list(_before(here.root, stage, namespace))
    if not dry_run:
        _refuse_without("fission", *(["kubectl"] if migrate or first else []))
    with _kubeconfig():
        for words in first:
            _run(words, here.root, dry_run=dry_run)
        if migrate:
            _migrate(here.root, namespace, dry_run=dry_run)
        words = ["fission", "spec", "apply", "--specdir", "specs", "--wait", *(["--delete"] if delete else [])]
        _run(words, here.root, dry_run=dry_run)


def _before(root: Path, stage: str, namespace: str) -> Iterator[list[str]]:
    """Yield what must be there before the functions: the stage's committed settings, if there are any."""
    if (root / "manifests" / f"{stage}.yaml").is_file():
        yield ["kubectl", "apply", "-n", namespace, "-f", f"manifests/{stage}.yaml"]


def _migrate(root: Path, namespace: str, *, dry_run: bool) -> None:
    name = _run(["kubectl", "create", "-n", namespace, "-f", JOB, "-o", "name"], root, dry_run=dry_run, capture=True)
    name = name or "job.batch/example"
    state = ["kubectl", "get", name, "-n", namespace, "-o", "jsonpath={.status.conditions[*].type}"]
    conditions = _run(state, root, dry_run=dry_run, capture=True)
    while not dry_run and not {"Complete", "Failed"} & set(conditions.split()):
        time.sleep(POLL_SECONDS)
        conditions = _run(state, root, capture=True, quiet=True)
    _run(["kubectl", "logs", name, "-n", namespace], root, dry_run=dry_run)
    if "Failed" in conditions.split():
        raise KitError(f"{name} in {namespace} has failed, see its log above; nothing was deployed")


def _namespace(root: Path, stage: str) -> str:
    from kit.specs.deployment import load_deployment

    return str(load_deployment(root, stage).settings.namespace)


def _refuse_without(*programs: str) -> None:
    """Refuse before anything is changed in the cluster, rather than half-way."""
    for name in programs:
        if not shutil.which(name):
            raise KitError(f"{name} is not installed; it talks to the cluster, see the guide's page on deployment")


@contextmanager
def _kubeconfig() -> Iterator[None]:
    content = os.environ.pop("KUBECONFIG_CONTENT", "")
    if not content:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:  # readable for this user alone
        path = Path(folder, "kubeconfig")
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        os.environ["KUBECONFIG"] = str(path)
        try:
            yield
        finally:
            del os.environ["KUBECONFIG"]


def _run(words: list[str], root: Path, *, dry_run: bool = False, capture: bool = False, quiet: bool = False) -> str:
    """Run a command in the project, with its words on the screen, and return its output if asked for.

    Raises:
        KitError: the program is missing, or it fails; what it said is on the screen.
    """
    shown = ["python" if word == sys.executable else word for word in words]
    if not quiet:
        click.echo(f"+ {shlex.join(shown)}")
    if dry_run:
        return ""
    done = subprocess.run(words, cwd=root, check=False, text=True, stdout=subprocess.PIPE if capture else None)
    if done.returncode:
        raise KitError(f"{shlex.join(shown)} ended with {done.returncode}; nothing after it was done")
    return (done.stdout or "").strip()
