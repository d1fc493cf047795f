"""What is wrong with pages and is noticed by no builder: checks over the Markdown.

Each function returns its findings as `file:line: what is wrong; what to do`. `tools.links` reads the built site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import click
import yaml
from kit.checks.registry import rules
from kit.cli import cli

from tools import ROOT
from tools.expand import FENCE, Block, Page
from tools.source import SourceError, cut

_PATH = re.compile(r"[\w.-]*[\w/.-]*\.\w+|Makefile")
_SOURCE = re.compile(r'"[\w./-]+"(, "[\w.]+")?(, indent=\d+)?')
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_TARGET = re.compile(r"[a-z][a-z-]*")
_COMMAND = re.compile(r"(?:(?:\S*/)?python3? -m )?kit +(\S.*)")  # in whichever way it is typed
_FISSION = {"SENTRY_DSN"}  # settings of Fission's environment that the template does not use
_PAIRS = ("div", "details", "table", "figure")


def problems(pages: Iterable[Page], root: Path = ROOT) -> list[str]:
    """Return the findings of all checks.

    Args:
        pages: The pages of the site, with their blocks.
        root: Root of the kit; its `docs/`, `snippets/` and READMEs are read.
    """
    found = list(pages)
    checks = [front_matter, includes, elements, names_in_text]
    texts = {f"docs/{page.path}": (root / "docs" / page.path).read_text("utf-8") for page in found}
    return [
        *(finding for name, text in texts.items() for check in checks for finding in check(name, text, root)),
        *(finding for page in found for block in page.blocks for finding in title(block, root)),
        *orphans(found, root),
        *readme(root),
    ]


def front_matter(name: str, text: str, _: Path) -> Iterator[str]:
    """A page says its title and its description, in YAML."""
    head = re.match(r"---\n(.*?)\n---\n", text, re.S)
    try:
        values = yaml.safe_load(head[1]) if head else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield f"{name}:{mark.line + 2 if mark else 1}: the front matter is not YAML: {getattr(error, 'problem', error)}"
        return
    for key in ("title", "description"):
        if not isinstance(values, dict) or not values.get(key):
            yield f"{name}:1: the front matter has no {key}; write `{key}: ...` between two lines of ---"


def includes(name: str, text: str, _: Path) -> Iterator[str]:
    """Code is included by file or symbol; markers of sections and ranges of lines are not."""
    for number, row in enumerate(text.split("\n"), 1):
        if "--8<--" in row:
            yield f"{name}:{number}: include with source(), by file or symbol, not by a snippet marker"
        for call in re.findall(r"<%= ?source\((.+?)\) ?%>", row):
            if not _SOURCE.fullmatch(call):
                yield f"{name}:{number}: source({call}): give a file and, if it is a part, a name"


def elements(name: str, text: str, _: Path) -> Iterator[str]:
    """Every HTML element that a page opens is closed: what follows an open one is shown inside of it."""
    opened: list[tuple[str, int]] = []
    for number, row in _prose(text):
        for closing, tag in re.findall(rf"<(/?)({'|'.join(_PAIRS)})\b", row):
            if not closing:
                opened.append((tag, number))
            elif not opened or opened.pop()[0] != tag:
                yield f"{name}:{number}: </{tag}> closes nothing"
    for tag, number in opened:
        yield f"{name}:{number}: <{tag}> is never closed; add </{tag}>"


def names_in_text(name: str, text: str, root: Path) -> Iterator[str]:
    """Targets of make, commands and options of `python -m kit`, checks and settings that the text names are there."""
    for number, row in _prose(text):
        for rule_id in re.findall(r"\bFK\d+\b", row):
            if rule_id not in rules():
                yield f"{name}:{number}: there is no check {rule_id}"
        for quoted in re.findall(r"`([^`]+)`", row):
            words = quoted.split()
            if words[0] == "make" and len(words) > 1 and _TARGET.fullmatch(words[1]) and words[1] not in _targets(root):
                yield f"{name}:{number}: `{quoted}`: there is no target {words[1]}"
            if command := _COMMAND.match(quoted):
                for wrong in _kit(command[1].split()):
                    yield f"{name}:{number}: `{quoted}`: {wrong}"
            setting = quoted.partition("=")[0]
            if _SETTING.fullmatch(setting) and setting not in _known(root) | _FISSION:
                yield f"{name}:{number}: `{quoted}`: nothing in template/, snippets/ or tools/ has a setting {setting}"


def title(block: Block, root: Path) -> Iterator[str]:
    """A block whose title is a path shows that file, or is saved there: by a path from the project's folder on."""
    shown, file, saved = block.options.get("title", ""), block.file, block.options.get("save")
    if not _PATH.fullmatch(shown):
        return
    if saved is not None:
        folder, _, inside = saved.partition("/")
        if saved != shown and (inside != shown or (root / "template" / folder).is_dir()):
            yield f"{block.place}: the title says {shown}, but the block is saved as {saved}"
        return
    if file is None:
        return
    allowed = set()
    for base in (root, root / "template"):
        if file.is_relative_to(base):
            allowed.add(file.relative_to(base).as_posix())
    moves = any(file.is_relative_to(root / folder) for folder in ("snippets", "template/examples"))
    if moves and Path(shown).name == file.name:
        return  # it is named by the path that it gets in a project
    if shown not in allowed:
        yield f"{block.place}: the title says {shown}, but the block shows {file.relative_to(root)}"


