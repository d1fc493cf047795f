"""Who sent this? The signatures of three webhook schemes, checked over the bytes as they arrived.

Nothing here parses a body or touches the database, so a flood of forged requests costs a hash each. Every function
returns if the delivery is genuine and raises the same error if it is not; why it is not goes to the log only.

Source: Standard Webhooks 1.0.0; GitHub, "Validating webhook deliveries"; Stripe, "Check the webhook signatures".
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exceptions import ConfigurationError, ServiceException

MAX_SIGNATURES: Final = 8  # in one header; a sender that rotates its secret sends two
MIN_KEY_BYTES: Final = 24  # of a whsec_ secret, as Standard Webhooks demands
MIN_SECRET_CHARS: Final = 16  # of GitHub's and Stripe's; a shorter one can be guessed from a single delivery

# Printable ASCII without a full stop: "a.1" + "2" and "a" + "1.2" would be signed as the same text.
_EVENT_ID = re.compile(r"[!-\-/-~]{1,200}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")  # not int(): it takes " 1_0", "+1" and digits of other scripts
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class SignatureInvalidError(ServiceException):
    """401: the sender is not who it says, or nobody can tell.

    Args:
        reason: Which check failed; for the log, because an attacker would learn from it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("SIGNATURE_INVALID", 401, "The signature is not valid.")
        self.headers["WWW-Authenticate"] = "Signature"  # RFC 9110, 15.5.2: a 401 must say how to authenticate
        self.reason = reason


