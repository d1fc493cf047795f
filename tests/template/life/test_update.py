"""A newer template is merged into an edited, renamed project; nothing is lost, and its tests stay green."""

from __future__ import annotations

import random
import re
import shutil
import stat
from pathlib import Path

import pytest
from kit import origin
from kit.rename import rename_in_place

from tests.template.life.versions import NEW, OLD, edit, everything, packed
from tools.workbench import unpack


@pytest.fixture
def project(delivered: Path) -> Path:
    return delivered


def test_a_new_project_is_what_its_manifest_says(project):
    found = origin.read(project)
    assert found.version == OLD
    assert {path: origin.checksum((project / path).read_bytes()) for path in found.files} == found.files
    rename_in_place(project, "blue-door")
    found = origin.read(project)
    assert {path: origin.checksum((project / path).read_bytes()) for path in found.files} == found.files


def test_an_untouched_project_becomes_what_the_new_archive_would_have_made(
    project, git, kit, new_archive, run_in, tmp_path
):
    done = kit("update", str(new_archive))
    assert done.returncode == 0, done.stdout + done.stderr
    unpacked = unpack(new_archive, tmp_path / "fresh")
    run_in(unpacked, "./create-project.sh", "acme-orders", str(tmp_path / "made"))
    fresh = everything(tmp_path / "made")
    del fresh["migrates/20260105000000_more.sql"]  # migrations are the team's own
    assert everything(project) == fresh
    assert "keep     migrates/20260105000000_more.sql  (a migration of the template" in done.stdout
    assert f"went from template {OLD} to {NEW}: 1 add, 5 replace, 1 delete, 1 keep" in done.stdout
    assert stat.S_IMODE((project / "create-project.sh").stat().st_mode) == 0o755
    git("add", "--all")
    git("commit", "--quiet", "--message", "Update the template")
    assert "nothing changes" in kit("update", str(new_archive)).stdout


def test_an_edited_project_keeps_its_edits_and_its_tests_stay_green(project, git, kit, make, new_archive):
    edit(project / "src/health.py", "def configuration_state()", "# the team's remark\ndef configuration_state()")
    edit(project / "README.md", "# acme-orders\n", "# The orders of ACME\n")
    edit(project / "src/settings.py", '"""', '"""Ours. ')
    (project / "MANIFEST.md").write_text("Our own notes.\n")
    (project / "examples/own.txt").write_text("not the template's\n")
    (project / "test/test_own.py").write_text(
        "def test_the_update_has_arrived(client):\n"
        "    assert client.get('/health').get_json()['template'] == 'acme-orders'\n"
    )
    (project / "src/params_notes.txt").write_text("x\n")
    shutil.rmtree(project / "manifests")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Our work")
    before = everything(project)
    rehearsal = kit("update", str(new_archive), "--dry-run")
    assert rehearsal.returncode == 0
    assert everything(project) == before, "a dry run changes nothing"

    done = kit("update", str(new_archive))
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[:-1] == rehearsal.stdout.splitlines()[:-1]
    lines = {path: kind for kind, path in re.findall(r"^(\w+) +(\S+)", done.stdout, re.M)}
    assert lines["src/health.py"] == "merge"
    assert lines["README.md"] == "conflict"
    assert lines["MANIFEST.md"] == "keep"
    assert lines["src/added_by_template.py"] == "add"
    assert "src/settings.py" not in lines, "only the team changed it"
    assert not any(path.startswith("manifests/") for path in lines), "what the team deleted stays deleted"
    health = (project / "src/health.py").read_text()
    assert "# the team's remark" in health
    assert '"template": "acme-orders"' in health
    readme = (project / "README.md").read_text()
    assert readme.startswith(
        f"<<<<<<< yours\n# The orders of ACME\n||||||| template {OLD}\n# acme-orders\n"
        f"=======\n# acme-orders, better\n>>>>>>> template {NEW}\n"
    )
    assert "decide 1 files by hand" in done.stderr
    assert (project / "MANIFEST.md").read_text() == "Our own notes.\n"
    assert (project / "src/settings.py").read_bytes() == before["src/settings.py"]

    done = make("test")
    assert done.returncode == 0, done.stdout[-3000:]
    git("reset", "--hard", "--quiet")
    git("clean", "--force", "-d", "--quiet")
    assert everything(project) == before, "the update is undone"


