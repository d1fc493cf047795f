"""Secrets and configuration, as Fission mounts them into the pod.

Fission's fetcher writes ``/secrets/<namespace>/<object>/<key>`` and ``/configs/<namespace>/<object>/<key>`` before
the function is loaded. ``FISSION_POD_ROOT`` names another root than ``/``: local runs and tests lay out the same
tree elsewhere. The container executor has no such files; there the same names are environment variables.
"""

import json
import os
import re
from typing import Final

from exceptions import ConfigurationError

SECRET_NAME: Final = "fission-your-service-env"  # noqa: S105 - the name of an object, not its content
CONFIG_NAME: Final = "fission-your-service-config"

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")  # the keys that Kubernetes allows; "." and ".." are refused below
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a DNS-1123 label
_TRUE = frozenset({"1", "y", "yes", "t", "true", "on"})
_FALSE = frozenset({"0", "n", "no", "f", "false", "off"})
_NOT_SECRET = frozenset({"PG_HOST", "PG_PORT", "PG_DB", "PG_USER", "PG_SSLMODE"})

_folders: dict[tuple[str, str, str], str] = {}
_values: dict[str, tuple[tuple[int, int, int], str]] = {}
_handed_out: dict[str, None] = {}  # secret values, so that no log line can show one; a dict keeps their order


def get_secret(key: str, default: str | None = None, *, name: str | None = None) -> str | None:
    """Return a secret of this service, without surrounding blanks and newlines, decrypted if it is a vault value.

    Args:
        key: Key within the Secret, e.g. ``"PG_PASS"``.
        default: What to return if neither a file nor an environment variable holds the key.
        name: Another Secret than the service's own; ``FISSION_SECRET_NAME`` in the environment replaces that one.

    Raises:
        ConfigurationError: The key is not a valid name, the file cannot be read, or (``VaultError``) the value
            cannot be decrypted.

    Source: Fission, ``pkg/fetcher/fetcher.go``: bytes are written verbatim, so a newline may be at the end.
    """
    value = _lookup("secrets", name or os.environ.get("FISSION_SECRET_NAME") or SECRET_NAME, key)
    if value is None:
        return default
    if value not in _handed_out and key not in _NOT_SECRET:
        _remember(value)
    return value


def get_config(key: str, default: str | None = None, *, name: str | None = None) -> str | None:
    """Return a configuration value, like ``get_secret`` but from the ConfigMap (``FISSION_CONFIG_NAME``)."""
    value = _lookup("configs", name or os.environ.get("FISSION_CONFIG_NAME") or CONFIG_NAME, key)
    return default if value is None else value


def get_current_namespace() -> str:
    """Return the namespace of the running function.

    In this order: the only directory below ``/secrets`` or ``/configs``, the file ``/etc/podinfo/namespace``,
    the header ``X-Fission-Function-Namespace`` of the request, ``"default"``.
    """
    root = pod_root()
    for kind in ("secrets", "configs"):
        namespaces = _subfolders(f"{root}/{kind}")
        if len(namespaces) == 1:
            return namespaces[0]
    try:
        with open(f"{root}/etc/podinfo/namespace", encoding="ascii") as file:
            found = file.read().strip()
    except (OSError, ValueError):
        found = ""
    if not found:
        from flask import has_request_context, request

        found = request.headers.get("X-Fission-Function-Namespace", "") if has_request_context() else ""
    return found if _NAME.fullmatch(found) else "default"


def pod_root() -> str:
    """Return the directory that holds ``secrets/``, ``configs/`` and ``etc/``, without a slash at its end."""
    return os.environ.get("FISSION_POD_ROOT", "/").rstrip("/")


def str_to_bool(text: str) -> bool:
    """Return what a word such as ``yes`` or ``off`` means.

    Raises:
        ValueError: It is none of 1 y yes t true on, 0 n no f false off (in any case); a typing error in a
            switch must not silently mean "off".
    """
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("expected one of 1 y yes t true on 0 n no f false off")
    return word in _TRUE


def redact(text: str) -> str:
    """Return the text with every secret that was handed out replaced by stars."""
    for value in _handed_out:
        if value in text:
            text = text.replace(value, "***")
    return text


def _lookup(kind: str, name: str, key: str) -> str | None:
    if not _KEY.fullmatch(key) or key in (".", "..") or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name}/{key} is not a valid name for {kind}")
    folder = _folder(kind, name)
    value = None if folder is None else _read(f"{folder}/{key}", kind)
    if value is None and (plain := os.environ.get(key)) is not None:
        value = plain.strip()
        if value.startswith("vault:"):
            value = _decrypted(value, f"{get_current_namespace()}/{name}/{key}", kind)
    return value


def _folder(kind: str, name: str) -> str | None:
    """Find the object in whichever namespace holds it; only a hit is remembered."""
    root = pod_root()
    known = _folders.get((root, kind, name))
    if known is not None and os.path.isdir(known):
        return known
    base = f"{root}/{kind}"
    holders = [ns for ns in _subfolders(base) if os.path.isdir(f"{base}/{ns}/{name}")]
    if not holders:
        return None
    namespace = holders[0] if len(holders) == 1 else get_current_namespace()
    if namespace not in holders:
        raise ConfigurationError(f"{name} exists in several namespaces below {base}")
    _folders[root, kind, name] = f"{base}/{namespace}/{name}"
    return _folders[root, kind, name]


def _read(path: str, kind: str) -> str | None:
    """Return the content of a file, from memory while its time, inode and size stay; None if there is none."""
    try:
        now = os.stat(path)
        stamp = (now.st_mtime_ns, now.st_ino, now.st_size)
        known = _values.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        with open(path, encoding="utf-8") as file:
            value = file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from None
    if value.startswith("vault:"):
        value = _decrypted(value, "/".join(path.split("/")[-3:]), kind)
    _values[path] = (stamp, value)
    return value


def _decrypted(value: str, place: str, kind: str) -> str:
    from vault import decrypt_vault  # which costs 40 ms, and most services store plain values

    value = decrypt_vault(value, bound_to=place)
    if kind == "configs":  # whoever encrypts a configuration value wants it kept secret, too
        _remember(value)
    return value


def _remember(value: str) -> None:
    """Keep a secret out of the logs, also line by line, where JSON escapes it, and inside a database URL."""
    texts = [value, json.dumps(value, ensure_ascii=False)[1:-1], *value.splitlines()]
    texts += re.findall(r"://[^:/@]*:(.+)@", value)
    for text in texts:
        if len(text) >= 6:  # shorter ones would star out half of every line
            _handed_out[text] = None


def _subfolders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []
