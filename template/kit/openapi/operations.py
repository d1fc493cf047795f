"""Which function of a module answers a route and a method, and with which models. Read from the source with `ast`."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.openapi.source import Expression, Function, FunctionNode, read

_BODY_METHODS = ("POST", "PUT", "PATCH", "DELETE")

# What functions of src/ refuse by themselves, wherever they are called.
_REFUSALS = {
    "json_body": ((400, "VALIDATION_ERROR"), (413, "TOO_LARGE"), (415, "UNSUPPORTED_MEDIA_TYPE")),
    "query_params": ((400, "VALIDATION_ERROR"),),
    "fetch_page": ((400, "VALIDATION_ERROR"),),
}
_HEADERS = {"get_user_from_headers": "X-User"}  # what functions of src/ read
_NOT_PARAMETERS = ("accept", "authorization", "content-type")  # OpenAPI says: such parameters shall be ignored
_ARGUMENTS = ("error_code", "http_status")  # of ServiceException
_FORMATS = {"UUID": "uuid", "int": "integer"}


@dataclass(frozen=True)
class Raised:
    """An exception that is made somewhere.

    Attributes:
        kind: the class.
        code: the first argument, if it is a text.
        status: the second argument, if it is a number.
    """

    kind: Expression
    code: str | None
    status: int | None


@dataclass(frozen=True)
class Operation:
    """What the source says about one route and method.

    Attributes:
        handler: the name of the function that answers.
        summary: the first sentence of its docstring.
        description: the whole of it, without the Fission block.
        body: the model of the body.
        query: the model of the query.
        answers: candidates for the model of the answer, best first.
        status: of success.
        other_statuses: what is returned besides, for example 304.
        refusals: statuses of errors with their codes, as far as functions of `src/` are known to raise them.
        raised: further exceptions.
        headers: the names of request headers that are read.
        answer_headers: the names of headers that a successful answer has.
        formats: variables of the path to `uuid` or `integer`.
    """

    handler: str
    summary: str
    description: str
    body: Expression | None
    query: Expression | None
    answers: tuple[Expression, ...]
    status: int
    other_statuses: tuple[int, ...]
    refusals: tuple[tuple[int, str], ...]
    raised: tuple[Raised, ...]
    headers: tuple[str, ...]
    answer_headers: tuple[str, ...]
    formats: dict[str, str]


class Module:
    """The functions of one module.

    Args:
        source: its text; must be valid Python.
        entry: the name of the function that Fission calls.
        path: where it lies, if companions are to be read, too.
    """

    def __init__(self, source: str, entry: str, path: Path | None = None) -> None:
        self._entry = read(source, path)[entry]

    @property
    def description(self) -> str:
        """What the entry point's docstring says, without the Fission block."""
        return _texts(self._entry.node)[1]

    def operation(self, method: str, variables: set[str]) -> Operation:
        """Describe what answers.

        Args:
            method: in upper case.
            variables: those of the route's path.
        """
        function = self._answering(method, variables)
        reached = function.reached()
        summary, description = _texts(function.node)
        success, others = _statuses(function)
        passed = list(dict.fromkeys([self._entry, *reached]))  # what main() itself does happens to every request
        known = {_callee(call) for one in passed for call in one.calls(*_REFUSALS)}
        return Operation(
            handler=function.name,
            summary=summary,
            description=description,
            body=_model(reached, "json_body") if method in _BODY_METHODS else None,
            query=_model(reached, "query_params"),
            answers=tuple(_answers(function)),
            status=success,
            other_statuses=others,
            refusals=tuple(sorted({refusal for name in known for refusal in _REFUSALS[name]})),
            raised=tuple(raised for one in passed for raised in _raised(one)),
            headers=tuple(sorted({header for one in passed for header in _headers(one)})),
            answer_headers=tuple(_answer_headers(function, success)),
            formats={name: kind for one in reached for name, kind in _formats(one)},
        )

    def _answering(self, method: str, variables: set[str]) -> Function:
        wanted = {"HEAD": ("HEAD", "GET")}.get(method, (method,))
        found = [
            handler
            for function in self._entry.reached()
            for call in function.calls("by_method")
            for keyword in call.keywords
            if keyword.arg in wanted
            and isinstance(keyword.value, ast.Name)
            and (handler := function.named(keyword.value.id))
        ]
        fitting = [function for function in found if _reads(function, variables)]
        return (fitting or found or [self._entry])[0]