@dataclass(frozen=True)
class Delivery:
    """What arrived, and when.

    Args:
        headers: By name in lower case. Values are the header's bytes read as Latin-1, as WSGI gives them.
        body: The bytes, not parsed and written again.
        now: Seconds since 1970.
        tolerance_seconds: How far a signed timestamp may be from ``now``, in either direction.
    """

    headers: Mapping[str, str]
    body: bytes
    now: int
    tolerance_seconds: int

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty text."""
        return self.headers.get(name, "")

    def require_fresh(self, timestamp: str) -> None:
        """Refuse a timestamp that is no whole number, or too old, or too far ahead (which could be replayed later)."""
        if not _TIMESTAMP.fullmatch(timestamp):
            raise SignatureInvalidError("the timestamp is missing or not a whole number")
        if abs(self.now - int(timestamp)) > self.tolerance_seconds:
            raise SignatureInvalidError("the timestamp is outside the tolerance")


def verify_standard(delivery: Delivery, secrets: Sequence[str]) -> None:
    """Check a delivery of Standard Webhooks: ``v1`` (HMAC-SHA256) and ``v1a`` (ed25519).

    Args:
        delivery: What arrived.
        secrets: ``whsec_...`` and ``whpk_...``, in any number; each signature is tried with each of them.

    Raises:
        SignatureInvalidError: No signature is of one of the secrets, or the delivery is too old or malformed.
        ConfigurationError: A secret has the wrong form.
    """
    hmac_keys, public_keys = _standard_keys(secrets)
    event_id, timestamp = delivery.header("webhook-id"), delivery.header("webhook-timestamp")
    if not _EVENT_ID.fullmatch(event_id):
        raise SignatureInvalidError("webhook-id is missing or malformed")
    delivery.require_fresh(timestamp)
    given = _pairs(delivery.header("webhook-signature"), " ", ",")
    signed = f"{event_id}.{timestamp}.".encode("ascii") + delivery.body
    macs = [_from_base64(text) for version, text in given if version == "v1"]
    seals = [_from_base64(text) for version, text in given if version == "v1a"]
    if not _signed_with(hmac_keys, signed, macs) and not _sealed_with(public_keys, signed, seals):
        raise SignatureInvalidError("no signature matches")


def verify_github(delivery: Delivery, secrets: Sequence[str]) -> None:
    """Check a delivery of GitHub. The body alone is signed: no time, no id, no type of the event.

    So whoever gets hold of one delivery can send it again with another id. HTTPS keeps it from being got hold of.

    Raises:
        SignatureInvalidError: The signature is of none of the secrets.
        ConfigurationError: A secret is too short.
    """
    keys = _text_keys(secrets)
    given = _pairs(delivery.header("x-hub-signature-256"), ",", "=")
    if not _signed_with(keys, delivery.body, [_from_hex(text) for name, text in given if name == "sha256"]):
        raise SignatureInvalidError("no signature matches")


def verify_stripe(delivery: Delivery, secrets: Sequence[str]) -> None:
    """Check a delivery of Stripe: ``t=<seconds>,v1=<hex>``, with several ``v1`` while Stripe rotates the secret.

    Raises:
        SignatureInvalidError: No signature is of one of the secrets, or the delivery is too old or malformed.
        ConfigurationError: A secret is too short.
    """
    keys = _text_keys(secrets)
    given = _pairs(delivery.header("stripe-signature"), ",", "=")
    timestamps = [text for name, text in given if name == "t"]
    timestamp = timestamps[0] if len(timestamps) == 1 else ""
    delivery.require_fresh(timestamp)
    signed = f"{timestamp}.".encode("ascii") + delivery.body
    if not _signed_with(keys, signed, [_from_hex(text) for name, text in given if name == "v1"]):
        raise SignatureInvalidError("no signature matches")


def _signed_with(keys: Iterable[bytes], signed: bytes, macs: Sequence[bytes]) -> bool:
    expected = [hmac.digest(key, signed, "sha256") for key in keys] if macs else []
    return any(hmac.compare_digest(mine, given) for mine in expected for given in macs)


def _sealed_with(public_keys: Iterable[bytes], signed: bytes, seals: Sequence[bytes]) -> bool:
    if not public_keys or not seals:
        return False
    from nacl.exceptions import CryptoError  # which costs 40 ms, and few senders use ed25519
    from nacl.signing import VerifyKey

    for key in public_keys:
        for seal in seals:
            try:
                VerifyKey(key).verify(signed, seal)
            except CryptoError:  # another key's, or not of 64 bytes
                continue
            return True
    return False


def _pairs(header: str, between: str, within: str) -> list[tuple[str, str]]:
    """Split ``v1,abc v1a,def`` or ``t=1,v1=abc`` into pairs; what has no second part matches nothing later."""
    parts = header.split(between, MAX_SIGNATURES + 1)
    if len(parts) > MAX_SIGNATURES:
        raise SignatureInvalidError("too many signatures")
    return [(name, text) for name, _, text in (part.partition(within) for part in parts)]


def _from_base64(text: str) -> bytes:
    """Return the bytes, or none at all, which no signature is equal to."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # wrong padding, wrong letters, not ASCII
        return b""


def _from_hex(text: str) -> bytes:
    return bytes.fromhex(text) if _SHA256_HEX.fullmatch(text) else b""


def _standard_keys(secrets: Iterable[str]) -> tuple[list[bytes], list[bytes]]:
    """Return the keys for HMAC and those for ed25519."""
    hmac_keys, public_keys = [], []
    for number, secret in enumerate(secrets, start=1):
        prefix, _, text = secret.partition("_")
        key = _from_base64(text + "=" * (-len(text) % 4))  # some senders leave the padding out
        if prefix == "whsec" and len(key) >= MIN_KEY_BYTES:
            hmac_keys.append(key)
        elif prefix == "whpk" and len(key) == 32:
            public_keys.append(key)
        else:
            wanted = f"whsec_<base64 of at least {MIN_KEY_BYTES} bytes> or whpk_<base64 of 32 bytes>"
            raise ConfigurationError(f"entry {number} is not {wanted}")
    return hmac_keys, public_keys


def _text_keys(secrets: Iterable[str]) -> list[bytes]:
    for number, secret in enumerate(secrets, start=1):
        if len(secret) < MIN_SECRET_CHARS:
            raise ConfigurationError(f"entry {number} has fewer than {MIN_SECRET_CHARS} characters")
    return [secret.encode() for secret in secrets]
