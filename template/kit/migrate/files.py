"""Read and write migration files; nothing here needs a database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from kit.errors import KitError
from kit.migrate import sqltext

_FILE = re.compile(r"(\d+)(?:\D.*)?\.sql")
_EXAMPLE = re.compile(r"\d+_example_\w+\.sql")
_HEADING = re.compile(r"--\s*migrate:(up|down)(?:\s+(.*))?$")  # at the start of the line, as dbmate wants it

Folders = Path | Sequence[Path]


@dataclass(frozen=True)
class Statement:
    """One SQL statement without its semicolon; `line` is where it starts in the file, counted from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class Section:
    """One half of a migration; `line` is the line of its first character of SQL, counted from 1."""

    text: str
    line: int
    transaction: bool

    def statements(self) -> Iterator[Statement]:
        """Yield the statements, in order."""
        for text, offset in sqltext.statements(self.text):
            yield Statement(text, self.line + self.text.count("\n", 0, offset))


@dataclass(frozen=True)
class Migration:
    """One file."""

    version: str
    path: Path
    up: Section
    down: Section

    @property
    def is_example(self) -> bool:
        """Whether this is the file of an example: it needs no other file, and nothing older needs it.

        Examples keep their versions when they are added to a project that has newer migrations already, so they stand
        outside of the order: they may be applied late, and they make nothing else late.
        """
        return bool(_EXAMPLE.fullmatch(self.path.name))

    @property
    def checksum(self) -> str:
        """SHA-256 of the `up` section, in hexadecimal.

        The `down` section is left out, so that a mistake in it can still be put right; so are line ends and blanks at
        the end, which git and editors change.
        """
        lines = [line.rstrip() for line in self.up.text.splitlines()]
        text = f"transaction:{str(self.up.transaction).lower()}\n" + "\n".join(lines).strip()
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def section(self, direction: str) -> Section:
        """Return the section `up` or `down`, after a look for what cannot work.

        Raises:
            KitError: there is no SQL to go down, or the section ends the transaction that it runs in.
        """
        section = self.up if direction == "up" else self.down
        statements = list(section.statements())
        if direction == "down" and not statements:
            raise KitError(f"{self.path}: the section `-- migrate:down` is empty, so this migration cannot be undone")
        for statement in statements:
            if section.transaction and sqltext.controls_transaction(statement.text):
                raise KitError(
                    f"{self.path}:{statement.line}: {statement.text.split()[0].upper()} ends or begins a transaction, "
                    "but the whole section is one already; remove it, or write transaction:false into the heading"
                )
        return section


def read(folders: Folders) -> list[Migration]:
    """Return the migrations of one folder or of several, oldest first.

    Raises:
        KitError: a folder is missing, a file is malformed, two files have the same version, or the versions sort
            differently as text (which dbmate does) and as numbers.
    """
    found: dict[int, Migration] = {}
    for path in _paths(folders):
        named = _FILE.fullmatch(path.name)
        if not named:
            raise KitError(f"{path}: the name must be <digits>_<what>.sql, for example 20260101120000_add_price.sql")
        version = named[1]
        if other := found.get(int(version)):
            raise KitError(f"{path} and {other.path.name} have the same version {version}; rename one of them")
        found[int(version)] = _parse(path, version)
    migrations = [found[number] for number in sorted(found)]
    for first, second in pairwise(migrations):
        if first.version > second.version:
            raise KitError(
                f"{second.path}: as text, version {second.version} comes before {first.version}; "
                "give all versions the same number of digits"
            )
    return migrations


def listed(folders: Folders) -> list[Path]:
    """Return one folder or several as a list."""
    return [folders] if isinstance(folders, Path) else list(folders)


def new(folder: Path, title: str) -> Path:
    """Write an empty migration whose version is the current time in UTC, and return its path.

    Raises:
        KitError: the title has no letter or digit, or there is a file of this second or of a later time.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    if not slug:
        raise KitError(f"{title!r} is no title; use words such as: add price to items")
    version = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    folder.mkdir(exist_ok=True)
    newest = max(read(folder), key=lambda migration: int(migration.version), default=None)
    if newest and int(newest.version) >= int(version):
        raise KitError(
            f"{newest.path} has the version {newest.version}, which is not older than now ({version} in UTC); "
            "wait, put the clock right, or give the new file a higher number by hand"
        )
    path = folder / f"{version}_{slug[:100]}.sql"
    with path.open("x", encoding="utf-8") as file:
        file.write("-- migrate:up\n\n\n-- migrate:down\n\n")
    return path


def _paths(folders: Folders) -> Iterator[Path]:
    for folder in listed(folders):
        if not folder.is_dir():
            raise KitError(f"{folder} does not exist; migrations are read from there")
        yield from sorted(folder.glob("*.sql"))


def _parse(path: Path, version: str) -> Migration:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KitError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if text.startswith("\ufeff") or "\0" in text:
        raise KitError(f"{path} holds a byte order mark or a zero byte; save it as UTF-8 without one")
    sections = _sections(path, text.replace("\r\n", "\n").split("\n"))
    if "up" not in sections:
        raise KitError(f"{path}: there is no line `-- migrate:up`; the SQL must follow one")
    if "down" not in sections:
        raise KitError(
            f"{path}: there is no line `-- migrate:down`; add one, with nothing below it if there is no way back"
        )
    if sections["up"].line > sections["down"].line:
        raise KitError(f"{path}:{sections['down'].line - 1}: `-- migrate:down` stands above `-- migrate:up`; swap them")
    return Migration(version, path, sections["up"], sections["down"])


def _sections(path: Path, lines: list[str]) -> dict[str, Section]:
    headings = [(number, found) for number, line in enumerate(lines) if (found := _HEADING.match(line.rstrip()))]
    before = headings[0][0] if headings else len(lines)
    for number, line in enumerate(lines[:before]):
        if line.strip() and not line.strip().startswith("--"):
            raise KitError(f"{path}:{number + 1}: SQL above `-- migrate:up` would never run; move it below")
    sections: dict[str, Section] = {}
    ends = [*(number for number, _ in headings), len(lines)]
    for (number, found), end in zip(headings, ends[1:], strict=True):
        if found[1] in sections:
            raise KitError(f"{path}:{number + 1}: a second `-- migrate:{found[1]}`; a file holds one of each")
        options = (found[2] or "").split()
        if unknown := set(options) - {"transaction:true", "transaction:false"}:
            raise KitError(f"{path}:{number + 1}: unknown option {sorted(unknown)[0]}; there is transaction:false")
        text = "\n".join(lines[number + 1 : end])
        sections[found[1]] = Section(text, number + 2, "transaction:false" not in options)
    return sections
