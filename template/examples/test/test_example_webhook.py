"""Deliveries through the local router into a real inbox, genuine and hostile ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from typing import Any

import pytest

from example_webhook import MAX_BODY_BYTES, SOURCES, Source
from example_webhook_signatures import verify_standard
from helpers import execute, fetch_all, get_secret
from kit.pod import Pod

SECRET = "whsec_" + base64.b64encode(b"a standard webhooks secret of 32").decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"the secret that replaces it, too").decode()
GITHUB_SECRET, STRIPE_SECRET = "the-secret-of-a-repository", "whsec_the-secret-of-an-endpoint"
BODY = b'{"type": "invoice.paid", "data": {"card": "4242-4242"}}'


@pytest.fixture(autouse=True)
def _secrets(pod: Pod) -> None:
    pod.set_secret("WEBHOOK_STANDARD_SECRETS", SECRET)
    pod.set_secret("WEBHOOK_GITHUB_SECRETS", GITHUB_SECRET)
    pod.set_secret("WEBHOOK_STRIPE_SECRETS", STRIPE_SECRET)


def digest(key: bytes, signed: bytes) -> hmac.HMAC:
    return hmac.new(key, signed, hashlib.sha256)


def signed(body: bytes = BODY, secret: str = SECRET, event_id: str = "msg_1", age: int = 0) -> dict[str, str]:
    timestamp = int(time.time()) - age
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(digest(key, f"{event_id}.{timestamp}.".encode() + body).digest()).decode()
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}


def by_github(
    body: bytes = BODY, event_id: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958", kind: str = "push"
) -> dict[str, str]:
    signature = "sha256=" + digest(GITHUB_SECRET.encode(), body).hexdigest()
    return {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": event_id, "X-GitHub-Event": kind}


def by_stripe(body: bytes, age: int = 0) -> dict[str, str]:
    timestamp = int(time.time()) - age
    signature = digest(STRIPE_SECRET.encode(), f"{timestamp}.".encode() + body).hexdigest()
    return {"Stripe-Signature": f"t={timestamp},v1={signature}"}


def send(client: Any, headers: dict[str, str], body: bytes = BODY, source: str = "standard") -> Any:
    return client.post(f"/webhooks/{source}", data=body, headers={"Content-Type": "application/json", **headers})


def inbox() -> list[dict[str, Any]]:
    return fetch_all("SELECT * FROM webhook_inbox ORDER BY received_at")


def test_a_genuine_delivery_is_stored_byte_by_byte_and_answered_at_once(client: Any):
    body = b'{ "type":"invoice.paid",\n "amount": 1.10, "amount": 2 }'
    response = send(client, signed(body), body)
    assert (response.status_code, response.json) == (202, {"source": "standard", "event_id": "msg_1"})
    [row] = inbox()
    assert bytes(row["body"]) == body
    assert (row["source"], row["event_id"], row["event_type"]) == ("standard", "msg_1", "invoice.paid")
    assert (row["state"], row["attempts"]) == ("received", 0)


def test_a_repeated_delivery_gets_the_same_answer_and_is_stored_once(client: Any):
    answers = [
        send(client, signed()),
        send(client, signed(age=5)),
        send(client, signed(b'{"other": 1}'), b'{"other": 1}'),
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.data for answer in answers}) == 1
    assert [bytes(row["body"]) for row in inbox()] == [BODY], "the first delivery counts"


def test_a_repeated_delivery_of_an_event_that_is_done_is_not_worked_off_again(client: Any):
    send(client, signed())
    client.timer("inbox")
    send(client, signed())
    assert client.timer("inbox").json["done"] == 0
    assert [row["state"] for row in inbox()] == ["done"]


def test_the_same_id_from_another_source_is_another_event(client: Any):
    send(client, signed(event_id="same"))
    assert send(client, by_github(event_id="same"), source="github").status_code == 202
    assert len(inbox()) == 2


def test_github_names_events_in_headers_and_stripe_in_the_body(client: Any):
    ping = b'{"zen": "Keep it logically awesome.", "hook_id": 1}'
    assert send(client, by_github(ping, kind="ping"), ping, "github").status_code == 202
    paid = b'{"id": "evt_1", "object": "event", "type": "charge.succeeded"}'
    assert send(client, by_stripe(paid), paid, "stripe").json == {"source": "stripe", "event_id": "evt_1"}
    assert [(row["source"], row["event_type"]) for row in inbox()] == [
        ("github", "ping"),
        ("stripe", "charge.succeeded"),
    ]


def test_another_sender_is_one_entry_and_its_secrets_are_its_own(
    client: Any, pod: Pod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    entry = Source(
        secrets=lambda: get_secret("WEBHOOK_ACME_SECRETS"),
        verify=verify_standard,
        name_event=lambda sent, payload: (sent.header("webhook-id"), payload.get("event")),
    )
    monkeypatch.setitem(SOURCES, "acme", entry)
    assert send(client, signed(), source="acme").status_code == 404, "it has no secret yet"
    pod.set_secret("WEBHOOK_ACME_SECRETS", NEW_SECRET)
    assert send(client, signed(), source="acme").status_code == 401, "the secret of another source"
    body = b'{"event": "parcel.sent"}'
    assert send(client, signed(body, NEW_SECRET), body, "acme").status_code == 202
    assert [(row["source"], row["event_type"]) for row in inbox()] == [("acme", "parcel.sent")]
    pod.set_secret("WEBHOOK_ACME_SECRETS", "mistyped")
    assert send(client, signed(), source="acme").json["error_code"] == "CONFIGURATION_ERROR"
    assert "secrets of the webhook source acme: entry 1 is not" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [None, 7, "", "x" * 201, "a\u0000b", {"a": 1}])
def test_an_event_that_does_not_say_its_type_is_stored_as_unknown(client: Any, kind: Any):
    body = json.dumps({"type": kind}).encode()
    assert send(client, signed(body), body).status_code == 202
    assert inbox()[0]["event_type"] == "unknown"


def test_while_a_secret_is_rotated_both_are_valid_and_afterwards_only_the_new_one(client: Any, pod: Pod):
    assert send(client, signed(secret=NEW_SECRET)).status_code == 401
    pod.set_secret("WEBHOOK_STANDARD_SECRETS", f"{NEW_SECRET} {SECRET}\n")
    assert send(client, signed(secret=NEW_SECRET)).status_code == 202
    assert send(client, signed(event_id="msg_2")).status_code == 202
    both = signed(event_id="msg_3")
    both["webhook-signature"] += " " + signed(secret=NEW_SECRET, event_id="msg_3")["webhook-signature"]
    assert send(client, both).status_code == 202
    pod.set_secret("WEBHOOK_STANDARD_SECRETS", NEW_SECRET)
    assert send(client, signed(event_id="msg_4")).status_code == 401
    assert len(inbox()) == 3


def test_a_delivery_is_refused_when_its_time_is_far_from_ours(client: Any, pod: Pod):
    assert [send(client, signed(age=age)).status_code for age in (310, -310)] == [401, 401]
    assert [send(client, signed(age=age, event_id=f"m{age}")).status_code for age in (290, -290)] == [202, 202]
    pod.set_config("WEBHOOK_TOLERANCE_SECONDS", "60")
    assert send(client, signed(age=70)).status_code == 401
    body = b'{"id": "evt_1"}'
    assert send(client, by_stripe(body, age=-3_600), body, "stripe").status_code == 401


HOSTILE: dict[str, dict[str, str]] = {
    "no header": {},
    "empty headers": dict.fromkeys(signed(), ""),
    "no comma in the signature": {**signed(), "webhook-signature": "v1"},
    "two commas": {**signed(), "webhook-signature": "v1,a,b"},
    "no base64": {**signed(), "webhook-signature": "v1,!"},
    "no ASCII": {**signed(), "webhook-signature": "v1,\xe4\xf6\xfc"},
    "a list of 10 kB": {**signed(), "webhook-signature": "v1,YQ== " * 1_250},
    "one signature of 10 kB": {**signed(), "webhook-signature": "v1," + "A" * 10_240},
    "a fraction of a second": {**signed(), "webhook-timestamp": f"{int(time.time())}.75"},
    "blanks and underscores": {**signed(), "webhook-timestamp": " 16740_87231 "},
    "digits of another script": {**signed(), "webhook-timestamp": "\u0661\u0662".encode().decode("latin-1")},
    "a huge number": {**signed(), "webhook-timestamp": "9" * 5_000},
    "a number that is no number": {**signed(), "webhook-timestamp": "nan"},
    "an id with NUL": {**signed(), "webhook-id": "a\0b"},
    "another id": {**signed(), "webhook-id": "msg_2"},
    "names with underscores": {name.replace("-", "_"): value for name, value in signed().items()},
    "a repeated id": {**signed(), "webhook-id": "msg_1msg_1"},
    "repeated signatures, joined as gevent does": {**signed(), "webhook-signature": "v1,YQ==,v1,YQ=="},
}


@pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_delivery_is_refused_with_one_and_the_same_answer(client: Any, headers: dict[str, str]):
    bodies = (BODY, b"", b"\xff\xfe", b"not json")
    for source, body in itertools.product(("standard", "github", "stripe"), bodies):
        response = send(client, headers, body, source)
        assert (response.status_code, response.json["error_code"]) == (401, "SIGNATURE_INVALID")
        assert (response.json["error_msg"], response.json["details"]) == ("The signature is not valid.", None)
        assert response.headers["WWW-Authenticate"] == "Signature"
    assert inbox() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"\xff", b"[]", b"null", b'"text"', b'{"type": "\\ud800"}', b"[" * 50_000, b'{"a":' * 10_000,
     b'{"n": NaN}', b'{"n":' + b"9" * 5_000 + b"}", b'{"a": "\0"}', b"a=1&payload=%7B%7D"],
)  # fmt: skip
def test_a_signed_body_that_is_no_json_object_is_refused(client: Any, body: bytes):
    for source, headers in (("standard", signed(body)), ("github", by_github(body)), ("stripe", by_stripe(body))):
        response = send(client, headers, body, source)
        assert (response.status_code, response.json["error_code"]) == (400, "VALIDATION_ERROR")
    assert inbox() == []


@pytest.mark.parametrize("event_id", [None, 7, "", "a b", "mußte", "x" * 201, {"a": 1}])
def test_a_signed_event_without_a_usable_id_is_refused(client: Any, event_id: Any):
    body = json.dumps({"id": event_id}).encode()
    assert send(client, by_stripe(body), body, "stripe").status_code == 400
    text = event_id.encode().decode("latin-1") if isinstance(event_id, str) else ""
    assert send(client, by_github(event_id=text), source="github").status_code == 400


def test_a_body_that_is_too_large_is_refused_before_anything_else(client: Any):
    assert send(client, {}, b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert send(client, {}, b"x" * MAX_BODY_BYTES).status_code == 401
    assert inbox() == []


def test_what_a_browser_would_call_a_form_is_verified_over_the_same_bytes(client: Any):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""):
        assert send(client, {**signed(event_id=f"m{len(kind)}"), "Content-Type": kind}).status_code == 202


@pytest.mark.parametrize("source", ["unknown", "Standard", "inbox", "J%C3%BCrgen", "x" * 500])
def test_an_unknown_source_is_not_found(client: Any, source: str):
    assert send(client, signed(), source=source).status_code in (400, 404)


def test_a_source_without_a_secret_looks_like_one_that_does_not_exist(client: Any, pod: Pod):
    pod.set_secret("WEBHOOK_GITHUB_SECRETS", " \n")
    answers = [send(client, by_github(), source=source) for source in ("github", "unknown")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.json["error_msg"] for answer in answers}) == 1


def test_a_source_that_is_gone_tells_its_sender_to_stop(client: Any, pod: Pod):
    pod.set_config("WEBHOOK_GONE_SOURCES", "github standard")
    assert [send(client, signed(), source=s).status_code for s in ("standard", "github", "stripe")] == [410, 410, 401]


@pytest.mark.parametrize(("key", "value"), [("WEBHOOK_TOLERANCE_SECONDS", "5m"), ("WEBHOOK_TOLERANCE_SECONDS", "0")])
def test_a_setting_that_makes_no_sense_is_an_error_of_ours(client: Any, pod: Pod, key: str, value: str):
    pod.set_config(key, value)
    assert send(client, signed()).json["error_code"] == "CONFIGURATION_ERROR"


def test_a_secret_of_the_wrong_form_is_an_error_of_ours_and_stays_secret(client: Any, pod: Pod, capsys: Any):
    pod.set_secret("WEBHOOK_STANDARD_SECRETS", f"{SECRET} whsec_mistyped")
    response = send(client, signed())
    assert (response.status_code, response.json["error_code"]) == (500, "CONFIGURATION_ERROR")
    log = capsys.readouterr().out
    assert "secrets of the webhook source standard: entry 2 is not" in log
    assert "mistyped" not in log + response.text


def test_neither_secrets_nor_bodies_nor_signatures_get_into_the_log(client: Any, capsys: Any):
    genuine = signed()
    send(client, genuine)
    send(client, genuine)
    send(client, {**genuine, "webhook-id": "msg_2"})
    client.timer("inbox")
    log = capsys.readouterr().out
    assert "webhook stored" in log
    assert "webhook repeated" in log
    assert '"reason": "no signature matches"' in log
    for hidden in (SECRET, SECRET.removeprefix("whsec_"), "4242", genuine["webhook-signature"].removeprefix("v1,")):
        assert hidden not in log


def test_of_the_headers_only_harmless_ones_are_kept(client: Any):
    send(client, {**signed(), "Authorization": "Bearer x", "Cookie": "a=b", "User-Agent": "Sender/1 \xe9\x07"})
    [row] = inbox()
    assert row["headers"].keys() == {"content-type", "user-agent", "webhook-timestamp", "x-fission-request-id"}
    assert row["headers"]["user-agent"] == "Sender/1 \xe9"


@pytest.mark.parametrize("text", ["'; DROP TABLE webhook_inbox; --", "%(id)s %s %%", "\\'); SELECT 1", "$$; --"])
def test_sql_in_any_field_is_only_text(client: Any, text: str):
    body = json.dumps({"type": text, "id": "evt"}).encode()
    assert send(client, {**signed(body), "User-Agent": text}, body).status_code == 202
    assert inbox()[0]["event_type"] == text
    assert send(client, by_github(event_id="x", kind=text), source="github").status_code == 202
    for field in ("source", "event_type", "state", "cursor", "sort"):
        assert client.get("/webhooks/inbox", query_string={field: text}).status_code in (200, 400)
    assert client.get("/webhooks/inbox", query_string={"event_type": text}).json["items"]
    assert execute("SELECT 1 FROM webhook_inbox") == 2
