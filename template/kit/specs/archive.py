"""The archive that Fission unpacks in the pod: which files, under which names, always the same bytes.

Layout: the contents of all folders of the package side by side at the root, as Fission puts the root on `sys.path`.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kit.errors import KitError
from kit.specs.deployment import Deployment
from kit.specs.errors import SpecError, SpecErrors
from kit.specs.sources import is_skipped, is_test

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_DEPLOYED = {"build.sh"}


@dataclass(frozen=True)
class Entry:
    """One file of an archive; scripts, which begin with `#!`, are executable."""

    name: str
    content: bytes

    @property
    def mode(self) -> int:
        """The permissions in the archive, whatever they are on this disk."""
        return 0o755 if self.content.startswith(b"#!") else 0o644


def collect(deployment: Deployment) -> list[Entry]:
    """Return the files of the package, sorted by name, without caches, hidden files and tests.

    Raises:
        SpecErrors: a folder is missing, a file cannot be packaged, or two files want the same name.
    """
    settings = deployment.settings.package
    found: dict[str, Entry] = {}
    errors: list[SpecError] = []
    for i, name in enumerate(settings.folders):
        folder = deployment.root / name
        inside = folder.resolve().is_relative_to(deployment.root.resolve()) and not PurePosixPath(name).is_absolute()
        if not inside or not folder.is_dir():
            what = f'"{ascii(name)[1:-1]}" is not a folder of the project'
            why = "The archive is made from folders inside it"
            loc = ("package", "folders", i)
            errors.append(deployment.error(loc, what, why, "Correct the name, or create the folder"))
            continue
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if is_skipped(relative) or is_test(relative) or path.suffix == ".pyc":
                continue
            if problem := _problem(path):
                errors.append(problem)
            elif path.is_file():
                _add(path, relative.as_posix(), found, errors)
    if errors:
        raise SpecErrors(errors)
    kept = found.values()
    return sorted((e for e in kept if settings.mode == "source" or e.name not in _NOT_DEPLOYED), key=lambda e: e.name)


def package_name(deployment: Deployment, entries: list[Entry]) -> str:
    """Return the name of the Package object: that of the settings and a hash of all that decides its content.

    A changed package thus becomes a new object, which Fission 1.27 builds reliably (fission#3553).
    """
    package, environment = deployment.settings.package, deployment.settings.environment
    digest = hashlib.sha256()
    if package.mode == "source":
        facts = [package.mode, package.buildcmd, environment.builder_image or ""]
    else:
        facts = [package.mode, package.platform, package.python]
    for fact in facts:
        digest.update(f"{len(fact)}:{fact}".encode())
    for entry in entries:
        digest.update(f"{len(entry.name)}:{entry.name}:{entry.mode}:{len(entry.content)}:".encode())
        digest.update(entry.content)
    return f"{package.name}-{digest.hexdigest()[:12]}"


def write_zip(target: Path, entries: Iterable[Entry], *, compress: bool) -> None:
    """Write an archive whose bytes depend on names, contents and, if compressed, the version of zlib only.

    Raises:
        KitError: the file cannot be written.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    temporary = target.with_suffix(".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w", method, compresslevel=9) as file:
            for entry in sorted(entries, key=lambda entry: entry.name):
                info = zipfile.ZipInfo(entry.name, _EPOCH)
                info.create_system = 3  # Unix, so that readers look at the permissions
                info.compress_type = method
                info.external_attr = (stat.S_IFREG | entry.mode) << 16
                file.writestr(info, entry.content)
        temporary.replace(target)
    except OSError as error:
        raise KitError(f"{target} cannot be written ({error.strerror}); correct the permissions.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _problem(path: Path) -> SpecError | None:
    try:
        mode = path.lstat().st_mode
        path.name.encode("utf-8")
    except OSError as error:
        return SpecError(path, 1, 1, f"it cannot be read ({error.strerror})", "It is to be packaged", "Correct it")
    except UnicodeEncodeError:
        return SpecError(path, 1, 1, "its name is not UTF-8", "Archives hold UTF-8 names", "Rename it")
    if stat.S_ISLNK(mode):
        why = "Fission refuses archives that contain links"
        return SpecError(path, 1, 1, "it is a symbolic link", why, "Replace it by the file itself")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return SpecError(path, 1, 1, "it is not a regular file", "Only files can be packaged", "Remove it")
    return None


def _add(path: Path, name: str, found: dict[str, Entry], errors: list[SpecError]) -> None:
    try:
        entry = Entry(name, path.read_bytes())
    except OSError as error:
        what = f"it cannot be read ({error.strerror})"
        errors.append(SpecError(path, 1, 1, what, "It is to be packaged", "Correct its permissions or remove it"))
        return
    same = found.setdefault(name, entry)
    if same.content != entry.content:
        what = f"the archive already has {name}, from another folder"
        errors.append(SpecError(path, 1, 1, what, "All folders share one root there", "Rename one of the two"))
