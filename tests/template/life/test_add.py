"""Examples become part of a project: all of it or nothing, green afterwards, and still open to updates."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from kit import adopt, changes
from kit.create import create
from kit.errors import KitError
from kit.rename import rename_in_place

from tests.template.life.versions import NEW, OLD, TEMPLATE, edit, everything, packed

HERE = sorted(path.name for path in (TEMPLATE / "examples").glob("example_*.py"))
EXAMPLES = adopt.examples({f"examples/{name}": b"" for name in HERE})
# The project's own commands, in the virtual environment of this run.
CHECKS = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "mypy"),
    ("-m", "kit", "check", "--env", "dev"),
    ("-m", "kit", "env", "--check"),
    ("-m", "kit", "specs", "--env", "dev"),
    ("-m", "kit", "specs", "--env", "dev", "--check"),
    ("-m", "kit", "migrate", "verify", "--replay"),
    ("-m", "pytest", "-q"),
)


def python(run, *words, root: Path) -> str:
    done = run(sys.executable, *words, cwd=root)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def expected_after(project: Path, *names: str) -> dict[str, bytes]:
    files = everything(project)
    after = {**files, **adopt.adopt(files, names)}
    return {path: content for path, content in after.items() if content is not None}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_green_in_src(kit, run, project, name):
    expected = expected_after(project, name)
    done = kit("add", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(project) == expected
    assert f"wrote src/example_{name}.py" in done.stdout
    assert kit("add", "--list").stdout.count(" src/ ") == 1
    for words in (("-m", "kit", "check"), ("-m", "kit", "env", "--check"), ("-m", "kit", "specs")):
        python(run, *words, root=project)
    tests = sorted(f"test/{path.name}" for path in (project / "test").glob(f"test_example_{name}*.py"))
    assert tests
    python(run, "-m", "pytest", "-q", *tests, root=project)


def test_a_project_with_all_examples_in_src_is_green(run, tmp_path):
    create(TEMPLATE, "acme-orders", tmp_path / "made", examples=EXAMPLES)
    assert not (tmp_path / "made/examples").exists()
    for words in CHECKS:
        python(run, *words, root=tmp_path / "made")


def test_a_project_without_examples_is_green_once_their_settings_are_gone(run, kit, project):
    shutil.rmtree(project / "examples")
    told = kit("env", "--check").stderr
    sentence = r"^(\S+):(\d+) names the (?:secret|config) (\w+), which no code reads; remove it there$"
    lines = re.findall(sentence, told, re.M)
    assert len(lines) == len(told.splitlines()) > 0
    for file in {file for file, _, _ in lines}:
        text = (project / file).read_text().splitlines()
        for number in sorted((int(number) for one, number, _ in lines if one == file), reverse=True):
            del text[number - 1]
        (project / file).write_text("\n".join(text) + "\n")
    for words in CHECKS:
        python(run, *words, root=project)
    assert kit("add", "--list").stdout.count("absent") == len(adopt.NAMES)


def test_what_is_in_the_way_is_named_and_nothing_is_written(kit, project):
    (project / "test/test_example_crud.py").write_text("mine\n")
    (project / "src/example_quota_models.py").mkdir()
    before = everything(project)
    done = kit("add", "crud")
    assert done.returncode == 1
    assert done.stderr.startswith("error: test/test_example_crud.py exists and is another file; move it away")
    done = kit("add", "webhook", "quota")
    assert done.returncode == 1
    assert done.stderr == f"error: {project}/src/example_quota_models.py is no file; move it away\n"
    assert everything(project) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "there is no example 'nothing'; there are: crud, "),
        (["quota", "nothing"], "there is no example 'nothing'; there are: crud, "),
        ([], "name an example; there are: crud, "),
        (["crud", "--from", "nowhere.zip"], "nowhere.zip cannot be read: No such file or directory"),
        (["crud", "--from", "pytest.ini"], "pytest.ini is neither a zip nor a tar.gz"),
        (["crud", "--from", "src"], "the current name cannot be found"),
        (["crud", "--from", "."], "the project has examples/example_crud.py itself; add it without --from"),
    ],
)
def test_a_wrong_command_is_one_error_and_changes_nothing(kit, project, words, message):
    before = everything(project)
    done = kit("add", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert message in done.stderr
    assert everything(project) == before


def test_adding_twice_says_so(kit, project):
    kit("add", "crud")
    before = everything(project)
    assert kit("add", "crud").stderr == "error: the example crud is in src/ already\n"
    assert everything(project) == before


def test_a_dry_run_lists_what_would_happen_and_changes_nothing(kit, project):
    before = everything(project)
    told = kit("add", "crud", "--dry-run").stdout
    assert everything(project) == before
    written = re.findall(r"^would write (\S+)$", told, re.M)
    after = expected_after(project, "crud")
    assert written == sorted(path for path in after if before.get(path) != after[path])
    assert f"would remove {len(before.keys() - after.keys())} files from examples/" in told


def test_settings_and_packages_are_named(kit, project):
    (project / "examples/example_parcel.py").write_text(
        '"""Parcels."""\n\nfrom helpers import get_config, get_secret\n\n'
        'get_secret("PARCEL_KEY")\nget_config("PARCEL_URL")\n'
    )
    (project / "examples/requirements/parcel.in").write_text("# For parcels.\nboto3==1.44.5\n")
    (project / "examples/requirements/parcel.txt").write_text("boto3==1.44.5 \\\n    --hash=sha256:aa\n")
    told = kit("add", "parcel").stdout
    assert "  secrets that are read now, from .env and in the cluster: PARCEL_KEY\n" in told
    assert "  configs that are read now, from .env and in the cluster: PARCEL_URL\n" in told
    assert "  pip packages were added: boto3; run: make setup\n" in told
    assert (project / "requirements.in").read_text().endswith("\nboto3==1.44.5\n")
    assert (project / "src/requirements.txt").read_text().endswith("\nboto3==1.44.5 \\\n    --hash=sha256:aa\n")
    (project / "examples/example_other.py").write_text('"""Another."""\n')
    (project / "examples/requirements").mkdir(exist_ok=True)
    (project / "examples/requirements/other.txt").write_text("nobody-has-it==1\n")
    assert "pip packages were added: nobody-has-it; run: make lock setup\n" in kit("add", "other").stdout


def test_who_may_call_the_routes_is_said_where_there_are_any(kit, project):
    sentence = "  who may call the routes: anybody who reaches the router; protect them at your gateway\n"
    assert sentence in kit("add", "users").stdout
    (project / "examples/example_parcel.py").write_text('"""Parcels, without a route."""\n')
    assert "who may call" not in kit("add", "parcel").stdout


class Stopped:
    """Let the n-th move or removal of a file fail."""

    def __init__(self, monkeypatch, number, fail):
        self.left, self.fail = number, fail
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, self._counting(getattr(Path, name)))

    def _counting(self, action):
        def counted(place, *arguments, **options):
            self.left -= 1
            if self.left == 0:
                self.fail(place)
            return action(place, *arguments, **options)

        return counted


def full(place):
    raise OSError(28, "No space left on device", str(place))


def interrupted(_place):
    raise KeyboardInterrupt


def terminated(_place):
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def heard():
    """What handles SIGTERM meanwhile, so that one that nobody else handles does not end this run."""

    def heard(_number, _frame):
        pass

    before = signal.signal(signal.SIGTERM, heard)
    yield heard
    signal.signal(signal.SIGTERM, before)


def _completed(project, wanted) -> bool:
    try:
        changes.write(project, wanted)
    except KitError as error:
        return "nothing was changed" not in str(error)
    return True


@pytest.mark.parametrize("fail", [full, interrupted, terminated])
def test_whatever_goes_wrong_in_the_middle_leaves_the_project_as_it_was(project, monkeypatch, fail, heard):
    with (project / "src/requirements.txt").open("a") as file:
        file.write("# ours")  # so that appending does more than appending
    shutil.rmtree(project / "test")  # so that a folder has to be made
    before = everything(project)
    wanted = adopt.adopt(changes.read(project, *adopt.PLACES), EXAMPLES)
    number = 0
    while True:
        number += 1
        with monkeypatch.context() as patch:
            stopped = Stopped(patch, number, fail)
            done = _completed(project, wanted)
            if stopped.left > 0:
                break
            assert not done
        assert everything(project) == before, number
        assert not (project / "test").exists()
    assert number > len(wanted)
    assert everything(project) != before
    assert signal.getsignal(signal.SIGTERM) is heard


def test_after_a_kill_the_same_command_completes_it(project, run, kit):
    expected = expected_after(project, "crud", "webhook")
    code = (
        "import os, sys\nfrom pathlib import Path\nleft = int(sys.argv.pop(1))\n"
        "def counted(action):\n    def call(*a, **k):\n        global left\n        left -= 1\n"
        "        if not left:\n            os.kill(os.getpid(), 9)\n        return action(*a, **k)\n    return call\n"
        "Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)\n"
        "from kit.cli import main\nmain()\n"
    )
    for number in (1, 3, 9):
        done = run(sys.executable, "-c", code, str(number), "add", "crud", "webhook")
        assert done.returncode == -9
    done = kit("add", "crud", "webhook")
    assert done.returncode == 0, done.stderr
    assert everything(project) == expected


def test_a_removed_library_is_taken_from_the_archive_or_from_a_folder(kit, project, tmp_path):
    expected = expected_after(project, "crud", "quota")
    expected = {path: content for path, content in expected.items() if not path.startswith("examples/")}
    shutil.rmtree(project / "examples")
    done = kit("add", "crud", "--from", str(packed(TEMPLATE, tmp_path / "downloads", "tar.gz")))
    assert (done.returncode, done.stderr) == (0, "")
    assert "removed" not in done.stdout
    create(TEMPLATE, "blue-door", tmp_path / "other")
    done = kit("add", "quota", "--from", str(tmp_path / "other"))
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(project) == expected


def test_an_archive_of_another_version_is_noted(delivered, run_in, new_archive):
    shutil.rmtree(delivered / "examples")
    done = run_in(delivered, sys.executable, "-m", "kit", "add", "crud", "--from", str(new_archive))
    assert done.returncode == 0
    assert done.stderr == f"note: {new_archive} is template {NEW}, and this project comes from {OLD}\n"


def test_renaming_and_adding_in_any_order_give_the_same(project, kit, tmp_path):
    kit("add", "crud", "webhook")
    rename_in_place(project, "blue-door")
    create(TEMPLATE, "blue-door", tmp_path / "fresh", examples=["webhook", "crud"])
    assert everything(project) == everything(tmp_path / "fresh")


@pytest.fixture
def newer(new_template, tmp_path) -> Path:
    """A template that has changed an example, and given it one more module."""
    new = Path(shutil.copytree(new_template, tmp_path / "newer"))
    edit(new / "examples/example_crud_models.py", '"""', '"""Better. ')
    edit(new / "examples/example_quota_models.py", '"""', '"""Better. ')
    edit(new / "src/requirements.txt", "# This file", "# This better file")
    (new / "examples/example_crud_more.py").write_text('"""More."""\n')
    (new / "examples/migrates/20260101000001_example_crud_more.sql").write_text("-- migrate:up\n-- migrate:down\n")
    return packed(new, tmp_path / "downloads")


def test_an_update_leaves_an_added_example_alone_and_says_what_is_new(delivered, run_in, newer):
    def kit(*words):
        return run_in(delivered, sys.executable, "-m", "kit", *words)

    def git(*words):
        done = run_in(delivered, "git", "-c", "user.name=T", "-c", "user.email=t@example.com", *words)
        assert done.returncode == 0, done.stderr

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Start")
    kit("add", "crud")
    edit(delivered / "src/example_crud.py", '"""', '"""Ours. ')
    git("add", "--all")
    git("commit", "--quiet", "--message", "Add crud")
    before = everything(delivered)
    done = kit("update", str(newer))
    assert done.returncode == 0, done.stdout + done.stderr
    note = r"  \(the example crud is yours since you added it to src/; the template has changed its own\)$"
    for path in ("example_crud_models.py", "example_crud_more.py", "migrates/20260101000001_example_crud_more.sql"):
        assert re.search(rf"^keep +examples/{re.escape(path)}{note}", done.stdout, re.M), done.stdout
        assert not (delivered / "examples" / path).exists()
    assert not re.search(r"examples/\S*crud\.py", done.stdout), "what neither side has changed is not worth a line"
    after = everything(delivered)
    assert {path for path in after if "example_crud" in path} == {path for path in before if "example_crud" in path}
    assert all(after[path] == before[path] for path in after if "example_crud" in path)
    assert after["examples/example_quota_models.py"].startswith(b'"""Better. '), "the library is still the template's"
    git("add", "--all")
    git("commit", "--quiet", "--message", "Update")
    assert "nothing changes" in kit("update", str(newer)).stdout
    shutil.rmtree(delivered / "examples")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Remove the library")
    assert "nothing changes" in kit("update", str(newer)).stdout