def _reads(function: Function, variables: set[str]) -> bool:
    """Tell whether a function reads one of the variables; without variables, whether it reads none at all."""
    read_ones = {
        str(call.args[0].value)
        for one in function.reached()
        for call in one.calls("path_param")
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    return bool(read_ones & variables) if variables else not read_ones


def _model(reached: list[Function], callee: str) -> Expression | None:
    """Return the model that the first of these functions hands to `callee`."""
    for function in reached:
        for call in function.calls(callee):
            if call.args:
                return function.expression(call.args[0])
    return None


def _answers(function: Function) -> Iterator[Expression]:
    """Return what the function says that it returns, then the models that it makes, the last one of the text first.

    Then the same of functions whose result it returns.
    """
    for one in dict.fromkeys([function, *(where for where, _ in function.returns())]):
        if one.node.returns is not None:
            yield one.expression(one.node.returns)
        made = [child.func for child in ast.walk(one.node) if isinstance(child, ast.Call)]
        for callee in sorted(made, key=lambda callee: (callee.lineno, callee.col_offset), reverse=True):
            if isinstance(callee, ast.Attribute) and callee.attr in ("model_validate", "model_construct"):
                yield one.expression(callee.value)
            elif isinstance(callee, ast.Name) and callee.id[:1].isupper():
                yield one.expression(callee)


def _statuses(function: Function) -> tuple[int, tuple[int, ...]]:
    """Return the status of success, and all others that are returned."""
    values = [value for _, value in function.returns()]
    found = [status for value in values for status in _status(value)]
    success = next((status for status in found if 200 <= status < 300), 200)
    empty = [value for value in values if value is None or (isinstance(value, ast.Constant) and value.value is None)]
    if values and len(empty) == len(values):
        success = 204
    return success, tuple(sorted({status for status in found if status != success}))


def _status(value: ast.expr | None) -> list[int]:
    """Return the status of `body, 201`, or both of `body, 200 if ready else 503`."""
    if not (isinstance(value, ast.Tuple) and len(value.elts) > 1):
        return []
    given = value.elts[1]
    branches = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
    return [one.value for one in branches if isinstance(one, ast.Constant) and isinstance(one.value, int)]


def _answer_headers(function: Function, success: int) -> Iterator[str]:
    for _, value in function.returns():
        if isinstance(value, ast.Tuple) and len(value.elts) > 2 and success in _status(value):
            headers = value.elts[2]
            keys = headers.keys if isinstance(headers, ast.Dict) else []
            yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


def _raised(function: Function) -> Iterator[Raised]:
    for node in ast.walk(function.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[:1].isupper():
            given = dict(zip(_ARGUMENTS, node.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg in _ARGUMENTS}
            code, status = (getattr(given.get(name), "value", None) for name in _ARGUMENTS)
            yield Raised(
                function.expression(node.func),
                code if isinstance(code, str) else None,
                status if isinstance(status, int) else None,
            )


def _headers(function: Function) -> Iterator[str]:
    """Return the names in `request.headers.get("A")`, `request.headers["B"]` and `"C" in request.headers`."""
    for node in ast.walk(function.node):
        name: ast.AST | None = None
        if isinstance(node, ast.Call) and _is_headers(getattr(node.func, "value", None)) and node.args:
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and _is_headers(node.value):
            name = node.slice
        elif isinstance(node, ast.Compare) and _is_headers(node.comparators[0]):
            name = node.left
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            lower = name.value.lower()
            if lower not in _NOT_PARAMETERS and not lower.startswith("x-fission-"):
                yield name.value
    yield from (_HEADERS[_callee(call)] for call in function.calls(*_HEADERS))


def _is_headers(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "request.headers"


def _formats(function: Function) -> Iterator[tuple[str, str]]:
    """Return the variables in `UUID(path_param("id"))` and `int(path_param("number"))`."""
    for call in function.calls(*_FORMATS):
        inner = call.args[0] if call.args else None
        if isinstance(inner, ast.Call) and _callee(inner) == "path_param" and inner.args:
            name = inner.args[0]
            if isinstance(name, ast.Constant):
                yield str(name.value), _FORMATS[_callee(call)]


def _callee(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _texts(node: FunctionNode) -> tuple[str, str]:
    text = inspect.cleandoc(ast.get_docstring(node) or "").partition("```fission")[0].strip()
    text = text.replace("``", "`")  # OpenAPI reads Markdown
    first = " ".join(text.partition("\n\n")[0].split())
    summary = first.partition(". ")[0].rstrip(".")
    return summary or node.name.replace("_", " "), text
