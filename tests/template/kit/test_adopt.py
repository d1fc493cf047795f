"""What adding an example changes, as a rule from files to files; nothing here touches a disk."""

from __future__ import annotations

import random

import pytest
from kit.adopt import NAMES, adopt, blocks, examples, in_order, owner, with_packages
from kit.errors import KitError

LIBRARY = {
    "examples/example_storage.py": b'"""Files."""\n',
    "examples/example_storage_models.py": b"A = 1\n",
    "examples/example_quota.py": b"",
    "examples/test/test_example_storage.py": b"def test(): ...\n",
    "examples/test/test_example_storage_links.py": b"",
    "examples/migrates/20260101000400_example_storage.sql": b"-- migrate:up\n",
    "examples/requirements/storage.in": b"# For storage.\nboto3==1\nPyNaCl==2\n",
    "examples/requirements/storage.txt": (
        b"# made\nboto3==1 \\\n    --hash=sha256:aa\n    # via -r x\nsix==1 \\\n    --hash=bb\n"
    ),
}
PROJECT = {
    "src/health.py": b"",
    "requirements.in": b"# Ours.\npynacl==2\n",
    "src/requirements.txt": b"six==1 \\\n    --hash=bb",
    **LIBRARY,
}


def applied(files, changes):
    return {path: content for path, content in {**files, **changes}.items() if content is not None}


def test_the_files_of_an_example_move_unchanged_and_nothing_else_does():
    after = applied(PROJECT, adopt(PROJECT, ["storage"]))
    assert after == {
        "src/health.py": b"",
        "examples/example_quota.py": b"",
        "src/example_storage.py": b'"""Files."""\n',
        "src/example_storage_models.py": b"A = 1\n",
        "test/test_example_storage.py": b"def test(): ...\n",
        "test/test_example_storage_links.py": b"",
        "migrates/20260101000400_example_storage.sql": b"-- migrate:up\n",
        "requirements.in": b"# Ours.\npynacl==2\nboto3==1\n",
        "src/requirements.txt": b"six==1 \\\n    --hash=bb\nboto3==1 \\\n    --hash=sha256:aa\n    # via -r x\n",
    }


def test_names_that_begin_alike_are_kept_apart():
    files = {f"examples/{name}.py": b"" for name in ("example_user", "example_users", "example_user_models")}
    assert applied(files, adopt(files, ["user"])).keys() == {
        "src/example_user.py",
        "src/example_user_models.py",
        "examples/example_users.py",
    }


@pytest.mark.parametrize(
    "path",
    [
        "examples/example_storage.py~",
        "examples/example_storage.pyc",
        "examples/__pycache__/example_storage.py",
        "examples/test/example_storage.py",
        "examples/test/test_example_storages.py",
        "examples/migrates/example_storage.sql",
        "examples/example_storage_é.py",
        "src/examples/example_storage.py",
        "examples/example_storage.py\n",
    ],
)
def test_what_is_not_of_the_example_stays(path):
    assert path not in adopt({**PROJECT, path: b"x"}, ["storage"])


def test_from_another_library_nothing_is_removed():
    ours = {path: content for path, content in PROJECT.items() if not path.startswith("examples/")}
    changes = adopt(ours, ["storage"], LIBRARY)
    assert None not in changes.values()
    assert applied(PROJECT, adopt(PROJECT, ["storage"])).items() >= changes.items()


def test_the_order_of_the_names_does_not_matter():
    assert in_order(["zoo", "users", "crud", "ark", "crud"]) == ["crud", "users", "ark", "zoo"]
    assert list(adopt(PROJECT, ["quota", "storage"]).items()) == list(adopt(PROJECT, ["storage", "quota"]).items())


@pytest.mark.parametrize(
    ("files", "name", "library", "message"),
    [
        (PROJECT, "nothing", None, "there is no example 'nothing'; there are: quota, storage"),
        (PROJECT, "../storage", None, "there is no example '../storage'; there are: quota, storage"),
        (PROJECT, "storage_models", None, "there is no example 'storage_models'"),
        (PROJECT, "", None, "there is no example ''"),
        ({}, "crud", None, "there is no example 'crud'; there are: none"),
        ({"src/example_crud.py": b""}, "crud", None, "the example crud is in src/ already"),
        ({"src/example_quota.py": b""}, "quota", LIBRARY, "the example quota is in src/ already"),
        (PROJECT, "quota", LIBRARY, "the project has examples/example_quota.py itself; add it without --from"),
        (
            {**PROJECT, "test/test_example_storage.py": b"mine"},
            "storage",
            None,
            "test/test_example_storage.py exists and is another file; move it away or rename it, then add storage",
        ),
    ],
)
def test_what_cannot_be_added_is_refused(files, name, library, message):
    with pytest.raises(KitError) as error:
        adopt(files, [name], library)
    assert message in str(error.value)


def test_whoever_was_stopped_anywhere_in_the_middle_can_do_the_same_again():
    changes = adopt(PROJECT, ["storage", "quota"])
    end = applied(PROJECT, changes)
    for done in range(len(changes)):
        half = applied(PROJECT, dict(list(changes.items())[:done]))
        left = [name for name in ("storage", "quota") if name in examples(half)]
        assert applied(half, adopt(half, left)) == end, done


def test_a_package_counts_as_there_however_it_is_spelled():
    have = b"Typing_Extensions==4 ; python_version > '3.8'\n"
    assert with_packages(have, b"typing.extensions==5\n") == have
    assert with_packages(b"", b"\n\n# x\n-r other.in\n  --hash\na==1\n\n    loose\nb==2\r\n") == b"a==1\nb==2\r\n"


def test_both_forks_of_a_package_are_appended():
    fork = b"a==1 ; python_version < '3.12'\na==2 ; python_version >= '3.12'\n"
    assert with_packages(b"b==1\n", fork) == b"b==1\n" + fork


def test_whatever_a_file_holds_appending_twice_is_appending_once():
    chance = random.Random(20261122)
    for _ in range(2_000):
        first, second = (bytes(chance.choices(b"aB1.-_=\n \t#\r\xff", k=chance.randrange(40))) for _ in range(2))
        once = with_packages(first, second)
        assert once.startswith(first)
        assert with_packages(once, second) == once
        assert dict(blocks(once)).keys() == dict(blocks(first) + blocks(second)).keys()


def test_each_file_of_the_library_has_an_owner_and_others_have_none(template):
    folder = template / "examples"
    paths = [path.relative_to(template).as_posix() for path in folder.rglob("*") if path.is_file()]
    here = [path for path in paths if "__pycache__" not in path]
    assert {path for path in here if owner(path) is None} == set()
    assert owner("examples/own.txt") is owner("src/example_crud.py") is owner("examples/conftest.py") is None


def test_the_template_has_the_six_examples(template):
    found = examples({path.relative_to(template).as_posix(): b"" for path in template.glob("examples/*.py")})
    assert found == list(NAMES)
