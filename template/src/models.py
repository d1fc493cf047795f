"""The shapes of what the service receives and returns.

Here is what all functions share; the models of one function stand in a module of their own, beside it. Incoming
models are strict: unknown fields are refused, texts have a length, numbers have bounds. What a client may send, what
it may ask for and what it gets are different models, because they grow in different directions.
"""

from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters cannot be stored")
    return text


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_without_nul)
]
Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_without_nul)]
Search = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_without_nul)]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class StrictModel(BaseModel):
    """Base of everything that clients send."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class ListQuery(StrictModel):
    """What every list understands in its query; a list adds its filters in a model that inherits from this one.

    ``cursor`` is the ``next_cursor`` of the page before, for walking through everything at constant cost; ``offset``
    jumps to a place, at a cost that grows with it. ``sort`` is a field, with ``-`` in front for descending.
    """

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=10_000)] = 0
    cursor: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    sort: Annotated[str, StringConstraints(max_length=50)] | None = None
    total: bool = False


class PaginatedResponse(BaseModel, Generic[T]):
    """One page of a list. ``total`` is counted only on request: counting reads every matching row."""

    items: list[T]
    limit: int
    offset: int = 0
    has_more: bool = False
    next_cursor: str | None = None
    total: int | None = None


class ErrorResponse(BaseModel):
    """The body of every answer with a status of 400 and above: the service's keys and those of RFC 9457."""

    error_code: str
    http_status: int
    error_msg: str
    x_user: str | None = None
    details: Any = None
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    trace_id: str | None = None
