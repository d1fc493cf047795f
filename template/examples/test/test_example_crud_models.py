"""Models of items: what clients may send, and what they get."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import ValidationError

from example_crud_models import ItemFilter, ItemIn, ItemResponse, ItemStatus
from models import PaginatedResponse

RIGHT = {"name": "Kettle", "price": "12.50", "dimensions": {"width_mm": 1, "height_mm": 2, "depth_mm": 3}}


def test_an_item_takes_its_defaults():
    item = ItemIn.model_validate_json(json.dumps(RIGHT))
    assert (item.status, item.description, item.price) == (ItemStatus.DRAFT, "", Decimal("12.50"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "   "},
        {"name": "x" * 201},
        {"name": 7},
        {"description": "a\0b"},
        {"price": -1},
        {"price": "0.001"},
        {"status": "sold"},
        {"dimensions": {"width_mm": 0, "height_mm": 1, "depth_mm": 1}},
        {"dimensions": {"width_mm": "1", "height_mm": 1, "depth_mm": 1}},
        {"colour": "red"},
        {"version": 7},
    ],
    ids=str,
)
def test_an_item_with_one_wrong_field_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        ItemIn.model_validate_json(json.dumps(RIGHT | wrong))


@pytest.mark.parametrize("wrong", [{"status": "sold"}, {"min_price": "-1"}, {"search": ""}, {"search": "a\0"}], ids=str)
def test_a_filter_with_one_wrong_value_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValidationError):
        ItemFilter.model_validate_strings(wrong)


def test_a_page_of_items_shows_prices_as_they_are_stored():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    item = {**RIGHT, "id": UUID(int=7), "description": "", "status": "draft", "version": 1}
    item |= {"created_at": now, "updated_at": now, "secret": "x"}
    page = PaginatedResponse[ItemResponse].model_validate({"items": [item], "limit": 20})
    shown = json.loads(page.model_dump_json())["items"][0]
    assert shown["price"] == "12.50"
    assert "secret" not in shown
