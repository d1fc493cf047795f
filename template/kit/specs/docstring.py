"""The Fission blocks in the docstrings of `main()`, read without importing the code."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.specs.errors import SpecError, SpecErrors
from kit.specs.models import FunctionConfig
from kit.specs.places import Place, in_literal
from kit.specs.sources import python_files, read_text
from kit.specs.validate import Located, read_located, validate

_FENCE = re.compile(r"^[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*?)[ \t]*$", re.MULTILINE)
_CONFIGURATION = re.compile(r'"(http_triggers|timers|queues|watches)"\s*:')


@dataclass(frozen=True)
class FunctionBlock:
    """One Fission function: where its block stands and what it says; `line` is that of the fence."""

    path: Path
    line: int
    module: str
    handler: str
    config: FunctionConfig
    located: Located
    tree: ast.Module


def read_functions(*folders: Path) -> list[FunctionBlock]:
    """Return the functions of all modules in `folders`, in the order of their names.

    A module without a `main()`, or whose `main()` has no Fission block, is no function.

    Raises:
        SpecErrors: some files cannot be read or some blocks are wrong; all problems are in it.
    """
    functions: list[FunctionBlock] = []
    errors: list[SpecError] = []
    for folder in folders:
        for path in python_files(folder):
            found, problems = read_module(path, folder)
            errors += problems
            functions += found
    functions.sort(key=lambda function: (function.config.name, str(function.path)))
    errors += _repeated_names(functions)
    if errors:
        raise SpecErrors(errors)
    return functions


def read_module(path: Path, folder: Path) -> tuple[list[FunctionBlock], list[SpecError]]:
    """Return the functions of one module, at most one, and its problems."""
    text, errors = read_text(path)
    if text is None:
        return [], errors
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        place = (error.lineno or 1, max(error.offset or 1, 1))
        return [], [
            _error(path, place, f"Python cannot read it: {error.msg}", "The module would not start", "Correct it")
        ]
    except (ValueError, RecursionError, MemoryError) as error:
        return [], [_error(path, (1, 1), f"Python cannot read it: {error}", "The module would not start", "Correct it")]
    return _Module(path, folder, text, tree).read()


def _error(path: Path, place: Place, what: str, why: str, fix: str) -> SpecError:
    return SpecError(path, place[0], place[1], what, why, fix)


def _repeated_names(functions: list[FunctionBlock]) -> Iterator[SpecError]:
    first: dict[str, FunctionBlock] = {}
    for function in functions:
        other = first.setdefault(function.config.name, function)
        if other is not function:
            what = f'the name "{function.config.name}" is taken by {other.path.name}:{other.line}'
            why = "Function names are unique in a namespace"
            yield function.located.error(("name",), what, why, "Rename one of the two")


class _Module:
    """One parsed module on its way to at most one function."""

    def __init__(self, path: Path, folder: Path, text: str, tree: ast.Module) -> None:
        self.path, self.tree = path, tree
        self.lines = text.split("\n")
        relative = path.relative_to(folder).with_suffix("")
        self.name = ".".join(relative.parts[:-1] if relative.name == "__init__" else relative.parts)
        self.errors: list[SpecError] = []
        self.functions: list[FunctionBlock] = []

    def read(self) -> tuple[list[FunctionBlock], list[SpecError]]:
        mains = [node for node in self.tree.body if isinstance(node, _FUNCTION) and node.name == "main"]
        for node in ast.walk(self.tree):
            if isinstance(node, _DOCUMENTED) and (literal := _docstring(node)) is not None:
                if any(node is main for main in mains):
                    self.main(literal)
                elif any(fence["info"].lower() == "fission" for fence in _FENCE.finditer(str(literal.value))):
                    what = "a Fission block stands outside the docstring of main()"
                    self.report(literal, 0, what, "Only the block of main() counts", "Move it into that docstring")
        return self.functions, self.errors

    def main(self, literal: ast.Constant) -> None:
        text = str(literal.value)
        blocks, outside = [], text
        opening: re.Match[str] | None = None
        for fence in _FENCE.finditer(text):
            if opening is None:
                opening = fence
                continue
            if fence["info"] or not fence["marks"].startswith(opening["marks"]):
                continue
            if opening["info"] == "fission":
                blocks.append((opening, text[opening.end() : fence.start()]))
                blank = re.sub(r"[^\n]", " ", text[opening.start() : fence.end()])
                outside = outside[: opening.start()] + blank + outside[fence.end() :]
            opening = None
        if opening is not None and opening["info"].lower() == "fission":
            fix = f"Add a line with {opening['marks']} after the JSON"
            self.report(literal, opening.start("marks"), "the Fission block is never closed", "Its end is unknown", fix)
            return
        if stray := _CONFIGURATION.search(outside):
            fix = "Put the JSON between a line ```fission and a line ```"
            why = "Only what stands in a ```fission fence is read"
            self.report(literal, stray.start(), "Fission configuration stands outside the fence", why, fix)
        for extra, _ in blocks[1:]:
            why = "A module has one main() and thus one block"
            self.report(
                literal, extra.start("marks"), "a second Fission block follows", why, "Move it to another module"
            )
        if len(blocks) == 1:
            self.block(literal, *blocks[0])

    def block(self, literal: ast.Constant, fence: re.Match[str], text: str) -> None:
        inside = in_literal(self.lines, literal)
        located, errors = read_located(text, self.path, lambda offset: inside(fence.end() + offset))
        self.errors += errors
        if located is None:
            return
        config, errors = validate(FunctionConfig, located.document.value, lambda _loc: located)
        self.errors += errors
        if config is not None and not self.functions:
            line = inside(fence.start("marks"))[0]
            self.functions.append(FunctionBlock(self.path, line, self.name, config.handler, config, located, self.tree))

    def report(self, literal: ast.Constant, offset: int, what: str, why: str, fix: str) -> None:
        self.errors.append(_error(self.path, in_literal(self.lines, literal)(offset), what, why, fix))


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value
    return None
