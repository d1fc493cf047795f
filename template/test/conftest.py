"""What the tests of this folder share, beside the fixtures of the kit."""

from __future__ import annotations

import pytest

from kit.pod import Pod


@pytest.fixture
def parcels(pod: Pod) -> None:
    """A table with something to violate; it is in no migration, so these tests need no example."""
    from helpers import execute

    execute(
        "CREATE TABLE parcels (name text NOT NULL CONSTRAINT parcels_name_is_unique UNIQUE,"
        " price numeric NOT NULL CONSTRAINT parcels_price_is_not_negative CHECK (price >= 0))"
    )
