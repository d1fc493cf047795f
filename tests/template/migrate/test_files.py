"""Migration files are read as dbmate reads them, and each mistake is one sentence with file and line."""

from __future__ import annotations

import re

import pytest
from kit import migrate
from kit.errors import KitError

GOOD = "-- migrate:up\nCREATE TABLE a (n INT);\n-- migrate:down\nDROP TABLE a;\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.sql", GOOD, r"a\.sql: the name must be <digits>_<what>\.sql"),
        ("1_a.sql", "CREATE TABLE a ();\n-- migrate:up\n", r"1_a\.sql:1: SQL above"),
        ("1_a.sql", "", r"1_a\.sql: there is no line `-- migrate:up`"),
        ("1_a.sql", "-- migrate:down\n", r"1_a\.sql: there is no line `-- migrate:up`"),
        ("1_a.sql", "-- migrate:up\n", r"1_a\.sql: there is no line `-- migrate:down`"),
        ("1_a.sql", "-- migrate:down\n\n-- migrate:up\n", r"1_a\.sql:1: `-- migrate:down` stands above"),
        ("1_a.sql", "-- migrate:up\n-- migrate:up\n", r"1_a\.sql:2: a second `-- migrate:up`"),
        ("1_a.sql", "-- migrate:up transaction:no\n", r"1_a\.sql:1: unknown option transaction:no"),
        ("1_a.sql", "\ufeff" + GOOD, r"1_a\.sql holds a byte order mark"),
        ("1_a.sql", GOOD.replace("n INT", "\0"), r"1_a\.sql holds a byte order mark or a zero byte"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(KitError, match=message):
        migrate.read(tmp_path)


def test_a_binary_file_is_refused_with_the_place_of_its_first_wrong_byte(tmp_path):
    (tmp_path / "1_a.sql").write_bytes(GOOD.encode() + b"\xff\xfe")
    with pytest.raises(KitError, match=rf"1_a\.sql is not UTF-8 text \(byte {len(GOOD)}\)"):
        migrate.read(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KitError, match=r"nowhere does not exist"):
        migrate.read(tmp_path / "nowhere")


@pytest.mark.parametrize("other", ["1_b.sql", "01_a.sql", "001.sql"])
def test_two_files_with_one_version_are_refused(tmp_path, other):
    for name in ("1_a.sql", other):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(KitError, match=r"have the same version 0*1; rename one"):
        migrate.read(tmp_path)


def test_versions_that_dbmate_would_sort_differently_are_refused(tmp_path):
    for name in ("9_a.sql", "10_b.sql"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(KitError, match=r"10_b\.sql: as text, version 10 comes before 9"):
        migrate.read(tmp_path)


def test_the_checksum_covers_what_up_does_and_nothing_that_git_or_an_editor_changes(tmp_path):
    def checksum(text: str) -> str:
        (tmp_path / "1_a.sql").write_bytes(text.encode())
        return migrate.read(tmp_path)[0].checksum

    original = checksum(GOOD)
    assert re.fullmatch("[0-9a-f]{64}", original)
    assert checksum(GOOD.replace("\n", "\r\n")) == original
    assert checksum(GOOD.replace(";\n", ";  \n\n")) == original
    assert checksum(GOOD.replace("DROP TABLE a", "DROP TABLE a CASCADE")) == original
    assert checksum(GOOD.replace("INT", "BIGINT")) != original
    assert checksum(GOOD.replace("up\n", "up transaction:false\n")) != original


def test_a_new_file_is_well_formed_and_the_newest(tmp_path):
    path = migrate.new(tmp_path / "migrates", "Add price to items!")
    assert path.name.endswith("_add_price_to_items.sql")
    assert [migration.path for migration in migrate.read(path.parent)] == [path]
    with pytest.raises(KitError, match="is no title"):
        migrate.new(tmp_path / "migrates", "!!")
    (tmp_path / "migrates/29990101000000_far.sql").write_text(GOOD)
    with pytest.raises(KitError, match=r"29990101000000, which is not older than now"):
        migrate.new(tmp_path / "migrates", "again")


def test_a_title_cannot_lead_out_of_the_folder(tmp_path):
    path = migrate.new(tmp_path / "migrates", "../../etc/" + "x" * 300)
    assert path.parent == tmp_path / "migrates"
    assert len(path.name) < 130
