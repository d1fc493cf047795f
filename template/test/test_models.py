"""Models: what clients may send, and what they get."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import ValidationError

from models import ItemFilter, ItemIn, ItemResponse, ItemStatus, PaginatedResponse

RIGHT = {"name": "Kettle", "price": "12.50", "dimensions": {"width_mm": 1, "height_mm": 2, "depth_mm": 3}}


def test_an_item_takes_its_defaults():
    item = ItemIn.model_validate_json(json.dumps(RIGHT))
    assert (item.status, item.description, item.price) == (ItemStatus.DRAFT, "", Decimal("12.50"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "   "},
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"name": 7},
        {"price": -1},
        {"price": "0.001"},
        {"price": "NaN"},
        {"price": 10**13},
        {"status": "sold"},
        {"dimensions": {"width_mm": 0, "height_mm": 1, "depth_mm": 1}},
        {"dimensions": {"width_mm": "1", "height_mm": 1, "depth_mm": 1}},
        {"colour": "red"},
    ],
    ids=str,
)
def test_an_item_with_one_wrong_field_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        ItemIn.model_validate_json(json.dumps(RIGHT | wrong))


@pytest.mark.parametrize(
    "wrong", [{"limit": "0"}, {"limit": "101"}, {"offset": "-1"}, {"total": "perhaps"}, {"x": "1"}]
)
def test_a_query_with_one_wrong_parameter_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValidationError):
        ItemFilter.model_validate_strings(wrong)


def test_a_page_carries_items_of_its_type():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    item = {**RIGHT, "id": UUID(int=7), "description": "", "status": "draft", "created_at": now, "updated_at": now}
    page = PaginatedResponse[ItemResponse].model_validate({"items": [item], "limit": 20})
    assert json.loads(page.model_dump_json())["items"][0]["price"] == "12.50"