def test_lost_history_needs_the_old_archive_and_with_it_the_merge_is_the_same(
    project, git, kit, new_archive, old_archive
):
    edit(project / "src/health.py", "def configuration_state()", "# ours\ndef configuration_state()")
    git("checkout", "--quiet", "--orphan", "fresh")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Squashed")
    git("branch", "--delete", "--force", "--quiet", "main")
    before = everything(project)
    done = kit("update", str(new_archive))
    assert done.returncode == 1
    assert (
        f"changed by you and by the template: src/health.py. To merge them, the archive of version {OLD}" in done.stderr
    )
    assert everything(project) == before
    (project / origin.FILE).unlink()
    git("commit", "--quiet", "--all", "--message", "Without the manifest")
    assert "there is no .kit-manifest.json; give the archive" in kit("update", str(new_archive)).stderr
    done = kit("update", str(new_archive), "--base", str(old_archive))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^merge +src/health\.py$", done.stdout, re.M)
    assert origin.read(project).version == NEW


def test_binary_files_and_files_that_git_does_not_have_are_left_alone(project, git, kit, new_template, tmp_path):
    new = Path(shutil.copytree(new_template, tmp_path / "template"))
    for name in ("src/py.typed", "logo.bin"):
        (new / name).write_bytes(b"\0theirs")
    (new / "notes.log").write_text("theirs")
    edit(new / ".gitignore", ".env\n", ".env\n")
    (project / "logo.bin").write_bytes(b"\0ours")
    with (project / ".gitignore").open("a") as file:
        file.write("*.log\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "A binary file")
    (project / "notes.log").write_text("ours, ignored")
    done = kit("update", str(packed(new, tmp_path / "downloads", "tar.gz")))
    assert done.returncode == 1
    assert (project / "logo.bin").read_bytes() == b"\0ours"
    assert (project / f"logo.bin.template-{NEW}").read_bytes() == b"\0theirs"
    assert (project / "notes.log").read_text() == "ours, ignored"
    assert (project / f"notes.log.template-{NEW}").read_bytes() == b"theirs"
    assert "it is not text, so it cannot be merged" in done.stdout


def test_a_project_in_a_larger_repository_is_updated_and_its_neighbours_count(project, run, kit, new_archive):
    top = project.parent

    def git(*words: str) -> str:
        return run("git", "-c", "user.name=T", "-c", "user.email=t@example.com", *words, cwd=top).stdout

    (top / "neighbour.txt").write_text("1\n")
    edit(project / "src/health.py", "def configuration_state()", "# ours\ndef configuration_state()")
    git("init", "--quiet")
    git("add", "neighbour.txt", "acme-orders")
    git("commit", "--quiet", "--message", "Start")
    (top / ".git/info/exclude").write_text("unpacked\n")
    (top / "neighbour.txt").write_text("2\n")
    assert "these files are not committed: neighbour.txt" in kit("update", str(new_archive)).stderr
    git("checkout", "--", "neighbour.txt")
    done = kit("update", str(new_archive))
    assert done.returncode == 1, "the template's original was never committed here"
    assert "changed by you and by the template: src/health.py" in done.stderr
    git("checkout", "--quiet", "-b", "other")
    health = project / "src/health.py"
    health.write_text(health.read_text().replace("# ours\n", ""))
    git("commit", "--quiet", "--all", "--message", "As it was")
    git("checkout", "--quiet", "-")
    done = kit("update", str(new_archive))
    assert (done.returncode, "# ours" in health.read_text()) == (0, True), done.stderr


def test_whatever_both_sides_do_no_line_of_the_team_is_lost(project, git, kit, new_template, tmp_path):
    """Both sides change random lines of random files; each line that the team wrote is there afterwards."""
    chance = random.Random(20261122)
    new = Path(shutil.copytree(new_template, tmp_path / "template"))
    names = sorted(path.relative_to(new).as_posix() for path in (new / "src").glob("*.py"))
    written: list[tuple[str, str]] = []
    for number in range(60):
        name = chance.choice(names)
        for root, word in ((new, "theirs"), (project, "ours")):
            if (root / name).exists() and chance.random() < 0.7:
                lines = (root / name).read_text().splitlines(keepends=True)
                line = f"# {word} {number}\n"
                at = chance.randrange(len(lines) + 1)
                lines[at : at + chance.randrange(2)] = [line]
                (root / name).write_text("".join(lines))
                if word == "ours":
                    written = [(file, text) for file, text in written if text in "".join(lines) or file != name]
                    written.append((name, line))
    (new / names[0]).unlink()
    git("commit", "--quiet", "--all", "--message", "Random work")
    done = kit("update", str(packed(new, tmp_path / "downloads")))
    assert "Traceback" not in done.stderr
    assert " merge" in done.stdout
    assert " conflict" in done.stdout
    assert len(written) > 20
    for name, line in written:
        assert line in (project / name).read_text(), name
