"""The functions of a module and of its companions, read with `ast`; nothing is imported.

Companions of `orders.py` are the files `orders_*.py` beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Expression:
    """A piece of source.

    Attributes:
        text: for example `Page[Item]`.
        module: whose names it uses; None means the module that was asked about.
    """

    text: str
    module: str | None = None


class Function:
    """One function, and which others it can call by name."""

    def __init__(self, file: _File, node: FunctionNode) -> None:
        self._file = file
        self.node = node

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    def expression(self, node: ast.AST) -> Expression:
        """Return a piece of this function as an expression."""
        return Expression(ast.unparse(node), self._file.module)

    def called(self, node: ast.AST) -> Function | None:
        """Return the function that a call calls, if it is one of the module or of a companion."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._file.function(node.func.id)
        return None

    def named(self, name: str) -> Function | None:
        """Return the function that a name means here."""
        return self._file.function(name)

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Return the calls of functions with such a name, in the order of the text."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node

    def reached(self) -> list[Function]:
        """Return this function and all that it calls, directly or not."""
        found: list[Function] = []
        waiting = [self]
        while waiting:
            current = waiting.pop(0)
            if current not in found:
                found.append(current)
                waiting += [called for node in ast.walk(current.node) if (called := current.called(node))]
        return found

    def returns(self) -> list[tuple[Function, ast.expr | None]]:
        """Return what the function returns, each with the function where it stands.

        `return other(...)` stands for what the other one returns.
        """
        return list(self._returns(set()))

    def _returns(self, seen: set[Function]) -> Iterator[tuple[Function, ast.expr | None]]:
        seen.add(self)
        for node in ast.walk(self.node):
            if isinstance(node, ast.Return):
                called = self.called(node.value) if node.value else None
                if called is None:
                    yield self, node.value
                elif called not in seen:
                    yield from called._returns(seen)


class _File:
    """The functions of one file by name, and those that it imports from companions."""

    def __init__(self, source: str, module: str | None, folder: Path | None, companions: str) -> None:
        tree = ast.parse(source)
        self.module = module
        self._folder = folder
        self._companions = companions
        self._own = {
            node.name: Function(self, node)
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        self._files: dict[str, _File | None] = {}

    def function(self, name: str) -> Function | None:
        if name in self._own:
            return self._own[name]
        module, original = self._imported.get(name, ("", ""))
        if module not in self._files:
            self._files[module] = self._companion(module)
        file = self._files[module]
        return file.function(original) if file else None

    def _companion(self, module: str) -> _File | None:
        path = self._folder / f"{module}.py" if self._folder and self._companions else None
        if path is None or not module.startswith(self._companions) or not path.is_file():
            return None
        return _File(path.read_text(encoding="utf-8"), module, self._folder, self._companions)


def read(source: str, path: Path | None = None) -> dict[str, Function]:
    """Return the functions of a module by name.

    Args:
        source: its text; must be valid Python.
        path: where it lies, if companions are to be read, too.
    """
    file = _File(source, None, path.parent if path else None, f"{path.stem}_" if path else "")
    return dict(file._own)
