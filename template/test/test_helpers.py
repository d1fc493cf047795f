"""Settings and small helpers: what functions read from the pod around them."""

from __future__ import annotations

import socket

import pytest
from flask import Flask

from database import close
from exceptions import ConfigurationError
from helpers import (
    check_port_open,
    db_row_to_dict,
    db_rows_to_array,
    execute,
    fetch_all,
    fetch_one,
    get_config,
    get_current_namespace,
    get_secret,
    get_user_from_headers,
    init_db_connection,
    str_to_bool,
    transaction,
)
from kit.pod import Pod
from vault import VaultError, encrypt_vault


def test_a_secret_is_read_without_the_newline_that_kubectl_left(pod: Pod):
    pod.set_secret("TOKEN", "s3cr3t\n")
    assert get_secret("TOKEN") == "s3cr3t"


def test_a_changed_secret_is_read_anew(pod: Pod):
    pod.set_secret("TOKEN", "first")
    assert get_secret("TOKEN") == "first"
    pod.set_secret("TOKEN", "other")
    assert get_secret("TOKEN") == "other"


def test_a_secret_that_appears_later_is_found(pod: Pod):
    assert get_secret("LATE", "default") == "default"
    pod.set_secret("LATE", "here")
    assert get_secret("LATE") == "here"


def test_a_missing_key_gives_the_environment_variable_then_the_default_then_none(pod: Pod, monkeypatch):
    assert get_config("COLOUR") is None
    assert get_config("COLOUR", "blue") == "blue"
    monkeypatch.setenv("COLOUR", "red")
    assert get_config("COLOUR", "blue") == "red"


def test_an_empty_value_is_a_value(pod: Pod):
    pod.set_config("COLOUR", "")
    assert get_config("COLOUR", "blue") == ""


@pytest.mark.parametrize("key", ["../TOKEN", "/etc/passwd", "..", ".", "", "a/b", "a\0b"])
def test_a_key_cannot_lead_out_of_its_folder(pod: Pod, key: str):
    with pytest.raises(ConfigurationError):
        get_secret(key)


def test_another_object_can_be_named(pod: Pod):
    folder = pod.secrets.parent / "shared-secrets"
    folder.mkdir()
    (folder / "TOKEN").write_text("shared")
    assert get_secret("TOKEN", name="shared-secrets") == "shared"


def test_an_encrypted_secret_arrives_decrypted(pod: Pod):
    place = f"{get_current_namespace()}/{pod.secrets.name}/TOKEN"
    pod.set_secret("TOKEN", encrypt_vault("plain text", bound_to=place))
    assert get_secret("TOKEN") == "plain text"


def test_an_encrypted_secret_in_the_wrong_place_is_refused(pod: Pod):
    place = f"{get_current_namespace()}/{pod.secrets.name}/OTHER"
    pod.set_secret("TOKEN", encrypt_vault("plain text", bound_to=place))
    with pytest.raises(VaultError) as error:
        get_secret("TOKEN")
    assert "plain text" not in str(error.value)


def test_the_namespace_is_that_of_the_mounted_folder(pod: Pod):
    assert get_current_namespace() == pod.secrets.parent.name


@pytest.mark.parametrize(("word", "meaning"), [("yes", True), (" ON ", True), ("0", False), ("False", False)])
def test_words_for_true_and_false_are_understood(word: str, meaning: bool):
    assert str_to_bool(word) is meaning


def test_a_misspelt_switch_is_an_error_and_not_off():
    with pytest.raises(ValueError, match="yes"):
        str_to_bool("ture")


def test_an_open_port_is_told_from_a_closed_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert check_port_open("127.0.0.1", port)
    assert not check_port_open("127.0.0.1", port)


@pytest.mark.parametrize(
    ("sent", "user"),
    [("ada", "ada"), ("Jürgen".encode().decode("latin-1"), "Jürgen"), ("", None), ("a" * 300, "a" * 256)],
)
def test_the_user_is_read_from_the_header(sent: str, user: str | None):
    with Flask(__name__).test_request_context(headers={"X-User": sent}):
        assert get_user_from_headers() == user


def test_rows_become_dictionaries(pod: Pod):
    with init_db_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n, n * n AS square FROM generate_series(1, 2) AS n")
        first = cursor.fetchone()
        assert db_row_to_dict(cursor, first) == {"n": 1, "square": 1}
        assert db_rows_to_array(cursor, cursor.fetchall()) == [{"n": 2, "square": 4}]


def test_the_connection_is_opened_once(pod: Pod):
    first = fetch_one("SELECT pg_backend_pid() AS pid")
    assert fetch_one("SELECT pg_backend_pid() AS pid") == first


def test_what_a_transaction_did_stays(parcels: None):
    with transaction() as cursor:
        cursor.execute("INSERT INTO parcels (name, price) VALUES ('first', 1), ('second', 2)")
        cursor.execute("DELETE FROM parcels WHERE name = 'first'")
    close()
    assert fetch_all("SELECT name FROM parcels") == [{"name": "second"}]


def test_a_transaction_that_raises_leaves_nothing_behind(parcels: None):
    with pytest.raises(ZeroDivisionError), transaction() as cursor:
        cursor.execute("INSERT INTO parcels (name, price) VALUES ('half', 1)")
        raise ZeroDivisionError
    assert fetch_all("SELECT name FROM parcels") == []


def test_single_statements_take_part_in_the_transaction_around_them(parcels: None):
    with pytest.raises(ZeroDivisionError), transaction():
        assert execute("INSERT INTO parcels (name, price) VALUES ('half', 1)") == 1
        raise ZeroDivisionError
    assert fetch_all("SELECT name FROM parcels") == []
