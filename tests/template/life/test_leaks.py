"""Secrets in files that git takes are found, are not repeated, and nothing else is taken for one."""

from __future__ import annotations

import pytest

# Put together here, so that this file is no find for anybody's scanner.
SAMPLES = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an AWS access key": "key = 'AKIA" + "Z" * 16 + "'",
    "a GitHub token": "ghp_" + "a1" * 18,
    "a GitLab token": "glpat-" + "a1" * 10,
    "a Slack token": "xoxb-" + "1234567890-abc",
    "a Stripe key": "sk_live_" + "a1" * 10,
    "a Google API key": "AIza" + "a" * 35,
    "a key of an AI service": "sk-ant-" + "a1" * 20,
    "a key of the vault": "VAULT_KEY: k1:" + "A" * 43 + "=",
    "a password in a URL": "url = 'postgresql://me:" + "hunter22@db.example.com/x'",
}


def test_the_template_holds_none(kit):
    done = kit("leaks")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("files read, 0 secrets found\n")


@pytest.mark.parametrize("what", SAMPLES)
def test_each_kind_is_found_with_its_place_and_not_repeated(project, git, kit, what):
    (project / "src/notes.txt").write_text(f"first line\n{SAMPLES[what]}\n")
    done = kit("leaks")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"src/notes.txt:2: {what}"
    assert SAMPLES[what] not in done.stdout + done.stderr


def test_values_of_a_secret_manifest_are_found_unless_they_are_vault_values(project, kit):
    path = project / "manifests/secret.yaml"
    text = path.read_text()
    path.write_text(text.replace('PG_PASS: ""', "PG_PASS: vault:v2:k1:abc"))
    assert kit("leaks").returncode == 0
    path.write_text(text.replace('PG_PASS: ""', "PG_PASS: correct horse"))
    done = kit("leaks")
    line = path.read_text().splitlines().index("  PG_PASS: correct horse") + 1
    assert f"manifests/secret.yaml:{line}: the value of PG_PASS in a Secret; make it a vault value" in done.stderr
    path.write_text(text.replace('PG_PASS: ""', "PG_PASS: correct horse # leaks: allowed, for tests"))
    assert kit("leaks").returncode == 0


def test_what_git_ignores_is_not_read_and_what_was_added_by_force_is(project, git, kit):
    (project / ".env").write_text(SAMPLES["an AWS access key"])
    assert kit("leaks").returncode == 0
    git("add", "--force", ".env")
    assert ".env:1: .env is under version control; git rm --cached .env" in kit("leaks").stderr


@pytest.mark.parametrize(
    "line",
    [
        "postgresql://user:password@host:5432/db",
        "postgresql://${USER}:${PASS}@host/db",
        "postgresql://me:hunter22@127.0.0.1:5432/db",
        "sha256:" + "a1" * 32,
        "VAULT_KEY=",
        "ghp_short",
    ],
)
def test_what_only_looks_like_one_is_left_alone(project, kit, line):
    (project / "src/notes.txt").write_text(line)
    assert kit("leaks").returncode == 0


def test_binary_files_and_other_encodings_are_no_reason_to_stop(project, kit):
    (project / "src/logo.png").write_bytes(bytes(range(256)))
    assert kit("leaks").returncode == 0
