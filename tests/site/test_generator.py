"""The download page makes the project that create-project.sh makes, in a real Chromium, also without a server."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tools import archive
from tools.workbench import environment

TAR = f"{archive.NAME}-{archive.version()}.tar.gz"
Tree = dict[str, tuple[int, bytes]]

# name, namespace, executor, how many of the examples that there are
CHOICES = {
    "nothing but a name": ("orders", None, None, 0),
    "the shortest": ("a", "b", None, 1),
    "the longest": ("l" + "o-" * 23 + "g", "n" * 63, "poolmgr", 0),
    "digits and hyphens": ("b2b-2-go", "7", "newdeploy", 2),
    "everything": ("acme-orders", "shop-eu", "newdeploy", None),
    "the template's own name": ("your-service", "default", "poolmgr", 0),
    "a name within the name": ("my-your-service", None, "newdeploy", None),
}


@pytest.fixture(scope="session")
def unpacked(built_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built_site / "downloads" / TAR) as t:
        t.extractall(folder, filter="data")
    return folder / archive.NAME


@pytest.fixture(params=["server", "disk"])
def download_page(request: pytest.FixtureRequest) -> Page:
    """The page as served, and as a file in a browser that has no network."""
    if request.param == "server":
        page = request.getfixturevalue("page")
        page.goto("download/")
    else:
        page = request.getfixturevalue("disk_page")
    return ready(page)


@pytest.fixture
def disk_page(chromium: Browser, built_site: Path) -> Iterator[Page]:
    context = chromium.new_context(accept_downloads=True, offline=True, reduced_motion="reduce")
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    context.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or problems.append(r.url))
    page.goto((built_site / "download/index.html").as_uri())
    yield page
    context.close()
    assert [problem for problem in problems if "search_index.js" not in problem] == []  # Material's search, no file


def ready(page: Page) -> Page:
    page.locator("#kit-generator.kit-ready form").wait_for()
    return page


def offered(page: Page) -> list[str]:
    return page.evaluate("KIT_TEMPLATE.examples.map((example) => example.name)")


def choose(page: Page, name: str, namespace: str | None, executor: str | None, examples: list[str]) -> None:
    page.get_by_label("Service name", exact=True).fill(name)
    if namespace is not None:
        page.get_by_label("Namespace", exact=True).fill(namespace)
    if executor is not None:
        page.get_by_label("Executor", exact=True).select_option(executor)
    for example in examples:
        page.get_by_role("checkbox", name=re.compile(f"^{example} ")).check()


def downloaded(page: Page, name: str) -> Path:
    with page.expect_download() as started:
        page.get_by_role("button", name=f"Download {name}.zip").click()
    assert started.value.suggested_filename == f"{name}.zip"
    return Path(started.value.path())


def tree_of_zip(path: Path, top: str) -> Tree:
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        entries = z.infolist()
        assert {(e.date_time, e.compress_type) for e in entries} == {((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)}
        assert len({e.filename for e in entries}) == len(entries)
        return {e.filename.removeprefix(f"{top}/"): (e.external_attr >> 16 & 0o777, z.read(e)) for e in entries}


def tree_of_folder(folder: Path) -> Tree:
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): (p.stat().st_mode & 0o777, p.read_bytes()) for p in files}


def created(unpacked: Path, target: Path, name: str, *options: str) -> Tree:
    command = [unpacked / "create-project.sh", name, target, *options]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, umask=0o022)
    assert done.returncode == 0, done.stderr
    return tree_of_folder(target)


def different(one: Tree, other: Tree) -> list[str]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_the_zip_holds_what_create_project_makes(
    download_page: Page, unpacked: Path, tmp_path: Path, choice: tuple[str, str | None, str | None, int | None]
) -> None:
    name, namespace, executor, count = choice
    examples = offered(download_page)[:count]
    options = [f"--namespace={namespace}"] if namespace else []
    options += [f"--executor={executor}"] if executor else []
    options += [f"--add={','.join(examples)}"] if examples else []
    choose(download_page, name, namespace, executor, examples)
    made = tree_of_zip(downloaded(download_page, name), name)
    assert different(made, created(unpacked, tmp_path / name, name, *options)) == []
    assert made["create-project.sh"][0] == 0o755


def test_each_example_alone_gives_the_same_bytes(page: Page, unpacked: Path, tmp_path: Path) -> None:
    page.goto("download/")
    for example in offered(ready(page)):
        page.goto(f"download/#name=orders&add={example}")
        made = tree_of_zip(downloaded(ready(page), "orders"), "orders")
        assert f"src/example_{example}.py" in made
        assert different(made, created(unpacked, tmp_path / example, "orders", "--add", example)) == []


def test_every_example_of_the_template_is_offered_with_its_first_sentence(page: Page) -> None:
    page.goto("download/")
    modules = (archive.TEMPLATE / "examples").glob("example_*.py")
    names = {path.stem.split("_")[1] for path in modules if path.stem.count("_") == 1}
    assert set(offered(ready(page))) == names
    rows = page.locator(".kit-examples label").all_inner_texts()
    assert len(rows) == len(names)
    assert all(re.fullmatch(r"[a-z]+ [A-Z].+\.", row) for row in rows), rows


def test_the_shown_commands_make_the_same_project(page: Page, tmp_path: Path) -> None:
    page.goto("download/#name=orders&namespace=shop&executor=newdeploy")
    first = offered(ready(page))[0]
    choose(page, "orders", None, None, [first])
    made = tree_of_zip(downloaded(page, "orders"), "orders")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy commands").click()
    expect(page.locator("#kit-status[role=status]")).to_have_text("Copied the commands.")
    commands = page.evaluate("navigator.clipboard.readText()")
    assert f"--add {first} --namespace shop --executor newdeploy" in commands
    run(commands, tmp_path)
    assert different(made, tree_of_folder(tmp_path / "orders")) == []


def run(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    bash = ["bash", "-ec", commands]
    return subprocess.run(bash, cwd=folder, env=environment(), capture_output=True, text=True, check=True, umask=0o022)


def test_the_commands_work_from_a_copy_on_disk_whatever_its_folder_is_called(
    disk_page: Page, built_site: Path, tmp_path: Path
) -> None:
    copy = tmp_path / 'it\'s a "copy" (1) & [2-1] $HOME; {x,y}'
    copy.symlink_to(built_site)
    disk_page.goto(f"file://{copy}/download/index.html#name=orders")
    run(ready(disk_page).locator(".kit-code code").last.inner_text(), tmp_path)
    assert (tmp_path / "orders/create-project.sh").is_file()


def test_the_commands_for_the_template_s_own_name_make_another_folder(page: Page, tmp_path: Path) -> None:
    page.goto("download/#name=your-service")
    made = tree_of_zip(downloaded(ready(page), "your-service"), "your-service")
    run(page.get_by_role("region", name="The same without a browser").inner_text(), tmp_path)
    assert different(made, tree_of_folder(tmp_path / "my-your-service")) == []


@pytest.mark.parametrize(
    ("choices", "last"),
    [
        ("", "./create-project.sh NAME ../NAME"),
        ("#name=Orders", "./create-project.sh NAME ../NAME"),
        ("#name=orders&namespace=My Shop", "./create-project.sh orders ../orders --namespace NAMESPACE"),
    ],
)
def test_while_a_field_is_wrong_the_commands_have_a_place_for_it(
    page: Page, unpacked: Path, choices: str, last: str
) -> None:
    page.goto(f"download/{choices}")
    commands = ready(page).get_by_role("region", name="The same without a browser").inner_text()
    assert commands.splitlines()[-1] == last
    done = subprocess.run(last.split(), cwd=unpacked, env=environment(), capture_output=True, text=True)
    assert (done.returncode, "is no valid name" in done.stderr) == (1, True)  # nothing is made of it by mistake


def test_the_checksum_of_the_zip_is_shown_and_the_same_choices_give_the_same_bytes(download_page: Page) -> None:
    choose(download_page, "orders", None, None, [])
    first, second = downloaded(download_page, "orders"), downloaded(download_page, "orders")
    assert first.read_bytes() == second.read_bytes()
    download_page.get_by_label("Namespace", exact=True).focus()
    shown = download_page.locator(".kit-result code").inner_text()
    assert shown == hashlib.sha256(first.read_bytes()).hexdigest()
    expect(download_page.locator("#kit-status[role=status]")).to_contain_text(
        re.compile(r"^orders\.zip: \d+ files, \d+ KiB\.$")
    )


@pytest.mark.parametrize(
    "name", ["Orders", "-orders", "7-orders", "o" * 49, "lambda", "json", "sentry-sdk", "o'r", "ö"]
)
def test_a_wrong_name_is_refused_in_the_words_of_create_project(
    page: Page, unpacked: Path, tmp_path: Path, name: str
) -> None:
    script = unpacked / "create-project.sh"
    done = subprocess.run([script, "--", name, tmp_path / "x"], env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    page.goto("download/")
    field = ready(page).get_by_label("Service name", exact=True)
    field.fill("orders")
    field.fill(name)
    problem = page.locator("#kit-name-problem")
    expect(problem).to_have_text(done.stderr.removeprefix("error: ").rstrip("\n"))
    expect(problem).to_have_attribute("aria-live", "polite")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Download orders.zip")).to_be_disabled()
    expect(page.locator("#kit-status[role=status]")).to_have_text("No download yet: the service name is not valid.")
    expect(page.get_by_role("treeitem", name="orders", exact=True)).to_be_visible()


@pytest.mark.parametrize("namespace", ["", "Shop", "shop-", "n" * 64, "a.b"])
def test_a_wrong_namespace_is_refused_in_the_words_of_create_project(
    page: Page, unpacked: Path, tmp_path: Path, namespace: str
) -> None:
    command = [unpacked / "create-project.sh", "orders", tmp_path / "x", f"--namespace={namespace}"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    page.goto("download/#name=orders")
    ready(page).get_by_label("Namespace", exact=True).fill(namespace)
    expect(page.locator("#kit-namespace-problem")).to_have_text(done.stderr.removeprefix("error: ").rstrip("\n"))
    button = page.get_by_role("button", name="Download orders.zip")
    expect(button).to_be_disabled()
    button.click(force=True)
    expect(page.locator("#kit-status[role=status]")).to_have_text("No download yet: the namespace is not valid.")


def test_without_a_name_there_is_nothing_to_download_and_the_template_is_shown(page: Page) -> None:
    page.goto("download/")
    expect(ready(page).get_by_role("button", name="Download your-service.zip")).to_be_disabled()
    expect(page.locator("#kit-status[role=status]")).to_have_text("Type a name, and the download is ready.")
    expect(page.locator("#kit-name-problem")).to_be_empty()
    expect(page.get_by_role("region", name=".fission/deployment.json")).to_contain_text('"project": "your-service"')


def test_files_and_code_follow_what_is_typed(page: Page) -> None:
    page.goto("download/")
    code = ready(page).get_by_role("region", name=".fission/deployment.json")
    page.get_by_label("Service name", exact=True).press_sequentially("red-gate")
    expect(code).to_contain_text('"project": "red-gate"')
    page.get_by_label("Namespace", exact=True).fill("shop")
    expect(code).to_contain_text('"namespace": "shop"')
    page.get_by_label("Executor", exact=True).select_option("newdeploy")
    expect(code).to_contain_text('"executor": "newdeploy"')
    example = offered(page)[0]
    added = page.get_by_role("treeitem", name=f"example_{example}.py, added")
    expect(added).to_have_count(0)
    choose(page, "red-gate", None, None, [example])
    added.locator("span").first.click()
    expect(page.get_by_role("region", name=f"src/example_{example}.py")).to_contain_text("red-gate")
    page.get_by_role("checkbox", name=re.compile(f"^{example} ")).uncheck()
    expect(page.get_by_role("region", name=".fission/deployment.json")).to_be_visible()


def test_the_copied_file_is_the_renamed_one(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("download/#name=orders")
    ready(page).get_by_role("button", name="Copy file").click()
    expect(page.locator("#kit-status[role=status]")).to_have_text("Copied .fission/deployment.json.")
    assert json.loads(page.evaluate("navigator.clipboard.readText()"))["project"] == "orders"
