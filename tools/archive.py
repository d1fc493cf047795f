"""Pack template/ for download: the same tree gives the same bytes, with or without git.

python -m tools.archive site/downloads
"""

from __future__ import annotations

import ast
import functools
import gzip
import hashlib
import io
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kit import origin
from pathspec import GitIgnoreSpec

from tools import ROOT, browser_data

NAME = "your-service"
TEMPLATE = ROOT / "template"
_1980 = 315532800  # the first moment that a zip can express, in seconds since 1970


@dataclass(frozen=True)
class Download:
    """One file of the downloads folder.

    Attributes:
        name: File name.
        data: Its bytes.
    """

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Checksum, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size_kib(self) -> int:
        """Size in KiB, rounded up."""
        return -(-len(self.data) // 1024)


def version(template: Path = TEMPLATE) -> str:
    """Return the template version: `__version__` of kit/__init__.py, read without importing it."""
    for node in ast.parse((template / "kit/__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return str(ast.literal_eval(node.value))
    raise LookupError("template/kit/__init__.py: no __version__")


def listing(folder: Path = TEMPLATE) -> list[Path]:
    """Return the files that git would take, sorted, read from the .gitignore files alone.

    Raises:
        ValueError: A symbolic link is among them; Fission refuses archives with links.
    """

    def walk(here: Path, rules: list[tuple[Path, GitIgnoreSpec]]) -> list[Path]:
        ignore = here / ".gitignore"
        if ignore.exists():
            rules = [*rules, (here, GitIgnoreSpec.from_lines(ignore.read_text("utf-8").splitlines()))]
        found: list[Path] = []
        for path in here.iterdir():
            hidden: bool | None = None
            for base, spec in rules:
                relative = path.relative_to(base).as_posix() + ("/" if path.is_dir() else "")
                verdict = spec.check_file(relative).include
                hidden = hidden if verdict is None else verdict
            if hidden or path.name == ".git":
                continue
            if path.is_symlink():
                raise ValueError(f"{path.relative_to(folder)}: a symbolic link; put the file itself there")
            found += walk(path, rules) if path.is_dir() else [path]
        return found

    return sorted(walk(folder, []), key=lambda p: p.relative_to(folder).as_posix())


def downloads(template: Path = TEMPLATE) -> list[Download]:
    """Return the zip and the tar.gz with one folder `your-service/`, their SHA256SUMS, and the same for the browser."""
    return list(_packed(version(template), tuple(_members(template))))


@functools.lru_cache(maxsize=2)  # one run of tests builds dozens of sites from the same files
def _packed(number: str, members: tuple[tuple[str, int, bytes], ...]) -> tuple[Download, ...]:
    zipped, tarred, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with (
        zipfile.ZipFile(zipped, "w") as z,
        tarfile.open(fileobj=tarred, mode="w", format=tarfile.USTAR_FORMAT) as t,
    ):
        for path, mode, data in members:
            inside = f"{NAME}/{path}"
            entry = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
            z.writestr(entry, data)  # stored: deflate gives other bytes with another zlib
            member = tarfile.TarInfo(inside)
            member.size, member.mode, member.mtime = len(data), mode, _1980
            t.addfile(member, io.BytesIO(data))
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as gz:
        gz.write(tarred.getvalue())
    stem = f"{NAME}-{number}"
    found = [Download(f"{stem}.zip", zipped.getvalue()), Download(f"{stem}.tar.gz", packed.getvalue())]
    sums = "".join(f"{d.sha256}  {d.name}\n" for d in found)
    script = browser_data.script(NAME, number, list(members))
    return (*found, Download("SHA256SUMS", sums.encode()), Download(browser_data.NAME, script))


def _members(template: Path) -> list[tuple[str, int, bytes]]:
    """Return path, mode and content of all files, and of the manifest by which a project can be updated later."""
    found: list[tuple[str, int, bytes]] = []
    for path in listing(template):
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644  # whatever the umask was
        found.append((path.relative_to(template).as_posix(), mode, path.read_bytes()))
    files = {path: origin.checksum(data) for path, _, data in found}
    return [*found, (origin.FILE, 0o644, origin.Origin(version(template), files).text.encode())]


def publish(folder: Path, template: Path = TEMPLATE) -> list[Download]:
    """Make `folder` hold exactly the downloads; files that are right already are not touched."""
    found = downloads(template)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in set(folder.iterdir()) - {folder / d.name for d in found}:
        stale.unlink()
    for download in found:
        target = folder / download.name
        if not target.exists() or target.read_bytes() != download.data:
            target.write_bytes(download.data)
    return found


if __name__ == "__main__":
    for made in publish(Path(sys.argv[1])):
        print(f"{made.sha256}  {made.name}  {made.size_kib} KiB")
