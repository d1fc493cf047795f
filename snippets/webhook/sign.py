"""Sign a webhook as Standard Webhooks prescribes, and send it: python sign.py URL ID BODY"""

import base64
import hashlib
import hmac
import os
import sys
import time
import urllib.error
import urllib.request


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(url: str, event_id: str, body: bytes) -> None:
    now = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(os.environ["SIGNING_SECRET"], event_id, now, body),
    }
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        print(answer.status, answer.read().decode())


if len(sys.argv) == 4 and sys.argv[1].startswith("http"):
    send(sys.argv[1], sys.argv[2], sys.argv[3].encode())
