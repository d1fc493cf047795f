"""The settings of functions: from .env.example, with the modules that read them."""

from __future__ import annotations

import ast

from kit.dotenv import read
from kit.manifests.names import read_by_code

from tools import ROOT
from tools.reference.markdown import code, table

TEMPLATE = ROOT / "template"


def settings_table(kind: str) -> str:
    """Return the settings of one kind, `secret` or `config`, in the order of .env.example."""
    rows = [(code(name), text, ", ".join(code(module) for module in modules)) for name, text, modules in rows_of(kind)]
    return table(["Name", "What it is", "Read by"], rows)


def rows_of(kind: str) -> list[tuple[str, str, list[str]]]:
    """Return name, explanation and reading modules of each setting."""
    readers = read_by_code(TEMPLATE / "src", TEMPLATE / "examples")
    return [
        (key, text, sorted({use.path.stem for use in readers if use.key == key}))
        for key, text in _explained()
        if entry_kinds()[key] == kind
    ]


def entry_kinds() -> dict[str, str]:
    """Return whether each setting of .env.example is a secret or a config."""
    return {entry.key: entry.kind or "" for entry in read(TEMPLATE / ".env.example").values()}


def _explained() -> list[tuple[str, str]]:
    """Return each setting with the comment above it; settings that follow directly share the comment."""
    found: list[tuple[str, str]] = []
    comment: list[str] = []
    fresh = True
    for line in (TEMPLATE / ".env.example").read_text("utf-8").splitlines():
        if line.startswith("# ["):
            comment = []
        elif line.startswith("#"):
            comment = [*([] if fresh else comment), line[1:].strip()]
            fresh = False
            continue
        elif "=" in line:
            found.append((line.partition("=")[0], " ".join(comment)))
        else:
            comment = []
        fresh = True
    return found


VARIABLES = {
    "FISSION_SECRET_NAME": ("functions", "The Secret that `get_secret` reads; default `fission-your-service-env`."),
    "FISSION_CONFIG_NAME": (
        "functions",
        "The ConfigMap of `get_config`; default `fission-your-service-config`.",
    ),
    "FISSION_VAULT_SECRET": ("functions", "A Secret of its own for `VAULT_KEY`, apart from the encrypted values."),
    "FISSION_POD_ROOT": ("functions and tools", "The folder below which `secrets/` and `configs/` lie; default `/`."),
    "WSGI_FRAMEWORK": ("Fission's environment, `make run`", "`GEVENT` serves with gevent; anything else with bjoern."),
    "USERFUNCVOL": ("Fission's environment", "Where Fission puts the function's files; default `/userfunc`."),
    "VENV": ("`make`, `python -m kit`", "The folder of the project's virtual environment; default `.venv`."),
    "PG_BIN": ("tools", "A folder with PostgreSQL's own programs, instead of those that come from the package index."),
    "AUDIT_URL": ("`kit audit`", "Another server of vulnerability data in OSV's format."),
    "KUBECONFIG": ("`kit deploy`", "The file with the access to the cluster, as for kubectl."),
    "KUBECONFIG_CONTENT": ("`kit deploy`", "The content of such a file, as CI keeps it in a secret."),
}
"""Variables of the process, as name to who reads it and what it says."""


def variables_table() -> str:
    """Return the environment variables that functions and tools read beside the settings."""
    return table(["Name", "Read by", "Meaning"], [(code(name), who, text) for name, (who, text) in VARIABLES.items()])


def variables_in_code() -> set[str]:
    """Return every name that the template's code takes from the environment by itself."""
    found: set[str] = set()
    for folder in ("src", "examples", "kit"):
        for path in (TEMPLATE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found |= _names(node)
    return found


def _names(node: ast.AST) -> set[str]:
    """A constant name in `os.environ[...]`, `os.environ.get(...)` or `os.getenv(...)`."""
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
        key = node.slice
    elif (
        isinstance(node, ast.Call)
        and node.args
        and ast.unparse(node.func) in ("os.environ.get", "os.environ.pop", "os.getenv")
    ):
        key = node.args[0]
    return {key.value} if isinstance(key, ast.Constant) and isinstance(key.value, str) else set()
