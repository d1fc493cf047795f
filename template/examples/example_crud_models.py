"""The shapes of items: what clients send, what they ask for, and what they get.

Three models and not one, because they grow in different directions: a column that clients must not set never enters
``ItemIn``, one that they must not see never enters ``ItemResponse``.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from models import Line, ListQuery, Price, Search, StrictModel, Text


class ItemStatus(StrEnum):
    """Where an item stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class Dimensions(StrictModel):
    """Outer measures of an item, millimetres."""

    width_mm: Annotated[int, Field(gt=0, le=100_000)]
    height_mm: Annotated[int, Field(gt=0, le=100_000)]
    depth_mm: Annotated[int, Field(gt=0, le=100_000)]


class ItemIn(StrictModel):
    """An item as clients send it, to create one or to replace one completely."""

    name: Line
    description: Text = ""
    price: Price
    status: ItemStatus = ItemStatus.DRAFT
    dimensions: Dimensions | None = None


class ItemResponse(BaseModel):
    """An item as clients get it. ``version`` is 1 at first and grows by 1 with each change; it is the ETag, too."""

    id: UUID
    name: str
    description: str
    price: Decimal
    status: ItemStatus
    dimensions: Dimensions | None
    version: int
    created_at: datetime
    updated_at: datetime


class ItemFilter(ListQuery):
    """Which items a list shows; all conditions must hold."""

    status: ItemStatus | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    search: Search | None = None
