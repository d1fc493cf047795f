"""Migrations of the examples: a second folder, outside of the order, which a project may move or remove."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit import database, migrate
from kit.create import create
from kit.errors import KitError

TEMPLATE = Path(__file__).resolve().parents[3] / "template"


@pytest.fixture
def library(tmp_path) -> Path:
    """A folder of examples with two migrations; the project's own folder lies beside it."""
    (tmp_path / "library").mkdir()
    for version, name in (("20260101000000", "crud"), ("20260101000500", "users")):
        path = tmp_path / "library" / f"{version}_example_{name}.sql"
        path.write_text(f"-- migrate:up\nCREATE TABLE {name} ();\n-- migrate:down\nDROP TABLE {name};\n")
    return tmp_path / "library"


def versions(db, *folders, **options):
    return [state.version[-6:] for state in migrate.status(db, list(folders), **options)]


def test_two_folders_are_one_list_by_version(db, folder, library, write):
    write("20260101000300_between.sql", "CREATE TABLE b ();")
    assert migrate.apply(db, [folder, library]) == [
        "20260101000000", "20260101000300", "20260101000500", "20260101120000"
    ]  # fmt: skip
    write("20260101000500_twice.sql", "SELECT 1;")
    with pytest.raises(KitError, match="have the same version 20260101000500; rename one of them"):
        migrate.status(db, [folder, library])


def test_a_folder_that_is_only_known_is_not_applied_and_what_it_explains_is_not_missing(db, folder, library, tables):
    assert migrate.apply(db, folder, known=[folder, library]) == ["20260101120000"]
    assert "crud" not in tables(db)
    assert versions(db, folder, known=library) == ["120000"], "what nobody wants is not listed as open"
    migrate.apply(db, library, known=folder)
    assert versions(db, folder, known=library) == ["000000", "000500", "120000"]
    assert migrate.verify(db, folder, library) == []
    assert migrate.apply(db, folder, known=library) == []
    (library / "20260101000000_example_crud.sql").write_text("-- migrate:up\nSELECT 2;\n-- migrate:down\n")
    with pytest.raises(KitError, match=r"example_crud\.sql was edited after it was applied"):
        migrate.apply(db, folder, known=library)


def test_an_example_may_come_late_and_makes_nothing_late(db, folder, library, write, tables):
    migrate.apply(db, folder)
    assert migrate.verify(db, [folder, library]) == []
    assert migrate.apply(db, [folder, library]) == ["20260101000000", "20260101000500"]
    shutil.copy(library / "20260101000000_example_crud.sql", folder / "20260401000000_example_parcel.sql")
    sql = (folder / "20260401000000_example_parcel.sql").read_text()
    (folder / "20260401000000_example_parcel.sql").write_text(sql.replace("crud", "parcel"))
    migrate.apply(db, [folder, library])
    write("20260301000000_own.sql", "CREATE TABLE own ();")
    assert migrate.apply(db, [folder, library]) == ["20260301000000"], "only an example is newer"
    write("20260201000000_late.sql", "CREATE TABLE late ();")
    with pytest.raises(KitError, match=r"20260201000000_late\.sql is older than what is applied already"):
        migrate.apply(db, [folder, library])
    write("20260201000000_late.sql", "CREATE TABLE late ();").rename(folder / "20260201000000_add_example_late.sql")
    (folder / "20260201000000_late.sql").unlink(missing_ok=True)
    with pytest.raises(KitError, match="is older than what is applied already"):
        migrate.apply(db, [folder, library])


def test_moving_a_file_into_the_project_changes_nothing_in_a_database(db, folder, library):
    migrate.apply(db, [folder, library])
    for path in list(library.iterdir()):
        path.rename(folder / path.name)
    assert migrate.verify(db, folder) == []
    assert migrate.apply(db, folder) == []


def test_an_example_whose_file_was_removed_is_not_missing(db, folder, library, write):
    migrate.apply(db, [folder, library])
    shutil.rmtree(library)
    assert migrate.verify(db, folder) == []
    write("20260101000700_own.sql", "CREATE TABLE own ();")
    with pytest.raises(KitError, match=r"20260101000700_own\.sql is older than what is applied already"):
        migrate.apply(db, folder)
    assert migrate.apply(db, folder, allow_late=True) == ["20260101000700"]
    (folder / "20260101120000_a.sql").unlink()
    with pytest.raises(KitError, match="version 20260101120000 is applied, but its file is missing"):
        migrate.apply(db, folder)


def test_going_back_passes_over_a_removed_example(db, folder, library):
    migrate.apply(db, library)
    (library / "20260101000500_example_users.sql").unlink()
    assert migrate.revert(db, [folder, library]) == "20260101000000"
    assert migrate.revert(db, [folder, library]) is None


def test_replay_takes_both_folders(postgres, folder, library):
    (library / "20260101000000_example_crud.sql").write_text(
        "-- migrate:up\nCREATE TABLE c ();\n-- migrate:down\nSELECT 1;\n"
    )
    with pytest.raises(KitError, match=r"example_crud\.sql: `down` does not undo what `up` does: relation c is left"):
        migrate.replay(postgres.dsn, [folder, library])


def test_on_a_server_of_one_s_own_examples_are_applied_on_request_only(db, tmp_path, tables):
    create(TEMPLATE, "acme-orders", tmp_path / "project", examples=["crud"])
    env = os.environ | {"DATABASE_URL": database.to_url(db)}

    def kit(*words: str) -> str:
        command = [sys.executable, "-m", "kit", "migrate", *words]
        done = subprocess.run(command, cwd=tmp_path / "project", env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert kit("up") == "applied 20260101000000\n"
    assert kit("status").count("\n") == 1
    assert "applied 20260101000500" in kit("up", "--examples")
    assert "[x] 20260101000500_example_users.sql  of examples/, applied" in kit("status")
    assert kit("verify") == "the database is as the files say\n"
    shutil.rmtree(tmp_path / "project/examples")
    assert "[x] 20260101000500  an example that was removed" in kit("status")
    assert kit("up") == "nothing to do: everything is applied\n"
    assert kit("verify") == "the database is as the files say\n"
