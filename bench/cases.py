"""What is measured, with which requests, and against which targets."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from bench.driver import PLACEHOLDER, build_request
from bench.stage import ORIGIN, Stage

PAGE = 50  # rows of one page of the list
PAGES = 20  # different pages that are asked for

# What Fission's router adds to every request, and what a browser and a gateway do.
HEADERS = {
    "User-Agent": "bench",
    "Accept": "application/json",
    "Origin": ORIGIN,
    "X-User": "ada",
    "X-Fission-Request-Id": "0b9f4f5e-6a45-4a36-9d0b-6f0c2f3f6a11",
    "X-Fission-Function-Name": "your-service-items",
    "X-Fission-Function-Namespace": "default",
    "X-Fission-Function-Uid": "5e3d3f2a-9a44-4c55-8a59-2c8f6f1f4d10",
    "X-Fission-Function-ResourceVersion": "4711",
    "X-Forwarded-Host": "api.example",
    "Forwarded": "host=api.example;",
}

NEW_ITEM = {
    "name": f"Bench {PLACEHOLDER.decode()}",
    "description": "A sturdy thing of wood and felt",
    "price": "12.50",
    "status": "active",
    "dimensions": {"width_mm": 120, "height_mm": 80, "depth_mm": 40},
}


@dataclass(frozen=True)
class Contender:
    """One server with what it is asked.

    Attributes:
        label: names it in results; usually the server's name.
        server: module of ``bench.servers``.
        requests: HTTP messages, sent in turn.
    """

    label: str
    server: str
    requests: list[bytes]


@dataclass(frozen=True)
class Case:
    """One kind of request.

    Attributes:
        key: names it in results.
        title: names it for people.
        contenders: who takes part; the first one is ours.
        targets: label of another contender to the least ratio of our answers per second to its own; None only shows.
    """

    key: str
    title: str
    contenders: list[Contender]
    targets: dict[str, float | None]


def build(stage: Stage, urls: dict[str, str]) -> list[Case]:
    """Return all cases, after making sure that the servers answer the same.

    Args:
        stage: the database and the pod.
        urls: the running servers.

    Raises:
        RuntimeError: two servers give different answers, so that comparing them would mean nothing.
    """
    return [_read(stage, urls), _list(urls), _insert()]


def _read(stage: Stage, urls: dict[str, str]) -> Case:
    requests = [_message("GET", f"/items/{key}", key) for key in stage.ids]
    servers = ["ours", "naive", "fastapi_asyncpg", "sqlalchemy_gunicorn", "bare"]
    for key in stage.ids[:2]:
        answers = {server: _comparable(_ask(urls[server], f"/items/{key}", key)) for server in servers}
        _require_same(answers)
    return Case(
        "get",
        "GET one item by id",
        [Contender(server, server, requests) for server in servers],
        {"naive": 25, "fastapi_asyncpg": 1.1, "sqlalchemy_gunicorn": 2.5, "bare": 0.75},
    )


def _list(urls: dict[str, str]) -> Case:
    """Ask for the same pages: ours by cursor, FastAPI by offset, without and with the number of all rows."""
    by_cursor, by_offset, with_total = [], [], []
    cursor = ""
    for page in range(PAGES):
        targets = [
            f"/items?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""),
            f"/items?limit={PAGE}&offset={page * PAGE}",
            f"/items?limit={PAGE}&offset={page * PAGE}&total=true",
        ]
        ours = _ask(urls["ours"], targets[0])
        theirs = _ask(urls["fastapi_asyncpg"], targets[1])
        _require_same({"ours": ours["items"], "fastapi_asyncpg": theirs["items"]})
        cursor = ours["next_cursor"]
        for requests, target in zip((by_cursor, by_offset, with_total), targets, strict=True):
            requests.append(_message("GET", target))
    return Case(
        "list",
        f"List of {PAGE} rows",
        [
            Contender("ours", "ours", by_cursor),
            Contender("fastapi_asyncpg", "fastapi_asyncpg", by_offset),
            Contender("fastapi_asyncpg_total", "fastapi_asyncpg", with_total),
        ],
        {"fastapi_asyncpg": 1.2, "fastapi_asyncpg_total": None},
    )


def _insert() -> Case:
    return Case(
        "insert",
        "INSERT ... RETURNING",
        [Contender("ours", "ours", INSERTS), Contender("bare", "bare", INSERTS)],
        {"bare": 0.8},
    )


def _headers(target: str, itemid: str | None) -> dict[str, str]:
    headers = {**HEADERS, "X-Fission-Full-Url": target}
    if itemid:
        headers["X-Fission-Params-Itemid"] = itemid
    return headers


def _message(method: str, target: str, itemid: str | None = None, body: bytes = b"") -> bytes:
    return build_request(method, target, _headers(target, itemid), body)


def _ask(url: str, target: str, itemid: str | None = None) -> Any:
    request = urllib.request.Request(url + target, headers=_headers(target, itemid))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _comparable(item: dict[str, Any]) -> dict[str, Any]:
    """Leave out the times, whose form is the server's choice: the bare limit sends PostgreSQL's own."""
    return {key: value for key, value in item.items() if not key.endswith("_at")}


def _require_same(answers: dict[str, Any]) -> None:
    ours = answers["ours"]
    for server, answer in answers.items():
        if answer != ours:
            raise RuntimeError(f"{server} answers {str(answer)[:200]}, but ours {str(ours)[:200]}")


INSERTS = [_message("POST", "/items", body=json.dumps(NEW_ITEM).encode())]
