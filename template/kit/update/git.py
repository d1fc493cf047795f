"""What an update needs of git: a clean tree to go back to, old contents, and its merge."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

from kit.errors import KitError
from kit.origin import checksum


class Repository:
    """The git repository that a project lies in.

    Args:
        root: the project; it may be a folder inside of the repository.

    Raises:
        KitError: there is no git, or no repository.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            found = self._git("rev-parse", "--is-inside-work-tree").stdout.strip() == b"true"
        except FileNotFoundError:
            raise KitError("git is not installed; an update needs it to merge, and to be undone") from None
        if not found or self._git("rev-parse", "--verify", "--quiet", "HEAD").returncode:
            raise KitError(
                f"{root} is not in a git repository with a commit, so an update could not be undone; "
                "run: git init && git add --all && git commit --message Start"
            )

    def refuse_changes(self) -> None:
        """Refuse to go on while something in the whole repository is not committed: undoing resets all of it.

        Raises:
            KitError: with the first of the files.
        """
        changed = self._git("status", "--porcelain", "-z").stdout.decode("utf-8", "replace").split("\0")
        names = [line[3:] for line in changed if line]
        if names:
            shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
            raise KitError(f"these files are not committed: {shown}; commit or stash them, so that you can go back")

    def tracks(self, path: str) -> bool:
        """Tell whether git has a file."""
        return path in self._tracked

    def old_content(self, path: str, sha: str) -> bytes | None:
        """Search the history of a file for the content with this SHA-256; None when it was never committed."""
        log = self._git(
            "log", "--all", "--format=", "--raw", "--no-abbrev", "--no-renames", "--full-history", "--", path
        )
        blobs = dict.fromkeys(blob for line in log.stdout.splitlines() for blob in line.split()[2:4])
        for blob in blobs:
            content = self._git("cat-file", "blob", blob.decode()).stdout
            if checksum(content) == sha:
                return content
        return None

    def merge(self, ours: bytes, before: bytes, theirs: bytes, versions: tuple[str, str]) -> tuple[bytes, int] | None:
        """Merge three contents; return the result and the number of conflicts, or None for what is not text.

        Raises:
            KitError: git merge-file fails for another reason.
        """
        if any(b"\0" in content for content in (ours, before, theirs)):
            return None
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in ("ours", "before", "theirs")]
            for path, content in zip(paths, (ours, before, theirs), strict=True):
                path.write_bytes(content)
            labels = ["-L", "yours", "-L", f"template {versions[0]}", "-L", f"template {versions[1]}"]
            done = self._git("merge-file", "--stdout", "--diff3", *labels, *map(str, paths))
        if done.returncode > 127:  # up to 127 it is the number of conflicts
            raise KitError(f"git merge-file fails: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout, done.returncode

    @cached_property
    def _tracked(self) -> set[str]:
        return set(self._git("ls-files", "-z", "--", ".").stdout.decode("utf-8", "surrogateescape").split("\0"))

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *arguments], cwd=self._root, capture_output=True, check=False)
