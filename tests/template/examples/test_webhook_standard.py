"""The webhook example against the reference implementation of Standard Webhooks, and against any bytes at all."""

from __future__ import annotations

import base64
import hmac
import time
from datetime import UTC, datetime
from typing import Any

import example_webhook_signatures as signatures
import pytest
from example_webhook_signatures import Delivery, SignatureInvalidError, verify_github, verify_standard, verify_stripe
from helpers import fetch_one
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kit.pod import Pod
from models import ErrorResponse
from nacl.signing import SigningKey
from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TEXT_SECRET = "a-secret-of-github-or-stripe"
SEED = SigningKey(bytes(range(32)))
SECRETS = {
    "WEBHOOK_STANDARD_SECRETS": f"{SECRET} whpk_{base64.b64encode(bytes(SEED.verify_key)).decode()}",
    "WEBHOOK_GITHUB_SECRETS": TEXT_SECRET,
    "WEBHOOK_STRIPE_SECRETS": TEXT_SECRET,
}
SOURCES = ("standard", "github", "stripe")

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."), min_size=1, max_size=60)
keys = st.binary(min_size=24, max_size=64)
wire = st.text(st.characters(min_codepoint=0, max_codepoint=255, exclude_characters="\r\n"), max_size=80)
tokens = st.sampled_from(
    ["v1", "v1a", "v2", ",", " ", "=", "t", "sha256", "YWJj", "0" * 64, "\xe9", "\0", ".", str(int(time.time())), "1e9"]
)
near = st.lists(tokens, max_size=12).map("".join)
bodies = st.binary(max_size=80) | st.sampled_from([b"{}", b'{"type": "a"}', b'{"id": "evt_1"}', b'{"id": {}}', b"[]"])

fuzz = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def receiver(client: Any, pod: Pod) -> Any:
    for key, value in SECRETS.items():
        pod.set_secret(key, value)
    return client


def written(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def sent(signature: str, event_id: str, at: int, body: bytes) -> Delivery:
    headers = {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}
    return Delivery(headers, body, at, 300)


def accepts(delivery: Delivery, secrets: list[str]) -> bool:
    try:
        verify_standard(delivery, secrets)
    except SignatureInvalidError:
        return False
    return True


def they_accept(delivery: Delivery, secret: str) -> bool:
    try:
        Webhook(secret).verify(delivery.body, dict(delivery.headers), json_parse=False)
    except Exception:  # it lets several other errors escape
        return False
    return True


@given(key=keys, event_id=ids, at=st.integers(0, 4_000_000_000), body=st.text(max_size=200))
def test_what_the_reference_implementation_signs_is_valid_and_nothing_near_it(
    key: bytes, event_id: str, at: int, body: str
):
    secret, data = written(key), body.encode()
    theirs = Webhook(secret).sign(event_id, datetime.fromtimestamp(at, UTC), body)
    assert accepts(sent(theirs, event_id, at, data), [secret])
    assert accepts(sent(f"v1a,YQ== {theirs}", event_id, at, data), [written(bytes(24)), secret])
    assert not accepts(sent(theirs, event_id + "x", at, data), [secret])
    assert not accepts(sent(theirs, event_id, at + 1, data), [secret])
    assert not accepts(sent(theirs, event_id, at, data + b" "), [secret])
    assert not accepts(sent(theirs, event_id, at, data), [written(key + b"x")])


@given(key=keys, event_id=ids, age=st.integers(-299, 299), body=st.text(max_size=200))
def test_what_we_accept_the_reference_implementation_accepts_too(key: bytes, event_id: str, age: int, body: str):
    at = int(time.time()) - age
    mac = hmac.digest(key, f"{event_id}.{at}.{body}".encode(), "sha256")
    delivery = sent("v1," + base64.b64encode(mac).decode(), event_id, at, body.encode())
    assert accepts(delivery, [written(key)])
    assert they_accept(delivery, written(key))


@given(header=near | wire, event_id=ids | wire, timestamp=wire | near, body=bodies)
@example(header="v1", event_id="a", timestamp="1", body=b"")
@example(header="v1a,", event_id="a", timestamp=str(int(time.time())), body=b"\xff")
def test_no_headers_and_no_body_make_a_check_fail_otherwise_than_by_refusing(
    header: str, event_id: str, timestamp: str, body: bytes
):
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": header,
        "x-hub-signature-256": header,
        "stripe-signature": header,
    }
    delivery = Delivery(headers, body, int(time.time()), 300)
    for verify, name in zip((verify_standard, verify_github, verify_stripe), SECRETS, strict=True):
        with pytest.raises(SignatureInvalidError):
            verify(delivery, SECRETS[name].split())


