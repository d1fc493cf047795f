"""What the rules look at: settings, functions, modules, requirements and scripts of one project."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from kit.specs.deployment import Deployment
from kit.specs.docstring import FunctionBlock
from kit.specs.errors import SpecError
from kit.specs.models import HttpTrigger
from kit.specs.places import column_of
from kit.specs.project_specs import Loaded
from kit.specs.resolve import Resolved
from kit.specs.settings import Container, Settings
from kit.specs.sources import python_files, read_text

STOCK_IMAGE = "ghcr.io/fission/python-env"
_PINS = Path(__file__).parent.parent / "python-env-1.35.0.txt"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;\\]+))?", re.MULTILINE)
# Modules whose name differs from that of the package, for packages that are not installed here.
_MODULES = {"python-dateutil": "dateutil", "pyyaml": "yaml", "zope-event": "zope", "zope-interface": "zope"}


@dataclass(frozen=True)
class Module:
    """A parsed Python file of the package."""

    path: Path
    name: str
    tree: ast.Module
    lines: list[str]

    def error(self, node: ast.AST, what: str, why: str, fix: str) -> SpecError:
        """Return a finding at a node."""
        line, byte = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return SpecError(self.path, line, column_of(self.lines, line, byte), what, why, fix)


@dataclass(frozen=True)
class Requirement:
    """A line of requirements.txt, with its normalised name."""

    name: str
    version: str | None
    line: int


@dataclass(frozen=True)
class Subject:
    """A project as the rules see it."""

    loaded: Loaded

    @property
    def deployment(self) -> Deployment:
        """The settings with their places."""
        return self.loaded.deployment

    @property
    def settings(self) -> Settings:
        """The settings of the stage."""
        return self.loaded.deployment.settings

    @property
    def functions(self) -> list[Resolved]:
        """All functions, completed."""
        return self.loaded.functions

    @property
    def python_functions(self) -> list[Resolved]:
        """The functions that run in the Python environment, not in an image of their own."""
        return [function for function in self.functions if not isinstance(function.profile, Container)]

    @property
    def stock_image(self) -> bool:
        """Whether the environment is Fission's own Flask image."""
        return str(self.settings.environment.image).partition(":")[0] == STOCK_IMAGE

    @property
    def folders(self) -> list[Path]:
        """The folders of the package."""
        return [self.deployment.root / name for name in self.settings.package.folders]

    def http_triggers(self) -> Iterator[tuple[FunctionBlock, str, HttpTrigger]]:
        """Yield every route with its function and key."""
        for function in self.functions:
            for key, trigger in function.block.config.http_triggers.items():
                yield function.block, key, trigger

    @cached_property
    def modules(self) -> list[Module]:
        """All modules of the package."""
        found = []
        for folder in self.folders:
            for path in python_files(folder):
                text, _ = read_text(path)
                if text is not None:
                    name = ".".join(path.relative_to(folder).with_suffix("").parts)
                    found.append(Module(path, name, ast.parse(text), text.split("\n")))
        return found

    @cached_property
    def function_modules(self) -> list[tuple[Resolved, Module]]:
        """The functions whose code runs in the Python environment, each with its module."""
        by_path = {module.path: module for module in self.modules}
        return [(f, by_path[f.block.path]) for f in self.python_functions if f.block.path in by_path]

    @cached_property
    def requirements_path(self) -> Path:
        """Where requirements.txt has to lie: in the folder that becomes the root of the archive."""
        return self.folders[0] / "requirements.txt"

    @cached_property
    def requirements(self) -> list[Requirement]:
        """What the archive brings along."""
        text = read_text(self.requirements_path)[0] or "" if self.requirements_path.exists() else ""
        return _parse(text)

    @cached_property
    def environment_pins(self) -> dict[str, str]:
        """Versions in Fission's Python image, by normalised name."""
        return {pin.name: pin.version or "" for pin in _parse(_PINS.read_text(encoding="utf-8"))}

    @cached_property
    def scripts(self) -> list[tuple[Path, list[str]]]:
        """Makefile, shell scripts and workflows of the project with their lines."""
        root = self.deployment.root
        paths = [*root.glob("Makefile"), *root.glob("*.sh"), *root.glob(".gi*/workflows/*.y*ml"), *root.glob(".ci/*")]
        texts = ((path, read_text(path)[0]) for path in sorted(paths) if path.is_file())
        return [(path, text.split("\n")) for path, text in texts if text is not None]


@cache
def modules_in(package: str) -> frozenset[str]:
    """Return the names under which a package is imported: from its metadata if it is installed here, else guessed."""
    try:
        installed = distribution(package)
    except PackageNotFoundError:
        return frozenset({_MODULES.get(package, package.replace("-", "_"))})
    if listed := installed.read_text("top_level.txt"):
        return frozenset(listed.split())
    tops = {file.parts[0].partition(".")[0] for file in installed.files or [] if file.suffix in (".py", ".so")}
    return frozenset(name for name in tops if name.isidentifier())


def normalised(name: str) -> str:
    """Return a package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def dotted(node: ast.AST) -> str:
    """Return a name such as `flask.request.path`, or an empty text for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield every call of a named function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            yield node, name


def _parse(text: str) -> list[Requirement]:
    found: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if (match := _REQUIREMENT.match(line)) is not None:
            found.append(Requirement(normalised(match[1]), match[2], number))
    return found
