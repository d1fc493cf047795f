"""Deploying runs the right commands in the right order; each one is held against the recorded contract."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tools import ROOT

# Stands in for a program that needs a cluster: refuses what the recorded contract does not know, notes the rest.
STAND_IN = """#!{python}
import json, os, sys
sys.path.insert(0, {root!r})
from tools import contracts
words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
contracts.check(words)
with open({log!r}, "a") as log:
    config = os.environ.get("KUBECONFIG")
    log.write(json.dumps([words, config and open(config).read(), config and oct(os.stat(config).st_mode)]) + "\\n")
if words[:2] == ["kubectl", "create"]:
    print("job.batch/acme-orders-migrate-x7k2p")
elif words[:2] == ["kubectl", "get"]:
    print({condition!r})
sys.exit({status})
"""


@pytest.fixture
def cluster(tmp_path, project, kit):
    """Programs on the PATH, and what they were called with; the project has its uid."""
    kit("specs")
    folder, log = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()

    def install(condition: str = "Complete", status: int = 0) -> dict[str, str]:
        for name in ("fission", "kubectl"):
            text = STAND_IN.format(
                python=sys.executable, root=str(ROOT), log=str(log), condition=condition, status=status
            )
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    install.calls = lambda: [json.loads(line) for line in log.read_text().splitlines()]  # type: ignore[attr-defined]
    return install


def test_a_deployment_from_start_to_end(project, kit, make, cluster):
    (project / "manifests/staging.yaml").write_text("kind: Secret\n")
    env = cluster() | {"KUBECONFIG_CONTENT": "the content", "ENV": "staging", "MIGRATE": "1"}
    done = make("deploy", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    job = "job.batch/acme-orders-migrate-x7k2p"
    assert [words for words, _, _ in cluster.calls()] == [
        ["kubectl", "apply", "-n", "staging", "-f", "manifests/staging.yaml"],
        ["kubectl", "create", "-n", "staging", "-f", "manifests/migrate-job.yaml", "-o", "name"],
        ["kubectl", "get", job, "-n", "staging", "-o", "jsonpath={.status.conditions[*].type}"],
        ["kubectl", "logs", job, "-n", "staging"],
        ["fission", "spec", "apply", "--specdir", "specs", "--wait"],
    ]
    assert {(content, mode) for _, content, mode in cluster.calls()} == {("the content", "0o100600")}
    assert "the content" not in done.stdout + done.stderr
    assert "namespace: staging" in (project / "specs/package.yaml").read_text()
    package = next(
        line for line in (project / "specs/package.yaml").read_text().splitlines() if "name: acme-orders-" in line
    )
    assert (project / "dist" / f"{package.split()[-1]}.zip").is_file(), "the archive that the specs name is there"


def test_a_dry_run_calls_nothing(kit, cluster):
    done = kit("deploy", "--env", "dev", "--migrate", "--delete", "--dry-run", env=cluster())
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "+ fission spec apply --specdir specs --wait --delete"
    with pytest.raises(FileNotFoundError):
        cluster.calls()


def test_a_failed_migration_stops_the_deployment(kit, cluster):
    done = kit("deploy", "--env", "dev", "--migrate", env=cluster(condition="Failed"))
    assert done.returncode == 1
    assert (
        "job.batch/acme-orders-migrate-x7k2p in dev has failed, see its log above; nothing was deployed" in done.stderr
    )
    assert cluster.calls()[-1][0][:2] == ["kubectl", "logs"]


def test_a_failing_command_stops_the_deployment(kit, cluster):
    done = kit("deploy", "--env", "dev", env=cluster(status=3))
    assert done.returncode == 1
    assert "error: fission spec apply --specdir specs --wait ended with 3; nothing after it was done" in done.stderr


def test_a_pitfall_stops_the_deployment_before_the_cluster_sees_it(project, kit, cluster):
    path = project / ".fission/deployment.json"
    path.write_text(path.read_text().replace('"poolsize": 3', '"poolsize": "many"'))
    done = kit("deploy", "--env", "staging", env=cluster())
    assert done.returncode == 1
    with pytest.raises(FileNotFoundError):
        cluster.calls()


def test_without_a_committed_uid_nothing_is_deployed(project: Path, kit, cluster):
    (project / ".fission/uid").unlink()
    done = kit("deploy", "--env", "dev", env=cluster())
    assert done.returncode == 1
    assert ".fission/uid is missing; run `make specs` once and commit the file." in done.stderr


def test_a_missing_program_is_named_before_anything_is_changed(kit, cluster):
    env = cluster()
    Path(env["PATH"].partition(os.pathsep)[0], "fission").unlink()
    done = kit("deploy", "--env", "dev", "--migrate", env={"PATH": env["PATH"].partition(os.pathsep)[0]})
    with pytest.raises(FileNotFoundError):
        cluster.calls()
    assert done.returncode == 1
    assert "error: fission is not installed; it talks to the cluster" in done.stderr
