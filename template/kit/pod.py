"""Lay out secrets and configs on disk as a Fission pod has them.

Below the root, which functions find through `FISSION_POD_ROOT`, lie `secrets/<namespace>/<Secret>/<KEY>`,
`configs/<namespace>/<ConfigMap>/<KEY>` and `etc/podinfo/namespace`. Which key is of which kind is said by the
sections `# [secrets]` and `# [config]` of `.env.example`.
"""

from __future__ import annotations

import base64
import secrets as random_bytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit import dotenv
from kit.private_file import write_private
from kit.project import Project

ROOT_VARIABLE = "FISSION_POD_ROOT"


@dataclass(frozen=True)
class Settings:
    """What functions read with `get_secret` and `get_config`."""

    secrets: dict[str, str] = field(default_factory=dict)
    configs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pod:
    """A laid-out pod.

    Attributes:
        root: the folder for `FISSION_POD_ROOT`.
        secrets: the folder with one file per secret key.
        configs: the folder with one file per config key.
    """

    root: Path
    secrets: Path
    configs: Path

    def __fspath__(self) -> str:
        return str(self.root)

    def set_secret(self, key: str, value: str) -> None:
        """Write one secret, as `kubectl edit secret` would change it in a running pod."""
        write_private(self.secrets / key, value)

    def set_config(self, key: str, value: str) -> None:
        """Write one config value, as `kubectl edit configmap` would change it in a running pod."""
        write_private(self.configs / key, value)


def read_settings(project: Project, names: Sequence[str] = (".env.example", ".env")) -> Settings:
    """Return the values of `.env`, and where it is silent those of `.env.example`; empty values are left out.

    A key is what `.env.example` says it is; one that stands only in `.env` is what its section there says, and a
    secret above any section.

    Args:
        project: where to look.
        names: the files, later ones win.

    Raises:
        KitError: one of the files is malformed; the message names file and line.
    """
    files = [dotenv.read(project.root / name) for name in names]
    settings = Settings()
    for key in dict.fromkeys(key for file in files for key in file):
        entries = [file[key] for file in files if key in file]
        kind = next((entry.kind for entry in entries if entry.kind), "secret")
        if value := entries[-1].value:
            (settings.secrets if kind == "secret" else settings.configs)[key] = value
    return settings


def lay_out(project: Project, root: Path, settings: Settings, extra_secrets: Mapping[str, str] | None = None) -> Pod:
    """Make the folders say exactly what the settings say; keys that are gone are removed.

    Args:
        project: gives namespace and object names.
        root: where to lay out.
        settings: the values.
        extra_secrets: further secrets, which win; for example those of the embedded database.
    """
    pod = Pod(
        root,
        root / "secrets" / project.namespace / project.secret_name,
        root / "configs" / project.namespace / project.config_name,
    )
    write_private(root / "etc" / "podinfo" / "namespace", project.namespace)
    _fill(pod.secrets, {**settings.secrets, **(extra_secrets or {})})
    _fill(pod.configs, settings.configs)
    return pod


def new_vault_key() -> str:
    """Return a random key for `VAULT_KEY`: 32 bytes in base64."""
    return base64.b64encode(random_bytes.token_bytes(32)).decode("ascii")


def _fill(folder: Path, values: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in values:
            path.unlink()
    for key, value in values.items():
        write_private(folder / key, value)