def test_whether_a_signature_matches_is_decided_in_constant_time(monkeypatch: pytest.MonkeyPatch):
    body, at = b"{}", 1_700_000_000
    standard = sent(Webhook(SECRET).sign("a", datetime.fromtimestamp(at, UTC), "{}"), "a", at, body)
    github = "sha256=" + hmac.new(TEXT_SECRET.encode(), body, "sha256").hexdigest()
    stripe = f"t={at},v1=" + hmac.new(TEXT_SECRET.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    headers = {**standard.headers, "x-hub-signature-256": github, "stripe-signature": stripe}
    delivery = Delivery(headers, body, at, 300)
    checks = list(zip((verify_standard, verify_github, verify_stripe), SECRETS.values(), strict=True))
    for verify, secrets in checks:
        verify(delivery, secrets.split())
    monkeypatch.setattr(signatures.hmac, "compare_digest", lambda *_: False)
    for verify, secrets in checks:
        with pytest.raises(SignatureInvalidError):
            verify(delivery, secrets.split())


def judge(response: Any, *expected: int) -> None:
    assert response.status_code in expected, (response.status_code, response.text)
    if response.status_code >= 400:
        assert response.content_type == "application/problem+json"
        ErrorResponse.model_validate(response.json)


@fuzz
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256", "x-github-delivery",
             "x-github-event", "stripe-signature", "content-type", "user-agent", "x-user", "content-encoding"]),
        near | wire, max_size=8),
    body=bodies,
    source=st.sampled_from(SOURCES),
)  # fmt: skip
def test_whatever_an_unknown_sender_sends_is_refused(receiver: Any, headers: dict[str, str], body: bytes, source: str):
    judge(receiver.post(f"/webhooks/{source}", data=body, headers=headers), 401)


@fuzz
@given(event_id=ids | wire, kind=wire, agent=wire, body=bodies, seal=st.booleans())
def test_whatever_a_known_sender_signs_is_stored_or_refused_as_wrong(
    receiver: Any, event_id: str, kind: str, agent: str, body: bytes, seal: bool
):
    at = int(time.time())
    signed = event_id.encode("latin-1") + f".{at}.".encode() + body
    mac = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")
    text = (
        f"v1a,{base64.b64encode(SEED.sign(signed).signature).decode()}"
        if seal
        else f"v1,{base64.b64encode(mac).decode()}"
    )
    stripe = hmac.new(TEXT_SECRET.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": text,
        "x-hub-signature-256": "sha256=" + hmac.new(TEXT_SECRET.encode(), body, "sha256").hexdigest(),
        "x-github-delivery": event_id,
        "x-github-event": kind,
        "stripe-signature": f"t={at},v1={stripe}",
        "user-agent": agent,
    }
    for source in SOURCES:
        judge(receiver.post(f"/webhooks/{source}", data=body, headers=headers), 202, 400, 401)
    judge(receiver.timer("inbox"), 200)
    row = fetch_one("SELECT count(*) FROM webhook_inbox WHERE state = 'received' AND attempts = 0")
    assert row == {"count": 0}, "the run came to its end"
