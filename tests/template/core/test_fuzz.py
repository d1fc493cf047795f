"""Whatever a caller sends, the answer is never a 5xx, never HTML, and never without the promised keys."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import ErrorResponse

texts = st.text(max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
near_items = st.fixed_dictionaries(
    {"name": texts | anything, "price": st.decimals(allow_nan=True).map(str) | st.integers() | st.floats() | anything},
    optional={
        "description": texts | anything,
        "status": st.sampled_from(["draft", "active", "sold"]) | anything,
        "dimensions": st.dictionaries(st.sampled_from(["width_mm", "height_mm", "depth_mm"]), st.integers()) | anything,
    },
)
queries = st.lists(
    st.tuples(
        st.sampled_from(
            ["limit", "offset", "cursor", "sort", "total", "status", "min_price", "max_price", "search"]) | texts,
        texts | st.integers().map(str) | st.decimals().map(str) | st.sampled_from(["-price", "name", "draft", "true"]),
    ),
    max_size=4,
)  # fmt: skip
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)

fuzz = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def judge(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.content_type == "application/problem+json"
        ErrorResponse.model_validate(response.json)
    elif response.data:
        json.loads(response.data)


@fuzz
@given(body=near_items | anything)
def test_any_json_body(client: Any, body: Any):
    judge(
        client.post("/items", data=json.dumps(body).encode("utf-8", "surrogatepass"), content_type="application/json")
    )


@fuzz
@given(body=st.binary(max_size=200), content_type=header_values)
def test_any_bytes_as_body(client: Any, body: bytes, content_type: str):
    judge(client.post("/items", data=body, content_type="application/json"))
    judge(client.post("/items", data=body, headers={"Content-Type": content_type}))


@fuzz
@given(query=queries)
def test_any_query(client: Any, query: list[tuple[str, str]]):
    judge(client.get("/items?" + "&".join(f"{quote(key)}={quote(value)}" for key, value in query)))


@fuzz
@given(query=st.binary(max_size=60))
def test_any_bytes_as_query(client: Any, query: bytes):
    judge(client.get("/items?" + quote(query, safe="=&+%;[]")))


@fuzz
@given(content=anything | st.tuples(texts, texts, texts), data=st.data())
def test_any_cursor(client: Any, content: Any, data: st.DataObject):
    if data.draw(st.booleans()):  # one of ours, with other values in it
        client.post("/items", json={"name": "a", "price": 1})
        client.post("/items", json={"name": "b", "price": 1})
        ours = client.get("/items?limit=1").json["next_cursor"]
        mark = json.loads(base64.urlsafe_b64decode(ours + "=="))[0]
        content = [mark, *data.draw(st.tuples(texts, texts) | st.tuples(anything, anything))]
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    judge(client.get(f"/items?cursor={cursor}"))


@fuzz
@given(itemid=st.text(min_size=1, max_size=40).filter(lambda text: "/" not in text and text.isprintable()))
def test_any_path_parameter(client: Any, itemid: str):
    for method in ("GET", "PUT", "DELETE"):
        response = client.open(
            method, f"/items/{quote(itemid, safe='')}", json={"name": "a", "price": 1}, headers={"If-Match": "*"}
        )
        assert response.status_code < 500, response.text


@fuzz
@given(
    user=header_values,
    request_id=header_values,
    trace=header_values,
    origin=header_values,
    forged=header_values,
    tags=header_values,
)
def test_any_header(client: Any, user: str, request_id: str, trace: str, origin: str, forged: str, tags: str):
    headers = {
        "X-User": user,
        "X-Fission-Request-Id": request_id,
        "Traceparent": trace,
        "Origin": origin,
        "X-Fission-Params-Itemid": forged,
        "X-Fission-Function-Namespace": forged,
        "If-Match": tags,
        "Idempotency-Key": tags,
    }
    judge(client.get("/items", headers=headers))
    judge(client.get("/items/7", headers=headers))
    judge(client.post("/items", headers=headers, json={"name": "a", "price": 1}))
    judge(client.put(f"/items/{UUID(int=7)}", headers=headers, json={"name": "a", "price": 1}))
