"""The same settings and pages give the same blocks with other builders: the way out of MkDocs is one command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools.builders import OTHERS, Built, NotBuilt, blocks_of, by_other
from tools.environments import EnvironmentNotMade


@pytest.mark.parametrize("name", OTHERS)
def test_another_builder_publishes_the_same_blocks(
    name: str, built_site: Path, required: set[str], tmp_path: Path
) -> None:
    try:
        theirs = by_other(name, tmp_path)
    except EnvironmentNotMade as error:
        if "builders" in required:
            pytest.fail(f"KIT_REQUIRE asks for all builders, but {error}", pytrace=False)
        pytest.skip(f"{name} cannot be installed here; test_every_published_block_is_in_the_ledger has MkDocs' blocks")
    except NotBuilt as error:
        pytest.fail(str(error), pytrace=False)
    ours = Built("mkdocs", blocks_of(built_site))
    assert ours.differences(theirs) == []
    assert theirs.blocks.total() > 200


def test_a_block_that_differs_is_named_with_its_page() -> None:
    ours = Built("mkdocs", Counter({("a.md", "1"): 2, ("b.md", "2"): 1}))
    theirs = Built("other", Counter({("a.md", "1"): 1, ("a.md", "3"): 1, ("b.md", "2"): 1}))
    assert ours.differences(theirs) == ["a.md: other lacks 1 of mkdocs' blocks and has 1 others"]
    assert ours.differences(ours) == []
