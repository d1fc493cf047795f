"""Verify the blocks of pages and note them in the ledger.

python -m tools.verify docs/secrets.md     one page, block by block
python -m tools.verify                     all pages and READMEs, several at a time

Nothing is taken from earlier runs: what a block depends on is not only its text.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # notices about MkDocs 2 on every build
os.environ.setdefault("DISABLE_MKDOCS_2_WARNING", "true")

from kit.errors import KitError

from tools import site, state
from tools.environments import EnvironmentNotMade
from tools.expand import Block, Page, PageError, from_root, published_pages, readme_pages
from tools.ledger import Ledger
from tools.proving import Outcome, outcomes, pool, start_all
from tools.stage import Stage

say = functools.partial(print, flush=True)


def read_pages(wanted: str = "") -> list[Page]:
    """Return the pages of the site and the READMEs, or the one that is asked for.

    Args:
        wanted: As its file is named from the root of the kit, or without `docs/` before it.

    Raises:
        PageError: A page cannot be taken apart, or there is no such page.
    """
    if not wanted:
        return [*published_pages(), *readme_pages()]
    wanted = os.path.normpath(wanted)
    found = [page for page in readme_pages() if from_root(page.path) == wanted]
    found = found or published_pages(only=wanted.removeprefix("docs/"))
    if not found:
        raise PageError(f"{wanted}: no such page; name a file below docs/ or a README, e.g. docs/index.md")
    return found


def main() -> int:
    """Read the command line, verify, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", nargs="?", default="", help="for example docs/secrets.md; all pages without it")
    wanted = parser.parse_args().page
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped then, too
    started = time.monotonic()
    before = state.of_all_pages()
    try:
        with own_stage() as stage, ThreadPoolExecutor(1) as aside:
            database = aside.submit(lambda: stage.migrated)  # PostgreSQL starts while pages are read
            pages = read_pages(wanted)
            database.result()
            found = _one(pages[0], stage) if wanted else every(pages, stage)
    except (PageError, site.SiteError, EnvironmentNotMade, KitError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    wrong = [outcome for outcome in found if not outcome.proof]
    broken = {outcome.block.page for outcome in wrong}
    book = Ledger()
    for outcome in found:
        if outcome.proof:
            book.add(outcome.block, outcome.proof, outcome.seconds)
    proved = {outcome.block.page for outcome in found} - broken
    held = state.unchanged(before)
    book.write({page: held[page] for page in proved & held.keys()})
    seconds = time.monotonic() - started
    if not wanted:
        say("\n".join(["", *book.summary(), *(f"\n{outcome.error}" for outcome in wrong)]))
    rate = f"{len(found) / seconds:.1f} blocks/s"
    say(f"\n{len(found) - len(wrong)} of {len(found)} blocks verified in {seconds:.1f} s, {rate}")
    if lost := proved - held.keys():
        names = ", ".join(sorted(map(from_root, lost))[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        say(f"{names}: not kept, because something was edited while it was verified; verify it again")
    return 1 if wrong else 0


@contextlib.contextmanager
def own_stage() -> Iterator[Stage]:
    """What pages share in this run; the site is built only if a page asks for it."""
    with tempfile.TemporaryDirectory(prefix="kit-stage-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with contextlib.closing(Stage(folder, lambda: site.build(folder / "site"))) as stage:
            yield stage


def _one(page: Page, stage: Stage) -> list[Outcome]:
    def begun(block: Block) -> None:
        say(f"{block.place}  {block.lang} ... ", end="")

    found = []
    with tempfile.TemporaryDirectory(prefix="kit-page-", ignore_cleanup_errors=True) as folder:
        for outcome in outcomes(page, stage, Path(folder).resolve(), begun):
            found.append(outcome)
            if outcome.proof:
                say(f"ok  {outcome.seconds:.1f} s  {outcome.proof.how}")
            else:
                say(f"WRONG  {outcome.seconds:.1f} s\n{outcome.error}")
    return found


def every(pages: list[Page], stage: Stage) -> list[Outcome]:
    """Prove all these pages, several at a time, and say when each is done."""
    found: dict[str, list[Outcome]] = {}
    workers = pool(stage.parts())
    try:
        begun = {future: page for page, future in start_all(pages, workers).items()}
        for number, future in enumerate(as_completed(begun), 1):
            page = begun[future]
            found[page], seconds = future.result()
            wrong = sum(not outcome.proof for outcome in found[page])
            verdict = f"{wrong} WRONG" if wrong else "ok"
            count = f"[{number:>3}/{len(begun)}]"
            say(f"{count} {from_root(page):<40} {len(found[page]):>4} blocks  {seconds:>6.1f} s  {verdict}")
    finally:
        workers.shutdown(cancel_futures=True)  # pages that have begun stop their servers before they end
    return [outcome for page in pages for outcome in found[page.path]]


if __name__ == "__main__":
    sys.exit(main())
