"""Which function of a module answers a route and a method, and with which models. Read from the source with `ast`."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

_BODY_METHODS = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Operation:
    """What the source says about one route and method; models are expressions such as `Page[Item]`.

    Attributes:
        handler: the name of the function that answers.
        summary: the first sentence of its docstring.
        description: the whole of it, without the Fission block.
        body: the model of the body.
        query: the model of the query.
        answers: candidates for the model of the answer, best first.
        status: of success.
    """

    handler: str
    summary: str
    description: str
    body: str | None
    query: str | None
    answers: tuple[str, ...]
    status: int


class Module:
    """The functions of one module.

    Args:
        source: its text; must be valid Python.
        entry: the name of the function that Fission calls.
    """

    def __init__(self, source: str, entry: str) -> None:
        tree = ast.parse(source)
        self._functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._entry = entry

    @property
    def description(self) -> str:
        """What the entry point's docstring says, without the Fission block."""
        return _texts(self._functions[self._entry])[1]

    def operation(self, method: str, variables: set[str]) -> Operation:
        """Describe what answers.

        Args:
            method: in upper case.
            variables: those of the route's path.
        """
        name = self._answering(method, variables)
        node = self._functions[name]
        body, query = (self._model(name, call) for call in ("json_body", "query_params"))
        summary, description = _texts(node)
        return Operation(
            handler=name,
            summary=summary,
            description=description,
            body=body if method in _BODY_METHODS else None,
            query=query,
            answers=tuple(_answers(node)),
            status=_status(node),
        )

    def _answering(self, method: str, variables: set[str]) -> str:
        wanted = {"HEAD": ("HEAD", "GET")}.get(method, (method,))
        found = [
            keyword.value.id
            for function in self._reached(self._entry)
            for call in _calls(self._functions[function], "by_method")
            for keyword in call.keywords
            if keyword.arg in wanted and isinstance(keyword.value, ast.Name) and keyword.value.id in self._functions
        ]
        fitting = [name for name in found if self._reads(name, variables)]
        return (fitting or found or [self._entry])[0]

    def _reads(self, name: str, variables: set[str]) -> bool:
        """Tell whether a function reads one of the variables; without variables, whether it reads none at all."""
        read = self._path_params(name)
        return bool(read & variables) if variables else not read

    def _path_params(self, name: str) -> set[str]:
        return {
            str(call.args[0].value)
            for function in self._reached(name)
            for call in _calls(self._functions[function], "path_param")
            if call.args and isinstance(call.args[0], ast.Constant)
        }

    def _model(self, name: str, callee: str) -> str | None:
        """Return the model that a function, or the first that it calls, hands to `callee`."""
        for function in self._reached(name):
            for call in _calls(self._functions[function], callee):
                if call.args:
                    return ast.unparse(call.args[0])
        return None

    def _reached(self, name: str) -> list[str]:
        """Return a function of the module and all that it calls, in the order of the text."""
        found: list[str] = []
        waiting = [name]
        while waiting:
            current = waiting.pop(0)
            if current not in found:
                found.append(current)
                waiting += [
                    node.func.id
                    for node in ast.walk(self._functions[current])
                    if isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in self._functions
                ]
        return found


def _calls(node: ast.AST, name: str) -> Iterator[ast.Call]:
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == name:
            yield child


def _answers(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    if node.returns is not None:
        yield ast.unparse(node.returns)
    made = [child.func for child in ast.walk(node) if isinstance(child, ast.Call)]
    for callee in reversed(made):
        if isinstance(callee, ast.Attribute) and callee.attr in ("model_validate", "model_construct"):
            yield ast.unparse(callee.value)
        elif isinstance(callee, ast.Name) and callee.id[:1].isupper():
            yield callee.id


def _status(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    values = [child.value for child in ast.walk(node) if isinstance(child, ast.Return)]
    for value in values:
        if isinstance(value, ast.Tuple) and len(value.elts) > 1 and isinstance(value.elts[1], ast.Constant):
            status = value.elts[1].value
            if isinstance(status, int) and 200 <= status < 300:
                return status
    nothing = [value for value in values if value is None or (isinstance(value, ast.Constant) and value.value is None)]
    return 204 if values and len(nothing) == len(values) else 200


def _texts(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, str]:
    text = inspect.cleandoc(ast.get_docstring(node) or "").partition("```fission")[0].strip()
    text = text.replace("``", "`")  # OpenAPI reads Markdown
    first = " ".join(text.partition("\n\n")[0].split())
    summary = first.partition(". ")[0].rstrip(".")
    return summary or node.name.replace("_", " "), text
