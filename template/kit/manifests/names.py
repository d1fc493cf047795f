"""Which settings does the code read? Found in the calls of get_secret and get_config, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.dotenv import Kind
from kit.errors import KitError
from kit.specs.sources import python_files

READERS: dict[str, Kind] = {
    "get_secret": "secret",
    "require_secret": "secret",
    "get_config": "config",
    "require_config": "config",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Use:
    """One setting that a line of code reads."""

    key: str
    kind: Kind
    path: Path
    line: int


def read_by_code(*folders: Path) -> list[Use]:
    """Return every setting that the modules of some folders read, in the order of files and lines.

    The name may be a literal, a parameter of a helper that is called with literals, or a loop variable over a literal
    list or dictionary. What another Secret than the service's own holds (`name="..."`) does not count.

    Raises:
        KitError: a file is not Python, or a name is made up at run time so that nobody can list it.
    """
    found: list[Use] = []
    for path in sorted(path for folder in folders if folder.is_dir() for path in python_files(folder)):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise KitError(f"{path} is not Python: {error}") from error
        for call, function in _calls(tree):
            kind = READERS.get(_called(call))
            if kind and call.args and not _of_another_object(call):
                keys = set(_texts(call.args[0], function, tree))
                if not keys:
                    raise KitError(
                        f"{path}:{call.lineno}: the name of the setting is made up at run time, so nobody can list it; "
                        "write it as a literal"
                    )
                found += [Use(key, kind, path, call.lineno) for key in sorted(keys)]
    return found


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Function | None]]:
    """Yield all calls with the function that they stand in."""

    def walk(node: ast.AST, function: Function | None) -> Iterator[tuple[ast.Call, Function | None]]:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, Function) else function
            if isinstance(child, ast.Call):
                yield child, inner
            yield from walk(child, inner)

    return walk(tree, None)


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _of_another_object(call: ast.Call) -> bool:
    names = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    return any(isinstance(value, ast.Constant) and value.value is not None for value in names)


def _texts(node: ast.expr, function: Function | None, tree: ast.Module) -> Iterator[str]:
    """Yield what an expression can be, as far as literals say it."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, function, tree)
        yield from _texts(node.orelse, function, tree)
    elif isinstance(node, ast.Name):
        if function and node.id in [argument.arg for argument in function.args.args]:
            yield from _texts_of_parameter(node.id, function, tree)
        else:
            yield from _texts_of_variable(node.id, function or tree, tree, {node.id})


def _texts_of_parameter(name: str, function: Function, tree: ast.Module) -> Iterator[str]:
    """Yield what the callers in this module pass for a parameter."""
    names = [argument.arg for argument in function.args.args]
    for call, caller in _calls(tree):
        if _called(call) != function.name:
            continue
        passed = [keyword.value for keyword in call.keywords if keyword.arg == name]
        passed += call.args[names.index(name) :][:1]
        for value in passed:
            yield from _texts(value, caller, tree)


def _sources(name: str, scope: ast.AST) -> Iterator[ast.expr]:
    """Yield what a name is assigned or loops over."""
    for node in ast.walk(scope):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.For | ast.comprehension):
            targets = [node.target]
        value = node.iter if isinstance(node, ast.For | ast.comprehension) else getattr(node, "value", None)
        mentioned = {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
        if name in mentioned and isinstance(value, ast.expr):
            yield value


def _texts_of_variable(name: str, scope: ast.AST, tree: ast.Module, seen: set[str]) -> Iterator[str]:
    """Yield the upper-case texts in the literals that a variable comes from, also by way of other variables."""
    sources = list(_sources(name, scope)) or list(_sources(name, tree))
    for leaf in (leaf for source in sources for leaf in ast.walk(source)):
        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and leaf.value.isupper():
            yield leaf.value
        elif isinstance(leaf, ast.Name) and leaf.id not in seen:
            seen.add(leaf.id)
            yield from _texts_of_variable(leaf.id, scope, tree, seen)
