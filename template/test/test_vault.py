"""Encrypted values: they come back, and nothing else does."""

from __future__ import annotations

import base64

import pytest

from vault import VaultError, decrypt_vault, encrypt_vault, new_vault_key

KEY = new_vault_key()
PLACE = "default/fission-your-service-env/PG_PASS"


@pytest.mark.parametrize("place", [None, PLACE])
@pytest.mark.parametrize("text", ["", "geheim", "Grüße 🗝", "x" * 100_000])
def test_a_value_comes_back_as_it_was(text: str, place: str | None):
    assert decrypt_vault(encrypt_vault(text, KEY, bound_to=place), KEY, bound_to=place) == text


def test_the_first_format_needs_no_place_and_the_second_names_its_key():
    assert encrypt_vault("a", KEY).startswith("vault:v1:")
    assert encrypt_vault("a", KEY, bound_to=PLACE).startswith(f"vault:v2:{KEY.split(':')[0]}:")


def test_a_value_that_was_moved_to_another_place_is_refused():
    value = encrypt_vault("geheim", KEY, bound_to=PLACE)
    with pytest.raises(VaultError, match="another place"):
        decrypt_vault(value, KEY, bound_to=PLACE.replace("PG_PASS", "PG_USER"))


def test_old_keys_still_decrypt_after_a_new_one_was_put_on_top():
    newer = new_vault_key()
    ring = f"{newer}\n{KEY}\n"
    for place in (None, PLACE):
        assert decrypt_vault(encrypt_vault("a", KEY, bound_to=place), ring, bound_to=place) == "a"
        assert decrypt_vault(encrypt_vault("b", ring, bound_to=place), newer, bound_to=place) == "b"


def test_a_key_without_an_id_is_accepted():
    bare = KEY.split(":")[1]
    assert decrypt_vault(encrypt_vault("a", bare, bound_to=PLACE), KEY, bound_to=PLACE) == "a"


@pytest.mark.parametrize("place", [None, PLACE])
def test_a_value_of_a_foreign_key_is_refused(place: str | None):
    value = encrypt_vault("geheim", new_vault_key(), bound_to=place)
    with pytest.raises(VaultError) as error:
        decrypt_vault(value, KEY, bound_to=place)
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize("place", [None, PLACE])
def test_no_truncated_value_decrypts(place: str | None):
    value = encrypt_vault("geheim", KEY, bound_to=place)
    for length in range(len(value)):
        with pytest.raises(VaultError):
            decrypt_vault(value[:length], KEY, bound_to=place)


@pytest.mark.parametrize(
    "ring",
    ["", "\n", "short", "kid:" + base64.b64encode(b"31 bytes are one byte too few..").decode(), f"{KEY}\n{KEY}"],
    ids=["empty", "blank", "no base64", "wrong size", "twice"],
)
def test_an_unusable_key_ring_is_refused_without_showing_it(ring: str):
    with pytest.raises(VaultError) as error:
        encrypt_vault("a", ring)
    assert not ring.strip() or ring.split(":")[-1] not in str(error.value)
