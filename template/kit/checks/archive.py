"""Modules and dependencies that are not found, or not the ones that are found."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from kit.checks.registry import Example, rule
from kit.checks.subject import Module, Requirement, Subject, modules_in, normalised
from kit.specs.errors import SpecError

_SERVER = {"server", "flask_sockets", "socket_tracker"}
_NO_WHEEL = {
    "psycopg2": "psycopg2-binary",
    "mysqlclient": "PyMySQL",
    "pymssql": "python-tds",
    "confluent-kafka": "kafka-python-ng",
}
_PLAIN = "def total(prices):\n    return sum(prices)\n"
_IMPORTS_YAML = "import yaml\n\n\ndef read(text):\n    return yaml.safe_load(text)\n"
_IMPORTS_JSON = "import json\n\n\ndef read(text):\n    return json.loads(text)\n"


@rule(
    "FK040",
    "A module that is never found",
    "error",
    """Fission appends your files to the end of `sys.path`. A module named like one of the standard library, of the
    server (`server`), or of a package in the image (`requests`, `redis`, `click` …) is hidden by it: `import` gets the
    other one.""",
    pitfalls=("3",),
    bad=Example("src/calendar.py", _PLAIN),
    good=Example("src/order_calendar.py", _PLAIN),
)
def shadowed(subject: Subject) -> Iterator[SpecError]:
    """Find modules that something earlier on the path hides."""
    image = {name: pin for pin in subject.environment_pins for name in modules_in(pin)}
    for module in _top_level(subject):
        if module.name in sys.stdlib_module_names:
            owner = "Python's standard library"
        elif module.name in _SERVER:
            owner = "the server in the pod"
        elif module.name in image:
            owner = f"the package {image[module.name]} in Fission's image"
        else:
            continue
        why = f"{owner} has a module of that name, and it comes first"
        yield SpecError(module.path, 1, 1, f"import {module.name} gets another module", why, "Rename the file")


@rule(
    "FK041",
    "A module that replaces a dependency",
    "error",
    """Your modules and the dependencies share one folder. A module named like a dependency of requirements.txt takes
    its place, and everything that imports the dependency gets your file.""",
    pitfalls=("3",),
    bad=Example("src/pydantic.py", _PLAIN),
    good=Example("src/order_models.py", _PLAIN),
)
def replaces_dependency(subject: Subject) -> Iterator[SpecError]:
    """Find modules with the name of a dependency."""
    owners = {name: item.name for item in subject.requirements for name in modules_in(item.name)}
    for module in _top_level(subject):
        if module.name in owners:
            why = f"The dependency {owners[module.name]} has a module of that name"
            yield SpecError(module.path, 1, 1, f"{module.name} is taken", why, "Rename the file")


@rule(
    "FK042",
    "A dependency that the image has in another version",
    "warning",
    """The packages of Fission's image come before yours on `sys.path`. If requirements.txt pins another version of one
    of them, your copy is shipped but never imported. Lock against `kit/python-env-1.35.0.txt`, as `make lock` does.""",
    pitfalls=("3",),
    bad=Example("src/requirements.txt", "requests==2.20.0\n"),
    good=Example("src/requirements.txt", "requests==2.34.2\n"),
)
def other_version(subject: Subject) -> Iterator[SpecError]:
    """Find pins that differ from the image."""
    if not subject.stock_image:
        return
    for item in subject.requirements:
        pin = subject.environment_pins.get(item.name)
        if pin is not None and item.version is not None and item.version != pin:
            what = f"{item.name} {item.version} is never imported"
            yield _at(subject, item, what, f"Fission's image has {pin}, and it comes first", f"Pin {pin}")


@rule(
    "FK043",
    "An import that nothing provides",
    "error",
    """The pod has the standard library, the packages of Fission's image, your modules, and what the requirements.txt at
    the root of the archive names. Anything else ends in ModuleNotFoundError at the first request, even if it is
    installed on your computer.""",
    pitfalls=("4",),
    bad=Example("src/settings_file.py", _IMPORTS_YAML),
    good=Example("src/settings_file.py", _IMPORTS_JSON),
)
def missing_import(subject: Subject) -> Iterator[SpecError]:
    """Find imports of packages that will not be in the pod."""
    provided = set(sys.stdlib_module_names) | {module.name.partition(".")[0] for module in subject.modules}
    for package in [*subject.environment_pins, *(item.name for item in subject.requirements)]:
        provided |= modules_in(package)
    for module in subject.modules:
        for node, name in _imports(module):
            if name not in provided and not _promised(name, subject):
                what, why = f"nothing in the pod provides {name}", "The function would not start"
                yield module.error(node, what, why, "Add its package to requirements.in and run make lock")


@rule(
    "FK044",
    "A dependency without wheels for Alpine",
    "error",
    """The images are Alpine (musl), and the builder has neither `pg_config` nor the headers of databases. Packages
    without musllinux wheels fail there after a long compilation. Use the variant that ships wheels.""",
    pitfalls=("5",),
    bad=Example("src/requirements.txt", "psycopg2==2.9.11\n"),
    good=Example("src/requirements.txt", "psycopg2-binary==2.9.13\n"),
)
def no_wheel(subject: Subject) -> Iterator[SpecError]:
    """Find packages known to need headers."""
    if not subject.stock_image:
        return
    for item in subject.requirements:
        if item.name in _NO_WHEEL:
            what, why = f"{item.name} has no wheel for Alpine", "The builder lacks the headers to compile it"
            yield _at(subject, item, what, why, f"Use {_NO_WHEEL[item.name]}")


def _promised(name: str, subject: Subject) -> bool:
    """Say whether a requirement that is not installed here may have a module, as google-cloud-storage has `google`."""
    return any(f"{item.name}-".startswith(f"{normalised(name)}-") for item in subject.requirements)


def _at(subject: Subject, item: Requirement, what: str, why: str, fix: str) -> SpecError:
    return SpecError(subject.requirements_path, item.line, 1, what, why, fix)


def _top_level(subject: Subject) -> Iterator[Module]:
    return (module for module in subject.modules if "." not in module.name and module.name != "__init__")


def _imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield the top-level names of imports that run unconditionally, that is, not in try or for type checkers."""
    pending: list[ast.AST] = [module.tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module is not None:
                yield node, node.module.partition(".")[0]
        elif not isinstance(node, ast.Try) and not _for_type_checkers(node):
            pending += ast.iter_child_nodes(node)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
