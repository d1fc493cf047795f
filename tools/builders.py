"""Build the site with the other builders that read mkdocs.yml, and compare the blocks that they publish with MkDocs'.

python -m tools.builders

Material for MkDocs and MkDocs 1 will end. As long as the same settings and pages give the same blocks elsewhere, the
way out is a change of one command. MkDocs must build; the others must agree with it where they can be installed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, environments, site
from tools.census import published
from tools.environments import EnvironmentNotMade
from tools.expand import digest
from tools.workbench import environment, fresh_copy

OTHERS = {"properdocs": ("properdocs", "build", "--clean"), "zensical": ("zensical", "build", "--clean")}


@dataclass(frozen=True)
class Built:
    """What a builder has made of the kit.

    Attributes:
        name: The builder.
        blocks: How often it publishes each block of each page, as (page, digest).
    """

    name: str
    blocks: Counter[tuple[str, str]]

    def differences(self, other: Built) -> list[str]:
        """Return what another builder publishes otherwise, by page."""
        missing, more = self.blocks - other.blocks, other.blocks - self.blocks
        pages = sorted({page for page, _ in (missing | more)})
        return [
            f"{page}: {other.name} lacks {_of(page, missing)} of {self.name}' blocks and has {_of(page, more)} others"
            for page in pages
        ]


class NotBuilt(RuntimeError):  # noqa: N818 - it names what happened
    """A builder refuses the kit; the text is what it says."""


def by_mkdocs(folder: Path) -> Built:
    """Build as `make site` does.

    Raises:
        tools.site.SiteError: The site must not be published.
    """
    site.build_pages(folder / "mkdocs")
    return Built("mkdocs", blocks_of(folder / "mkdocs"))


def by_other(name: str, folder: Path) -> Built:
    """Build a copy of the kit with another builder, in an environment of its own.

    Raises:
        EnvironmentNotMade: The builder cannot be installed here.
        NotBuilt: It was installed, and refuses.
    """
    venv = environments.ready(name, ROOT / f"requirements/{name}.txt")
    copy = fresh_copy(folder / name)
    program, *arguments = OTHERS[name]
    done = subprocess.run(
        [str(venv / "bin" / program), *arguments],
        cwd=copy,
        env=environment() | {"DISABLE_MKDOCS_2_WARNING": "true", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (copy / "site/index.html").exists():
        raise NotBuilt(f"{name}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return Built(name, blocks_of(copy / "site"))


def blocks_of(folder: Path) -> Counter[tuple[str, str]]:
    """Count the blocks of a built site by page."""
    return Counter((page, digest(text)) for page, texts in published(folder).items() for text in texts)


def _of(page: str, blocks: Counter[tuple[str, str]]) -> int:
    return sum(count for (name, _), count in blocks.items() if name == page)


def main() -> int:
    """Build with all of them, print what is found, and return 1 if another one publishes other blocks."""
    status = 0
    with tempfile.TemporaryDirectory(prefix="kit-builders-") as name:
        folder = Path(name).resolve()
        ours = by_mkdocs(folder)
        print(f"mkdocs      {ours.blocks.total()} blocks")
        for other in OTHERS:
            try:
                theirs = by_other(other, folder)
            except (EnvironmentNotMade, NotBuilt) as error:
                print(f"{other:<11} not built: {error}")
                continue
            found = ours.differences(theirs)
            print(f"{other:<11} {theirs.blocks.total()} blocks, {'the same' if not found else 'others'}")
            for row in found:
                print(f"  {row}")
            status |= bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main())
