"""The migration Job's image, built by hand from its Dockerfile, migrates a real database with the Secret's values."""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml
from kit import database, migrate
from kit.manifests.complete import objects
from kit.postgres import Server

from tests.template.life.conftest import Run


@pytest.fixture(scope="module")
def server():
    with Server.temporary() as server:
        yield server


@pytest.fixture
def image(project: Path, kit: Run, tmp_path: Path) -> tuple[Path, list[str]]:
    """Carry out the Dockerfile in a folder: its COPYs, its RUN in a virtual environment, its CMD."""
    assert kit("add", "crud").returncode == 0, "a service with a migration"
    app = tmp_path / "app"
    app.mkdir()
    venv.create(tmp_path / "venv", with_pip=True)
    command: list[str] = []
    for line in (project / "manifests/migrate.Dockerfile").read_text().splitlines():
        words = shlex.split(line, comments=True)
        match words:
            case ["COPY", source, target]:
                copy = shutil.copytree if (project / source).is_dir() else shutil.copy
                copy(project / source, app / target if copy is shutil.copytree else app)
            case ["RUN", "python", *rest]:
                done = subprocess.run([tmp_path / "venv/bin/python", *rest], cwd=app, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
            case ["CMD", *_]:
                command = yaml.safe_load(line.removeprefix("CMD "))
            case [] | ["FROM" | "WORKDIR" | "ENV" | "USER", *_]:
                pass
            case _:
                pytest.fail(f"this test does not know {line!r}")
    return app, command


def job(project: Path) -> dict:
    (document,) = objects(project / "manifests/migrate-job.yaml")
    return document["spec"]["template"]["spec"]


def test_the_job_s_command_migrates_with_the_secret_in_its_environment(project, image, tmp_path, server):
    app, command = image
    (container,) = job(project)["containers"]
    assert container["command"] == command
    ring = "k1:" + base64.b64encode(bytes(range(32))).decode()
    (tmp_path / "pod/etc/podinfo").mkdir(parents=True)
    (tmp_path / "pod/etc/podinfo/namespace").write_text("staging")
    with database.scratch(server.dsn) as db:
        place = "staging/fission-acme-orders-env/PG_PASS"
        encrypt = (
            "import sys, vault; print(vault.encrypt_vault(sys.argv[1], sys.argv[2], bound_to=sys.argv[3]), end='')"
        )
        sealed = subprocess.run(
            [sys.executable, "-c", encrypt, db["password"], ring, place],
            cwd=app / "src",
            capture_output=True,
            text=True,
        ).stdout
        assert sealed.startswith("vault:v2:k1:")
        secret = {"DATABASE_URL": "", "PG_HOST": db["host"], "PG_PORT": db["port"], "PG_DB": db["dbname"],
                  "PG_USER": db["user"], "PG_PASS": sealed, "PG_SSLMODE": "prefer", "VAULT_KEY": ring}  # fmt: skip
        env = {"PATH": f"{tmp_path}/venv/bin", "FISSION_POD_ROOT": str(tmp_path / "pod"), **secret}
        env |= {"PYTHONDONTWRITEBYTECODE": "1"}
        for path in [app, *app.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)  # readOnlyRootFilesystem
        done = subprocess.run([f"{tmp_path}/venv/bin/{command[0]}", *command[1:]], cwd=app, env=env,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert re.search(r"^applied 20260101000000$", done.stdout, re.M)
        assert migrate.verify(db, project / "migrates") == []
        assert not list(app.rglob("__pycache__"))
        env["FISSION_POD_ROOT"] = str(tmp_path)  # no such file there, so another namespace
        wrong = subprocess.run(
            [f"{tmp_path}/venv/bin/python", *command[1:]], cwd=app, env=env, capture_output=True, text=True
        )
        assert "PG_PASS: the vault value does not decrypt at default/" in wrong.stderr
        assert db["password"] not in done.stderr + wrong.stderr


def test_the_job_asks_for_no_rights_that_it_does_not_need(project):
    spec = job(project)
    (container,) = spec["containers"]
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    assert container["envFrom"][0] == {"secretRef": {"name": "fission-acme-orders-env"}}
    (pull,) = objects(project / "manifests/image-pull-secret.yaml")
    assert spec["imagePullSecrets"] == [{"name": pull["metadata"]["name"]}]
