"""Encrypted values: what may stand in a repository or a ConfigMap without being readable there.

Two formats, both on PyNaCl (libsodium):

* ``vault:v1:<base64>``: SecretBox. The value decrypts wherever the key is; two values can be swapped unnoticed.
* ``vault:v2:<key id>:<base64url>``: XChaCha20-Poly1305 with associated data. The value decrypts only in its place
  ``<namespace>/<object>/<key>``, and names the key that it needs.

The key ring is the secret ``VAULT_KEY``: one ``<base64 key>`` or ``<key id>:<base64 key>`` per line. The first line
encrypts, all of them decrypt. Keep it in another place than the values, or the encryption is decoration: set
``FISSION_VAULT_SECRET`` to the name of a Secret of its own.
"""

import base64
import binascii
import os
import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from nacl.exceptions import CryptoError
from nacl.secret import Aead, SecretBox

from exceptions import ConfigurationError
from settings import get_secret

KEY_BYTES: Final = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class VaultError(ConfigurationError):
    """A value cannot be encrypted or decrypted. The text says why and never contains a value or a key."""


def encrypt_vault(value: str, keys: str | None = None, *, bound_to: str | None = None) -> str:
    """Encrypt a text with the first key of the ring.

    Args:
        value: The text to hide.
        keys: The key ring; default is the secret ``VAULT_KEY``.
        bound_to: ``<namespace>/<object>/<key>``, the only place where it will decrypt; gives format v2.
            Without it the format is v1.

    Raises:
        VaultError: There is no usable key.
    """
    kid, (box, aead) = next(iter(_ring(keys).items()))
    if bound_to is None:
        return "vault:v1:" + base64.b64encode(box.encrypt(value.encode())).decode()
    sealed = aead.encrypt(value.encode(), _associated(kid, bound_to))
    return f"vault:v2:{kid}:" + base64.urlsafe_b64encode(sealed).decode()


def decrypt_vault(text: str, keys: str | None = None, *, bound_to: str | None = None) -> str:
    """Decrypt a value of either format.

    Args:
        text: What ``encrypt_vault`` returned.
        keys: The key ring; default is the secret ``VAULT_KEY``.
        bound_to: The place where the value was found, needed for v2.

    Raises:
        VaultError: Not a vault value, truncated, garbled, moved from another place, or of a key that the ring
            does not hold.
    """
    parts = text.strip().split(":")
    ring = _ring(keys)
    if parts[:2] == ["vault", "v1"] and len(parts) == 3:
        sealed = _unbase64(parts[2])
        for box, _ in ring.values():
            if (plain := _opened(box, sealed)) is not None:
                return plain
        raise VaultError("the vault value does not decrypt: it is damaged, or of another key")
    if parts[:2] == ["vault", "v2"] and len(parts) == 4:
        kid, sealed = parts[2], _unbase64(parts[3].replace("-", "+").replace("_", "/"))
        if bound_to is None:
            raise VaultError("a vault:v2 value needs its place, namespace/object/key, to decrypt")
        if kid not in ring:
            shown = kid if _KEY_ID.fullmatch(kid) else "(unreadable)"
            raise VaultError(f"the vault value needs key {shown}, which is not in VAULT_KEY")
        if (plain := _opened(ring[kid][1], sealed, _associated(kid, bound_to))) is not None:
            return plain
        raise VaultError(f"the vault value does not decrypt at {bound_to}: it is damaged, or of another place")
    raise VaultError("not a vault value: expected vault:v1:<base64> or vault:v2:<key id>:<base64url>")


def new_vault_key() -> str:
    """Return a new line for the key ring, ``<key id>:<base64 key>``."""
    key = os.urandom(KEY_BYTES)
    return f"{_key_id(key)}:{base64.b64encode(key).decode()}"


def _ring(keys: str | None) -> dict[str, tuple[SecretBox, Aead]]:
    if keys is None:
        keys = get_secret("VAULT_KEY", name=os.environ.get("FISSION_VAULT_SECRET"))
        if not keys:
            raise VaultError("secret VAULT_KEY is not set; make one with: python -m kit vault keygen")
    return _parsed(keys)


@lru_cache(maxsize=8)
def _parsed(keys: str) -> dict[str, tuple[SecretBox, Aead]]:
    ring: dict[str, tuple[SecretBox, Aead]] = {}
    for number, line in enumerate(keys.split("\n"), start=1):
        line = line.strip()
        if not line:
            continue
        kid, colon, encoded = line.rpartition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES or (colon and not _KEY_ID.fullmatch(kid)):
            raise VaultError(f"line {number} of VAULT_KEY is not <base64 of {KEY_BYTES} bytes> or <key id>:<base64>")
        kid = kid or _key_id(key)
        if kid in ring:
            raise VaultError(f"line {number} of VAULT_KEY repeats the key id {kid}")
        ring[kid] = (SecretBox(key), Aead(key))
    if not ring:
        raise VaultError("VAULT_KEY is empty; make a key with: python -m kit vault keygen")
    return ring


def _key_id(key: bytes) -> str:
    return blake2b(key).hexdigest()[:8]


def _associated(kid: str, place: str) -> bytes:
    return f"v2|{kid}|{place}".encode()


def _unbase64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise VaultError("the vault value is damaged: not base64") from None


def _opened(box: SecretBox | Aead, sealed: bytes, associated: bytes = b"") -> str | None:
    try:
        plain = box.decrypt(sealed, associated) if isinstance(box, Aead) else box.decrypt(sealed)
        return plain.decode()
    except (CryptoError, ValueError, TypeError):  # TypeError: PyNaCl's answer to a value that is far too short
        return None
