"""Archives hold what the pod needs, under the right names, always as the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from kit.errors import KitError
from kit.package import build
from kit.specs.archive import collect, package_name
from kit.specs.deployment import load_deployment
from kit.specs.errors import SpecErrors
from kit.specs.wheels import applicable

from tests.template.specs.sample import TEMPLATE, merge_settings, module


def names(root: Path) -> list[str]:
    return [entry.name for entry in collect(load_deployment(root))]


def name(root: Path, stage: str | None = None) -> str:
    deployment = load_deployment(root, stage)
    return package_name(deployment, collect(deployment))


def test_the_folders_contents_lie_at_the_root(project):
    (project / "src" / "shop").mkdir()
    (project / "src" / "shop" / "orders.py").write_text("")
    (project / "examples").mkdir()
    (project / "examples" / "demo.py").write_text("")
    assert names(project) == ["build.sh", "requirements.txt", "shop/orders.py"]
    merge_settings(project, {"package": {"folders": ["src", "examples"]}})
    assert names(project) == ["build.sh", "demo.py", "requirements.txt", "shop/orders.py"]


def test_caches_tests_and_hidden_files_stay_behind(project):
    unwanted = [
        "__pycache__/a.pyc",
        "a.pyc",
        ".env",
        ".git/config",
        "test_a.py",
        "conftest.py",
        "tests/a.py",
        "test/a.py",
    ]
    unwanted += ["shop/tests/data.json", "shop/__pycache__/b.py"]
    for path in [*unwanted, "shop/data.json", "testing.py"]:
        (project / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        (project / "src" / path).write_text("")
    assert names(project) == ["build.sh", "requirements.txt", "shop/data.json", "testing.py"]


def test_the_same_files_give_the_same_bytes(project, tmp_path):
    first = build(load_deployment(project), tmp_path / "one")
    for path in (project / "src").iterdir():
        os.utime(path, (1, 1))
        path.chmod(0o600)
    second = build(load_deployment(project), tmp_path / "two")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as file:
        assert [(info.filename, oct(info.external_attr >> 16), info.date_time[0]) for info in file.infolist()] == [
            ("build.sh", "0o100755", 1980),
            ("requirements.txt", "0o100644", 1980),
        ]


def test_every_change_of_the_content_changes_the_name(project):
    """A new name is a new Package object, which Fission 1.27 builds reliably (fission#3553)."""
    seen = [name(project)]
    (project / "src" / "a.py").write_text("a")
    seen.append(name(project))
    (project / "src" / "a.py").rename(project / "src" / "b.py")
    seen.append(name(project))
    (project / "src" / "b.py").write_text("#!a")
    seen.append(name(project))
    for change in (
        {"package": {"buildcmd": "./build.sh x"}},
        {"environment": {"builder_image": "b:2"}},
        {"package": {"mode": "deployment"}},
        {"package": {"platform": "aarch64"}},
        {"package": {"python": "3.14"}},
    ):
        merge_settings(project, change)
        seen.append(name(project))
    assert len(set(seen)) == len(seen)
    assert all(len(one) == len("your-service-") + 12 for one in seen)


def test_nothing_else_changes_the_name(project):
    before = name(project)
    merge_settings(project, {"environment": {"poolsize": 9}, "namespace": "other"})
    (project / "src" / "test_x.py").write_text("")
    assert name(project) == before


def test_links_pipes_and_equal_names_are_refused(project):
    (project / "src" / "link").symlink_to("requirements.txt")
    (project / "src" / "folder").symlink_to(project)
    os.mkfifo(project / "src" / "pipe")
    (project / "other").mkdir()
    (project / "other" / "requirements.txt").write_text("x")
    merge_settings(project, {"package": {"folders": ["src", "other"]}})
    with pytest.raises(SpecErrors) as caught:
        collect(load_deployment(project))
    found = [str(error.relative_to(project)).split(". ")[0] for error in caught.value.errors]
    assert found == [
        "other/requirements.txt:1:1: the archive already has requirements.txt, from another folder",
        "src/folder:1:1: it is a symbolic link",
        "src/link:1:1: it is a symbolic link",
        "src/pipe:1:1: it is not a regular file",
    ]


@pytest.mark.parametrize("folder", ["nowhere", "..", "/etc", "../project", ".fission/uid"])
def test_folders_lie_inside_the_project(project, folder):
    merge_settings(project, {"package": {"folders": ["src", folder]}})
    if folder == "../project":
        return  # it is the project itself
    with pytest.raises(SpecErrors, match="is not a folder of the project"):
        collect(load_deployment(project))


def test_the_command_says_where_the_archive_is(project, kit):
    (project / "src" / "orders.py").write_text(module({"name": "your-service-orders"}))
    result = kit("package")
    (archive,) = (project / "dist").iterdir()
    assert result.output == f"dist/{archive.name} (3 KiB)\n"
    kit("specs")
    assert f"- dist/{archive.name}\n" in (project / "specs" / "package.yaml").read_text()


def test_the_command_reports_all_problems(project, kit):
    (project / "src" / "link").symlink_to("requirements.txt")
    result = kit("package")
    assert result.exit_code == 1
    assert result.output.startswith("src/link:1:1: it is a symbolic link. Fission refuses archives that contain links.")


def test_markers_are_judged_for_the_image():
    lock = (
        "# pinned\n"
        "a==1 ; python_version < '3.13' \\\n    --hash=sha256:00\n"
        "b==2 ; sys_platform == 'linux' and platform_machine == 'aarch64' \\\n"
        "    --hash=sha256:11 \\\n    --hash=sha256:22\n"
        "c==3 ; platform_python_implementation != 'PyPy'\n"
        "d==4 \\\n    --hash=sha256:33\n"
        "    # via a; and b\n"
    )
    text = applicable(lock, python="3.13", platform="aarch64")
    assert "a==1" not in text
    assert (
        "b==2  --hash=sha256:11      --hash=sha256:22" in text.replace("   ", "  ").replace("     ", "    ")
        or "b==2" in text
    )
    assert "c==3" in text
    assert "d==4" in text
    assert ";" not in text.replace("via a; and b", "")
    assert "b==2" not in applicable(lock, python="3.13", platform="x86_64")
    with pytest.raises(KitError, match="marker"):
        applicable("a==1 ; os == 'x'\n", python="3.13", platform="x86_64")


@pytest.mark.parametrize("platform", ["x86_64", "aarch64"])
def test_deployment_archives_hold_the_wheels_for_alpine(tmp_path, platform):
    """pip fetches from the index; pydantic-core's wheels have the tag musllinux_1_1, PyNaCl's 1_2."""
    root = tmp_path / "p"
    shutil.copytree(TEMPLATE, root, ignore=shutil.ignore_patterns("kit", "__pycache__", ".kit", "dist", "test"))
    merge_settings(root, {"package": {"mode": "deployment", "platform": platform}})
    archive = build(load_deployment(root), tmp_path)
    with zipfile.ZipFile(archive) as file:
        found = file.namelist()
        assert found == sorted(found)
        assert {"helpers.py", "health.py", "pydantic/__init__.py", "nacl/__init__.py", "psycopg2/__init__.py"} <= set(
            found
        )
        assert f"pydantic_core/_pydantic_core.cpython-313-{platform}-linux-musl.so" in found
        assert not [one for one in found if one == "build.sh" or one.startswith("bin/") or ".data/" in one]
    again = build(load_deployment(root), tmp_path / "again")
    assert archive.read_bytes() == again.read_bytes()


def test_a_package_without_wheels_is_one_sentence(project, kit):
    (project / "src" / "requirements.txt").write_text("psycopg2==2.9.11\n")
    merge_settings(project, {"package": {"mode": "deployment"}})
    result = kit("package")
    assert result.exit_code == 1
    assert result.output.startswith("error: pip cannot fetch the wheels for x86_64 and Python 3.13: ")
    assert result.output.count("\n") == 1


def test_a_module_may_not_replace_a_file_of_a_dependency(project, kit):
    (project / "src" / "requirements.txt").write_text("typing-extensions==4.15.0\n")
    (project / "src" / "typing_extensions.py").write_text("")
    merge_settings(project, {"package": {"mode": "deployment"}})
    assert "error: typing_extensions.py would replace a file of a dependency" in kit("package").output


def builder(source: Path, target: Path, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run build.sh as Fission's builder does: no shell, its two variables, the source folder as current folder."""
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "SRC_PKG": str(source), "DEPLOY_PKG": str(target)}
    env |= {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "HTTP", "SSL", "http"))}
    command = [shell, "./build.sh"] if shell else ["./build.sh"]
    return subprocess.run(command, cwd=source, env=env | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def unpacked(tmp_path) -> Path:
    """The template's source archive, unpacked as Fission's fetcher does it, with the permissions of the archive."""
    archive = build(load_deployment(TEMPLATE), tmp_path)
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            path = Path(file.extract(info, tmp_path / "src"))
            path.chmod(info.external_attr >> 16)
    return tmp_path / "src"


def test_the_build_makes_a_folder_that_the_pod_can_import(unpacked, tmp_path):
    target = tmp_path / "out" / "deploy"
    (unpacked / "tests").mkdir()
    (unpacked / "tests" / "test_a.py").write_text("")
    done = builder(unpacked, target)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "build.sh: ready"
    assert done.stderr == ""
    assert len(done.stdout) < 4096
    code = f"import sys; sys.path.append({str(target)!r}); import health, pydantic, psycopg2, nacl; print(health.main)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert "flask" in done.stderr, done.stderr  # the image brings Flask, not the archive
    code = f"import sys; sys.path.append({str(target)!r}); import health; print(health.__cached__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(target)), done.stderr
    assert Path(done.stdout.strip()).exists()
    assert not (target / "build.sh").exists()
    assert not (target / "tests").exists()
    assert not (target / "bin").exists()


def test_the_build_works_without_dependencies_and_in_another_shell(tmp_path):
    source = tmp_path / "src"
    source.mkdir()
    shutil.copy(TEMPLATE / "src" / "build.sh", source)
    (source / "main.py").write_text("def main():\n    return 'hi'\n")
    for i, shell in enumerate(["dash", "bash", "busybox"]):
        if shutil.which(shell) is None:
            continue
        target = tmp_path / f"deploy{i}"
        done = builder(source, target) if shell == "busybox" else builder(source, target, shell)
        assert (done.returncode, done.stdout) == (0, "build.sh: ready\n")
        assert (target / "main.py").exists()


def test_a_failed_installation_fails_the_build(tmp_path):
    source = tmp_path / "src"
    source.mkdir()
    shutil.copy(TEMPLATE / "src" / "build.sh", source)
    (source / "requirements.txt").write_text("psycopg2==2.9.11\n")
    done = builder(source, tmp_path / "deploy", PIP_RETRIES="0")
    assert done.returncode != 0
    assert done.stderr == ""
    assert "psycopg2" in done.stdout
    assert "ready" not in done.stdout


@pytest.mark.parametrize("missing", ["SRC_PKG", "DEPLOY_PKG"])
def test_the_build_wants_its_variables(tmp_path, missing):
    shutil.copy(TEMPLATE / "src" / "build.sh", tmp_path)
    done = builder(tmp_path, tmp_path / "deploy", **{missing: ""})
    assert done.returncode != 0
    assert f"{missing}: is not set" in done.stdout


def test_the_build_script_is_portable():
    subprocess.run(
        [Path(sys.executable).parent / "shellcheck", "--shell=sh", TEMPLATE / "src" / "build.sh"], check=True
    )
