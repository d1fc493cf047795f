"""Vault values in settings that the tools read themselves, opened with the project's own `src/vault.py`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType

from kit.errors import KitError
from kit.project import Project

PODINFO = Path("etc", "podinfo", "namespace")  # below the pod's root; the migration Job has it as functions have


class Vault:
    """The vault of a project.

    Args:
        project: whose `src/vault.py` is used.
        ring: the key ring; without one, VAULT_KEY of the environment or `.kit/vault.key`.
    """

    def __init__(self, project: Project, ring: str | None = None) -> None:
        self._project = project
        self._given = ring

    def encrypt(self, value: str, place: str) -> str:
        """Return the value for one place, `<namespace>/<object>/<key>`.

        Raises:
            KitError: there is no usable key.
        """
        try:
            return str(self._core.encrypt_vault(value, self._ring, bound_to=place))
        except self._core.VaultError as error:
            raise KitError(str(error)) from None

    def decrypt(self, value: str, place: str) -> str:
        """Return what a vault value of this place says.

        Raises:
            KitError: it is damaged, or of another place or key.
        """
        try:
            return str(self._core.decrypt_vault(value, self._ring, bound_to=place))
        except self._core.VaultError as error:
            raise KitError(str(error)) from None

    @cached_property
    def _core(self) -> ModuleType:
        src = str(self._project.src)
        if src not in sys.path:
            sys.path.append(src)
        return importlib.import_module("vault")

    @cached_property
    def _ring(self) -> str:
        local = self._project.state / "vault.key"
        for ring in (self._given, os.environ.get("VAULT_KEY"), local.is_file() and local.read_text("utf-8")):
            if ring:
                return ring
        raise KitError("there is no key for vault values; set VAULT_KEY to a line of `python -m kit vault keygen`")


def opened(settings: Mapping[str, str], project: Project) -> dict[str, str]:
    """Return settings with their vault values decrypted; `VAULT_KEY` among them is the key ring.

    Raises:
        KitError: one does not decrypt; the message names it, never its value.
    """
    podinfo = Path(os.environ.get("FISSION_POD_ROOT") or "/", PODINFO)
    namespace = podinfo.read_text("utf-8").strip() if podinfo.is_file() else project.namespace
    vault = Vault(project, settings.get("VAULT_KEY"))
    plain = dict(settings)
    for key, value in settings.items():
        if value.startswith("vault:"):
            try:
                plain[key] = vault.decrypt(value, f"{namespace}/{project.secret_name}/{key}")
            except KitError as error:
                raise KitError(f"{key}: {error}") from None
    return plain
