"""`python -m kit env`: what stands in .env arrives in the functions, byte by byte, encrypted or not."""

from __future__ import annotations

import stat
import sys

import pytest
import yaml

ODD = 'ä "quoted" \\ # : {x} 100% 😀'


@pytest.fixture
def env_file(project):
    path = project / ".env"
    text = (project / ".env.example").read_text()
    text = text.replace("PG_HOST=", "PG_HOST=db.example.com").replace("PG_PASS=", f"PG_PASS='{ODD}'")
    path.write_text(text.replace("VAULT_KEY=", 'VAULT_KEY="' + "A" * 43 + "=\\nold:" + "B" * 43 + '="') + "EXTRA=1\n")
    return path


def test_the_manifest_holds_what_is_set_and_is_private(project, kit, env_file):
    done = kit("env", "--env", "staging")
    assert done.returncode == 0, done.stderr
    path = project / "manifests/env-staging.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret, config = yaml.safe_load_all(path.read_text())
    assert (secret["kind"], secret["metadata"]) == (
        "Secret",
        {"name": "fission-acme-orders-env", "namespace": "staging"},
    )
    assert secret["stringData"] == {
        "PG_HOST": "db.example.com",
        "PG_PASS": ODD,
        "VAULT_KEY": "A" * 43 + "=\nold:" + "B" * 43 + "=",
    }
    assert config["metadata"] == {"name": "fission-acme-orders-config", "namespace": "staging"}
    assert config["data"] == {"LOG_LEVEL": "INFO", "EXTRA": "1"}
    assert "not set in .env, so left out: DATABASE_URL, PG_PORT" in done.stderr
    assert ODD not in done.stdout + done.stderr


def test_git_does_not_take_what_holds_values(project, git, kit, env_file):
    kit("env")
    (project / ".env.staging").write_text("PG_PASS=x\n")
    assert git("status", "--porcelain").stdout == ""


def test_encrypted_values_open_in_a_pod_at_their_place_and_nowhere_else(project, run, kit, env_file, tmp_path):
    done = kit("env", "--env", "dev", "--encrypt", "--output", "manifests/dev.yaml")
    assert done.returncode == 0, done.stderr
    assert "VAULT_KEY is left out" in done.stderr
    text = (project / "manifests/dev.yaml").read_text()
    secret = next(yaml.safe_load_all(text))["stringData"]
    assert set(secret) == {"PG_HOST", "PG_PASS"}
    assert all(value.startswith("vault:v2:") for value in secret.values())
    assert kit("leaks").returncode == 0
    read = (sys.executable, "-c", "from settings import get_secret; print(get_secret('PG_PASS'))")

    def in_a_pod(namespace: str, value: str):
        root = tmp_path / f"pod-{namespace}"
        for name, content in (("fission-acme-orders-env/PG_PASS", value), ("keys/VAULT_KEY", "A" * 43 + "=")):
            path = root / "secrets" / namespace / name
            path.parent.mkdir(parents=True)
            path.write_text(content)
        pod = {"FISSION_POD_ROOT": str(root), "FISSION_VAULT_SECRET": "keys", "PYTHONPATH": str(project / "src")}
        return run(*read, env=pod)

    assert in_a_pod("dev", secret["PG_PASS"]).stdout == f"{ODD}\n"
    assert "does not decrypt at" in in_a_pod("prod", secret["PG_PASS"]).stderr


def test_vault_values_of_env_are_taken_over_and_checked(project, kit, env_file):
    value = kit("vault", "encrypt", "PG_PASS", "hidden").stdout.strip()
    assert value.startswith("vault:v2:")
    text = env_file.read_text().replace(f"PG_PASS='{ODD}'", f"PG_PASS={value}")
    env_file.write_text(text)
    done = kit("env", "--output", "-")
    assert next(yaml.safe_load_all(done.stdout))["stringData"]["PG_PASS"] == value
    done = kit("env", "--env", "staging", "--output", "-")  # another namespace, so another place
    assert (done.returncode, done.stdout) == (1, "")
    assert "PG_PASS: the vault value does not decrypt at staging/fission-acme-orders-env/PG_PASS" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        ((), None, r".env does not exist; start with: cp .env.example .env"),
        ((), "PG_HOST", ".env:1: expected KEY=value"),
        (("--env", "moon"), "PG_HOST=x", 'There is no stage "moon"'),
        (("--encrypt",), "PG_PASS=x", "there is no key for vault values"),
        (("--encrypt",), "VAULT_KEY=short\nPG_PASS=x", "line 1 of VAULT_KEY is not"),
        ((), "BIG=" + "x" * 1_100_000, "Kubernetes allows 1048576"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(project, kit, arguments, content, message):
    if content is not None:
        (project / ".env").write_text(content)
    before = set((project / "manifests").iterdir())
    done = kit("env", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert set((project / "manifests").iterdir()) == before
