"""The changelog's newest entry is the version that is packed."""

from __future__ import annotations

import re

from tools import ROOT, archive


def test_the_newest_entry_is_the_version_of_the_template():
    headings = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == archive.version()
    numbers = [tuple(map(int, heading.split("."))) for heading in headings]
    assert numbers == sorted(set(numbers), reverse=True)