def orphans(pages: Iterable[Page], root: Path) -> Iterator[str]:
    """Every snippet is shown by a page."""
    shown = {path for page in pages for block in page.blocks for path, _ in filter(None, block.origins)}
    for file in sorted((root / "snippets").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file not in shown:
            yield f"{file.relative_to(root)}:1: no page shows this snippet; include it or delete it"


def readme(root: Path) -> Iterator[str]:
    """What the kit's README names is there: targets, pages, places, and what its examples include."""
    text = (root / "README.md").read_text("utf-8")
    yield from elements("README.md", text, root)
    for number, row in _prose(text):
        for quoted in re.findall(r"`([^`]+)`", row):
            if quoted.startswith("make ") and (target := quoted.split()[1]) not in _targets(root):
                yield f"README.md:{number}: `{quoted}`: there is no target {target}"
            if page := re.search(r"\bPAGE=(\S+)", quoted):
                quoted = page[1]
            if call := re.fullmatch(r'<%= source\("([^"]+)"(?:, "([^"]+)")?\) %>', quoted):
                try:
                    cut(root / call[1], call[2])
                except SourceError as error:
                    yield f"README.md:{number}: {error}"
            elif re.fullmatch(r"[\w.-]+/[\w./-]*|[\w-]+\.(md|yml|toml)", quoted) and not (root / quoted).exists():
                yield f"README.md:{number}: there is no {quoted}"
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", row):
            if not (root / target).exists():
                yield f"README.md:{number}: the link leads to {target}, which is not there"


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """Return the numbered lines that are not code."""
    fence = ""
    for number, row in enumerate(text.split("\n"), 1):
        found = FENCE.match(row)
        if fence:
            fence = "" if found and found["ticks"] == fence and not found["head"].strip() else fence
        elif found:
            fence = found["ticks"]
        else:
            yield number, row


@cache
def _targets(root: Path) -> set[str]:
    files = [path for path in (root / "Makefile", root / "template/Makefile") if path.exists()]
    return {target for file in files for target in re.findall(r"^([a-z][a-z-]*):", file.read_text("utf-8"), re.M)}


@cache
def _known(root: Path) -> set[str]:
    folders = [root / name for name in ("template", "snippets", "tools", "bench", "tests")]
    files = [p for folder in folders for p in folder.rglob("*") if p.suffix in _TEXT or p.name in _NAMES]
    kept = [p for p in files if p.is_file() and not {".venv", ".kit", "__pycache__"} & set(p.parts)]
    kept += [root / "Makefile", *(root / ".ci").glob("*")]
    return {name for p in kept if p.exists() for name in _SETTING.findall(p.read_text("utf-8", errors="replace"))}


_TEXT = {".py", ".json", ".yaml", ".yml", ".sh", ".toml", ".sql", ".txt", ".js"}
_NAMES = {"Makefile", ".env.example"}


def _kit(words: list[str]) -> Iterator[str]:
    """Compare words with the commands of `python -m kit`; what stands in capitals is a value."""
    command: click.Command = cli
    context = click.Context(cli)
    for word in words:
        if word.startswith("-"):
            known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
            if word.partition("=")[0] not in known:
                yield f"{command.name or 'kit'} has no option {word}"
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            if inner is None:
                if word.islower():
                    yield f"{command.name or 'kit'} has no command {word}"
                return
            command = inner
