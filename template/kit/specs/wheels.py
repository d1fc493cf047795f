"""The dependencies as they run in the image: wheels for Alpine (musl), fetched by pip and unpacked."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import InvalidMarker, Marker

from kit.errors import KitError
from kit.specs.archive import Entry

# pydantic-core's wheels carry the older of these tags, most others the newer one.
_TAGS = ("musllinux_1_2", "musllinux_1_1")
_CONTINUED = re.compile(r"\\\r?\n")


def vendor(requirements: str, *, python: str, platform: str) -> list[Entry]:
    """Return the files of all wheels that a lock file names, for the image's Python and platform.

    Args:
        requirements: text of a complete lock file (`requirements.txt`); nothing else is installed.
        python: version such as "3.13".
        platform: "x86_64" or "aarch64".

    Raises:
        KitError: pip fails, for example because a package has no wheel for musl.
    """
    with tempfile.TemporaryDirectory(prefix="kit-wheels-") as name:
        folder = Path(name)
        lock = folder / "requirements.txt"
        lock.write_text(applicable(requirements, python=python, platform=platform), encoding="utf-8")
        platforms = [f"--platform={tag}_{platform}" for tag in _TAGS]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-color", "--progress-bar=off"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
        command += [f"--python-version={python}", *platforms, f"--dest={folder}", f"--requirement={lock}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:] or ["no message"]
            raise KitError(
                f"pip cannot fetch the wheels for {platform} and Python {python}: {last[0].removeprefix('ERROR: ')}. "
                'Replace packages without musllinux wheels, or use "mode": "source" with an own builder image.'
            )
        entries: dict[str, Entry] = {}
        for wheel in sorted(folder.glob("*.whl")):
            for entry in _unpack(wheel):
                entries.setdefault(entry.name, entry)
    return list(entries.values())


def applicable(requirements: str, *, python: str, platform: str) -> str:
    """Return the lock file without the lines, and without the markers, that are not for the image.

    pip would judge markers by the computer that it runs on.
    """
    image = {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": platform,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }
    lines = []
    for line in _CONTINUED.sub(" ", requirements).splitlines():
        requirement, semicolon, rest = line.partition(";")
        if semicolon and not line.lstrip().startswith("#"):
            text, space, hashes = rest.partition(" --hash")
            try:
                if not Marker(text.strip()).evaluate(image):
                    continue
            except InvalidMarker as error:
                raise KitError(f"requirements.txt: the marker {text.strip()!r} is wrong; lock it again.") from error
            line = f"{requirement.strip()}{space}{hashes}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _unpack(wheel: Path) -> Iterator[Entry]:
    """Yield what an installer would put into site-packages; scripts have no use in a pod."""
    with zipfile.ZipFile(wheel) as file:
        for info in file.infolist():
            parts = info.filename.split("/")
            if info.is_dir() or ".." in parts or parts[0] == "":
                continue
            if parts[0].endswith(".data"):
                if parts[1] not in ("purelib", "platlib"):
                    continue
                parts = parts[2:]
            yield Entry("/".join(parts), file.read(info))
