"""Where the project lies, what it is called, and the names that follow from that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kit.errors import KitError

DEPLOYMENT = Path(".fission", "deployment.json")


@dataclass(frozen=True)
class Project:
    """A project on disk; everything is read from `.fission/deployment.json` when it is first asked for.

    Args:
        root: the folder that holds `.fission/deployment.json`.
    """

    root: Path

    @cached_property
    def name(self) -> str:
        """The project's name, for example `blue-door`."""
        name = self._deployment.get("project")
        if not isinstance(name, str) or not name:
            raise KitError(f'{self.root / DEPLOYMENT}: the key "project" with the name of the project is missing')
        return name

    @property
    def identifier(self) -> str:
        """The name where only letters, digits and `_` are allowed, for example `blue_door`."""
        return self.name.replace("-", "_")

    @cached_property
    def namespace(self) -> str:
        """The Kubernetes namespace whose secrets and configs the functions see."""
        return str(self._deployment.get("namespace", "default"))

    @property
    def secret_name(self) -> str:
        """The name of the Secret that holds the keys of the `[secrets]` section of `.env`."""
        return f"fission-{self.name}-env"

    @property
    def config_name(self) -> str:
        """The name of the ConfigMap that holds the keys of the `[config]` section of `.env`."""
        return f"fission-{self.name}-config"

    @property
    def src(self) -> Path:
        """The folder whose modules run in the pod."""
        return self.root / "src"

    @property
    def examples(self) -> Path:
        """The folder of the example functions, which are served locally only."""
        return self.root / "examples"

    @property
    def migrates(self) -> Path:
        """The folder of the SQL migrations."""
        return self.root / "migrates"

    @property
    def all_migrates(self) -> list[Path]:
        """The folders of all SQL migrations: the project's own, and the examples' unless they were removed."""
        examples = self.examples / "migrates"
        return [self.migrates, examples] if examples.is_dir() else [self.migrates]

    @property
    def state(self) -> Path:
        """The folder of everything that local runs leave behind; safe to delete together with its data."""
        return self.root / ".kit"

    @cached_property
    def _deployment(self) -> dict[str, Any]:
        path = self.root / DEPLOYMENT
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise KitError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise KitError(f"{path}: not valid JSON: {error}") from error
        if not isinstance(content, dict):
            raise KitError(f"{path}: must hold a JSON object")
        return content


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds `.fission/deployment.json`.

    Raises:
        KitError: there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / DEPLOYMENT).is_file():
            return folder
    raise KitError(f"{start} is not inside a project: no {DEPLOYMENT} here or in a folder above; change into one")


def current() -> Project:
    """Return the project of the current directory.

    Raises:
        KitError: the current directory lies in no project.
    """
    return Project(find_root(Path.cwd()))
