"""What pages can say between `<%=` and `%>`; loaded by mkdocs-macros from mkdocs.yml."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

# `mkdocs` puts neither the kit nor the template there.
_HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [place for part in ("", "template") if (place := str(_HERE / part)) not in sys.path]

from kit.checks.registry import rules

from tools import ROOT, archive, reference
from tools.sequence import sequence
from tools.source import cut, shown

if TYPE_CHECKING:
    from mkdocs_macros.plugin import MacrosPlugin


def define_env(env: MacrosPlugin) -> None:
    """Publish the archives into docs/downloads, where strict link checks see them, and define the macros."""
    made = archive.publish(ROOT / "docs/downloads")
    env.variables["version"] = archive.version()
    env.variables["downloads"] = made
    env.variables["rules"] = list(rules().values())

    for macro in (*reference.MACROS, sequence):
        env.macro(macro)  # type: ignore[no-untyped-call]

    @env.macro  # type: ignore[untyped-decorator]
    def source(path: str, name: str | None = None, indent: int = 0) -> str:
        """A whole file of template/ or snippets/, or the part that `name` addresses, to put into a fence.

        `indent` is the number of blanks before the call, for fences inside lists, tabs and admonitions.
        """
        return shown(cut(path, name)).replace("\n", "\n" + " " * indent)

    @env.macro  # type: ignore[untyped-decorator]
    def measured(name: str) -> Any:
        """The committed results of a benchmark, bench/results/<name>.json."""
        return json.loads(cut(f"bench/results/{name}.json").text)

    @env.macro  # type: ignore[untyped-decorator]
    def drawing(path: str) -> str:
        """An SVG, put into the page itself, so that it takes the page's colours; without lines that Markdown reads."""
        return " ".join(row.strip() for row in cut(path).text.splitlines())
