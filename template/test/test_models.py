"""Models: what every function shares, in a model as functions write theirs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from models import Line, ListQuery, PaginatedResponse, Price, Search, StrictModel, Text


class Parcel(StrictModel):
    title: Line
    note: Text = ""
    price: Price
    weight_g: Annotated[int, Field(gt=0)] = 1


class ParcelFilter(ListQuery):
    search: Search | None = None


class ParcelResponse(BaseModel):
    title: str
    price: Decimal


RIGHT = {"title": "Kettle", "price": "12.50"}


def test_a_model_takes_its_defaults_and_strips_blanks_around_a_line():
    parcel = Parcel.model_validate_json(json.dumps(RIGHT | {"title": "  Kettle "}))
    assert (parcel.title, parcel.note, parcel.price) == ("Kettle", "", Decimal("12.50"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "   "},
        {"title": "x" * 201},
        {"title": "a\0b"},
        {"title": 7},
        {"note": "a\0b"},
        {"note": "x" * 10_001},
        {"price": -1},
        {"price": "0.001"},
        {"price": "NaN"},
        {"price": 10**13},
        {"weight_g": 0},
        {"weight_g": "1"},
        {"colour": "red"},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_body_with_one_wrong_field_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Parcel.model_validate_json(json.dumps(RIGHT | wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"offset": "-1"},
        {"total": "perhaps"},
        {"search": ""},
        {"search": "a\0"},
        {"x": "1"},
    ],
    ids=str,
)
def test_a_query_with_one_wrong_parameter_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValidationError):
        ParcelFilter.model_validate_strings(wrong)


def test_a_page_carries_items_of_its_type():
    page = PaginatedResponse[ParcelResponse].model_validate({"items": [{**RIGHT, "secret": "x"}], "limit": 20})
    assert json.loads(page.model_dump_json())["items"] == [RIGHT]
