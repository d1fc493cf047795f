"""Read the template's archive, and refuse anything else."""

from __future__ import annotations

import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kit import origin, rename
from kit.errors import KitError
from kit.origin import Origin

LARGEST = 50_000_000  # bytes, unpacked; the template has less than two million


@dataclass(frozen=True)
class File:
    """One file of the template."""

    content: bytes
    executable: bool


@dataclass(frozen=True)
class Template:
    """An unpacked archive; paths and contents carry the name of the project that asked."""

    version: str
    files: dict[str, File]

    @property
    def origin(self) -> Origin:
        """What a project that consists of exactly these files would have."""
        return Origin(self.version, {path: origin.checksum(file.content) for path, file in self.files.items()})


def load(path: Path, name: str) -> Template:
    """Read an archive and rename it in memory.

    Args:
        path: a zip or tar.gz from the guide's download page.
        name: the name of the project.

    Raises:
        KitError: the file is missing, damaged, or no archive of the template.
    """
    files = _unpacked(path)
    try:
        text = files.pop(origin.FILE).content.decode("utf-8")
        old = json.loads(files[".fission/deployment.json"].content)["project"]
    except (KeyError, ValueError, TypeError):
        raise KitError(f"{path} is no archive of the template: it holds no {origin.FILE}") from None
    found = origin.parse(text, f"{path}:{origin.FILE}")
    actual = {place: origin.checksum(file.content) for place, file in files.items()}
    if actual != found.files:
        wrong = sorted(
            place for place in actual.keys() | found.files.keys() if actual.get(place) != found.files.get(place)
        )
        raise KitError(f"{path} is damaged or was changed: {', '.join(wrong[:3])}; download it again")
    return Template(
        found.version,
        {
            rename.rename_text(place, old, name): File(rename.rename_bytes(file.content, old, name), file.executable)
            for place, file in files.items()
        },
    )


def _unpacked(path: Path) -> dict[str, File]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found = _from_zip(archive, path)
        else:
            with tarfile.open(path) as archive:
                found = _from_tar(archive, path)
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        reason = str(error).partition(":\n")[0]  # below it stands what each kind of compression says
        raise KitError(f"{path} is neither a zip nor a tar.gz, or it is damaged: {reason}") from error
    tops = {PurePosixPath(name).parts[0] for name in found}
    if len(tops) != 1:
        raise KitError(f"{path} is no archive of the template: it does not hold exactly one folder")
    return {str(PurePosixPath(*PurePosixPath(name).parts[1:])): file for name, file in found.items()}


def _from_zip(archive: zipfile.ZipFile, path: Path) -> dict[str, File]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    _check(path, [(entry.filename, entry.file_size) for entry in entries])
    return {entry.filename: File(archive.read(entry), bool(entry.external_attr >> 16 & 0o100)) for entry in entries}


def _from_tar(archive: tarfile.TarFile, path: Path) -> dict[str, File]:
    members = [member for member in archive.getmembers() if not member.isdir()]
    _check(path, [(member.name if member.isfile() else "", member.size) for member in members])
    found: dict[str, File] = {}
    for member in members:
        stream = archive.extractfile(member)
        found[member.name] = File(stream.read() if stream else b"", bool(member.mode & 0o100))
    return found


def _check(path: Path, entries: list[tuple[str, int]]) -> None:
    for name, _ in entries:
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or name.startswith("/") or ".." in parts or ".git" in parts or "\\" in name:
            raise KitError(f"{path} is no archive of the template: {name or 'a link'!r} has no place in it")
    if sum(size for _, size in entries) > LARGEST:
        raise KitError(f"{path} is no archive of the template: it is too large")
