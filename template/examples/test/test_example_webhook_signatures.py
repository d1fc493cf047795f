"""The three signature schemes, with signatures that these tests make themselves, from the texts of the schemes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from nacl.signing import SigningKey

from example_webhook_signatures import (
    MAX_SIGNATURES,
    Delivery,
    SignatureInvalidError,
    verify_github,
    verify_standard,
    verify_stripe,
)
from exceptions import ConfigurationError

NOW = 1_700_000_000
BODY = b'{"type":"invoice.paid"}'
OLD, NEW = ("whsec_" + base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2))
SEED = SigningKey(bytes(range(32)))
PUBLIC = "whpk_" + base64.b64encode(bytes(SEED.verify_key)).decode()
TEXT, OTHER_TEXT = "a-secret-of-github-or-stripe", "another-one-of-that-kind"


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def v1(secret: str, event_id: str = "msg_1", timestamp: str = str(NOW), body: bytes = BODY) -> str:
    signed = event_id.encode("latin-1") + b"." + timestamp.encode("latin-1") + b"." + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def v1a(seed: SigningKey = SEED, event_id: str = "msg_1", timestamp: str = str(NOW), body: bytes = BODY) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1a," + base64.b64encode(seed.sign(signed).signature).decode()


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def delivered(headers: dict[str, str], body: bytes = BODY, now: int = NOW, tolerance: int = 300) -> Delivery:
    return Delivery(headers, body, now, tolerance)


def standard(signature: str, event_id: str = "msg_1", timestamp: str = str(NOW), **options: Any) -> Delivery:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return delivered(dict(zip(names, (event_id, timestamp, signature), strict=True)), **options)


def stripe(header: str, **options: Any) -> Delivery:
    return delivered({"stripe-signature": header}, **options)


def refused(verify: Callable[..., None], sent: Delivery, secrets: list[str]) -> SignatureInvalidError:
    with pytest.raises(SignatureInvalidError) as caught:
        verify(sent, secrets)
    return caught.value


def test_the_published_test_vector_of_standard_webhooks_is_valid():
    sent = standard(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        body=b'{"test": 2432232314}',
        now=1614265330,
    )
    verify_standard(sent, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    refused(verify_standard, sent, [NEW])


@pytest.mark.parametrize("secrets", [[OLD], [OLD, NEW], [NEW, OLD], [PUBLIC, NEW, OLD]])
@pytest.mark.parametrize("others", [[], [v1(NEW, body=b"other")], ["v2,abc", "v1", "", "v1,?"]])
def test_any_secret_may_match_any_signature_in_any_order(secrets: list[str], others: list[str]):
    for signatures in ([v1(OLD), *others], [*others, v1(OLD)]):
        verify_standard(standard(" ".join(signatures)), secrets)
    refused(verify_standard, standard(" ".join([v1(OLD), *others])), [PUBLIC])


def test_a_secret_that_was_taken_away_is_of_no_use_any_more():
    verify_standard(standard(v1(OLD)), [OLD, NEW])
    refused(verify_standard, standard(v1(OLD)), [NEW])


def test_ed25519_is_checked_with_the_public_key_and_only_as_v1a():
    verify_standard(standard(v1a()), [PUBLIC])
    verify_standard(standard(f"{v1(NEW)} {v1a()}"), [PUBLIC, OLD])
    refused(verify_standard, standard(v1a(SigningKey(bytes(32)))), [PUBLIC])
    refused(verify_standard, standard(v1a(body=b"{}")), [PUBLIC])
    refused(verify_standard, standard(v1a().replace("v1a,", "v1,")), [PUBLIC, OLD])
    refused(verify_standard, standard("v1a," + base64.b64encode(bytes(64)).decode()), [PUBLIC])


def test_the_public_key_cannot_be_used_as_an_hmac_key():
    as_hmac = "whsec_" + PUBLIC.removeprefix("whpk_")
    refused(verify_standard, standard(v1(as_hmac)), [PUBLIC])


@pytest.mark.parametrize("verify", [verify_standard, verify_github, verify_stripe])
def test_every_bit_of_the_body_is_signed(verify: Callable[..., None]):
    for at in range(len(BODY) * 8):
        changed = bytearray(BODY)
        changed[at // 8] ^= 1 << at % 8
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(NOW),
            "webhook-signature": v1(OLD),
            "x-hub-signature-256": "sha256=" + hexed(TEXT, BODY),
            "stripe-signature": f"t={NOW},v1=" + hexed(TEXT, f"{NOW}.".encode() + BODY),
        }
        secrets = [OLD] if verify is verify_standard else [TEXT]
        verify(delivered(headers), secrets)
        refused(verify, delivered(headers, bytes(changed)), secrets)


@pytest.mark.parametrize(("age", "valid"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_the_window_is_as_wide_to_the_future_as_to_the_past(age: int, valid: bool):
    timestamp = str(NOW - age)
    signature = hexed(TEXT, f"{timestamp}.".encode() + BODY)
    for verify, sent, secret in (
        (verify_standard, standard(v1(OLD, timestamp=timestamp), timestamp=timestamp), OLD),
        (verify_stripe, stripe(f"t={timestamp},v1={signature}"), TEXT),
    ):
        if valid:
            verify(sent, [secret])
        else:
            refused(verify, sent, [secret])


WRONG_TIMESTAMPS = [
    "", "-1", f"+{NOW}", f"{NOW}.0", f"{NOW}.75", " 17000_00000 ", f" {NOW}", f"{NOW} ", "1_700_000_000", "1.7e9",
    "nan", "inf", "0x6553f100", f"{NOW}\n", f"{NOW}{NOW}", "9" * 400, "\uff11\uff17" + "\uff10" * 8, "17000000\xb2\xb3",
    "1700000000,1700000000",
]  # fmt: skip


@pytest.mark.parametrize("timestamp", WRONG_TIMESTAMPS)
def test_a_timestamp_that_is_no_whole_number_is_refused_although_it_is_signed(timestamp: str):
    shown = timestamp.encode("utf-8").decode("latin-1")
    refused(verify_standard, standard(v1(OLD, timestamp=shown), timestamp=shown), [OLD])
    signature = hexed(TEXT, shown.encode("latin-1") + b"." + BODY)
    refused(verify_stripe, stripe(f"t={shown},v1={signature}"), [TEXT])


WRONG_IDS = ["", " ", "a b", "a.1", "mußte", "a\x00", "a\n", "x" * 201, "\xff"]


@pytest.mark.parametrize("event_id", WRONG_IDS)
def test_an_id_that_would_make_the_signed_text_ambiguous_is_refused(event_id: str):
    refused(verify_standard, standard(v1(OLD, event_id), event_id), [OLD])


WRONG_SIGNATURES = [
    "", " ", "v1", "v1,", ",", "v1a,", "v1,,", "v1,a,b", "v1,not base64!", "v1,YQ", "v1,\xe9\xff", "\u20ac", "v1,=",
    "v2,YQ==", "v1,\x00", v1(OLD).replace("v1,", "V1,"), v1(OLD).replace("v1,", "v1=") , v1(OLD)[:-4], v1(OLD) + "AAAA",
    v1(OLD).replace("v1,", ""), v1(OLD).replace("v1,", "v1, "), v1(OLD) * 2, f"{v1(OLD)},{v1(OLD)}", v1(OLD) + "\n",
    "v1," + "A" * 10_000, "v1a," + "A" * 10_000, "v1a," + base64.b64encode(bytes(63)).decode(), "v1a,\xe9",
]  # fmt: skip


@pytest.mark.parametrize("signature", WRONG_SIGNATURES)
def test_a_malformed_signature_is_refused_like_a_wrong_one(signature: str):
    assert refused(verify_standard, standard(signature), [OLD, PUBLIC]).http_status == 401


def test_only_so_many_signatures_are_looked_at():
    verify_standard(standard(" ".join(["v1,"] * (MAX_SIGNATURES - 1) + [v1(OLD)])), [OLD])
    refused(verify_standard, standard(" ".join([v1(OLD)] + ["v1,"] * MAX_SIGNATURES)), [OLD])
    refused(verify_standard, standard(" ".join([v1(OLD)] * 200)), [OLD])
    signed = f"{NOW}.".encode() + BODY
    refused(verify_stripe, stripe(f"t={NOW}" + f",v1={hexed(TEXT, signed)}" * 200), [TEXT])


def test_github_signs_the_body_with_one_of_several_secrets():
    sent = delivered({"x-hub-signature-256": "sha256=" + hexed(TEXT, BODY)})
    for secrets in ([TEXT], [TEXT, OTHER_TEXT], [OTHER_TEXT, TEXT]):
        verify_github(sent, secrets)
    refused(verify_github, sent, [OTHER_TEXT])


GITHUB = hexed(TEXT, BODY)


@pytest.mark.parametrize(
    "header",
    ["", "sha256=", GITHUB, f"sha1={GITHUB}", f"sha256={GITHUB[:-1]}", f"sha256={GITHUB}0", f"sha256 ={GITHUB}",
     f"sha256={'g' * 64}", "sha256=\xe9" + GITHUB[1:], f"sha256=={GITHUB}", "sha256=" + "\u0660" * 64],
)  # fmt: skip
def test_a_malformed_signature_of_github_is_refused(header: str):
    assert refused(verify_github, delivered({"x-hub-signature-256": header}), [TEXT]).http_status == 401


def test_the_sha1_signature_that_github_still_sends_is_not_enough():
    sha1 = hmac.new(TEXT.encode(), BODY, hashlib.sha1).hexdigest()
    refused(verify_github, delivered({"x-hub-signature": f"sha1={sha1}", "x-hub-signature-256": ""}), [TEXT])


STRIPE = hexed(TEXT, f"{NOW}.".encode() + BODY)


def test_stripe_signs_time_and_body_with_one_of_several_secrets():
    for header in (f"t={NOW},v1={STRIPE}", f"v0=x,v1={'0' * 64},v1={STRIPE},t={NOW}"):
        for secrets in ([TEXT], [OTHER_TEXT, TEXT]):
            verify_stripe(stripe(header), secrets)
        refused(verify_stripe, stripe(header), [OTHER_TEXT])


@pytest.mark.parametrize(
    "header",
    ["", "t", f"t={NOW}", f"v1={STRIPE}", f"t={NOW},v0={STRIPE}", f"t={NOW},v1={STRIPE},t={NOW}",
     f"t={NOW};v1={STRIPE}", f"t={NOW}, v1={STRIPE}", f"t={NOW},v1=\xe9", f"t={NOW + 1},v1={STRIPE}",
     f"T={NOW},v1={STRIPE}"],
)  # fmt: skip
def test_a_malformed_signature_of_stripe_is_refused(header: str):
    assert refused(verify_stripe, stripe(header), [TEXT]).http_status == 401


def test_the_caller_is_told_nothing_about_the_check_that_failed():
    errors = [
        refused(verify_standard, standard(v1(OLD)), [NEW]),
        refused(verify_standard, standard(""), [NEW]),
        refused(verify_standard, standard(v1(OLD), timestamp="1"), [OLD]),
        refused(verify_github, delivered({}), [TEXT]),
    ]
    assert len({str(error.to_dict()) for error in errors}) == 1
    assert len({error.reason for error in errors}) > 1


@pytest.mark.parametrize(
    ("verify", "secret"),
    [
        (verify_standard, "whsec_"),
        (verify_standard, "whsec_" + base64.b64encode(bytes(23)).decode()),
        (verify_standard, "whsec_not-base64-but-long-enough-for-it"),
        (verify_standard, base64.b64encode(bytes(32)).decode()),
        (verify_standard, "whsk_" + base64.b64encode(bytes(32)).decode()),
        (verify_standard, "whpk_" + base64.b64encode(bytes(33)).decode()),
        (verify_github, "too-short"),
        (verify_stripe, "too-short"),
    ],
)
def test_a_secret_of_the_wrong_form_is_named_by_its_place_and_not_shown(verify: Callable[..., None], secret: str):
    with pytest.raises(ConfigurationError) as caught:
        verify(delivered({}), [OLD if verify is verify_standard else TEXT, secret])
    assert str(caught.value).startswith("entry 2 ")
    assert not secret.partition("_")[2] or secret.partition("_")[2] not in str(caught.value)


def test_a_secret_without_the_padding_of_base64_is_taken():
    verify_standard(standard(v1(OLD)), [OLD.rstrip("=")])
