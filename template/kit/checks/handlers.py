"""The function that Fission calls: it has to exist, take nothing and return something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kit.checks.registry import Example, rule
from kit.checks.subject import Module, Subject
from kit.specs.errors import SpecError
from kit.specs.resolve import Resolved

_BLOCK = '"""List orders.\n\n    ```fission\n    {"name": "orders"%s}\n    ```\n    """'
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _module(block: str = "", head: str = "def main():", body: str = 'return {"orders": []}') -> Example:
    return Example("src/orders.py", f"{head}\n    {_BLOCK % block}\n    {body}\n")


def _handlers(subject: Subject) -> Iterator[tuple[Resolved, Module, _Function]]:
    for function, module in subject.function_modules:
        if (found := _handler(module, function.block.handler)) is not None:
            yield function, module, found


def _handler(module: Module, name: str) -> _Function | None:
    found = [
        node
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    return found[-1] if found else None


@rule(
    "FK050",
    "A handler that does not exist",
    "error",
    """Fission imports the module and looks the handler up once, when the first request comes. If the name is wrong,
    every request ends in 500 and only the pod's log says why.""",
    bad=_module(', "handler": "list_orders"'),
    good=_module(', "handler": "main"'),
)
def missing(subject: Subject) -> Iterator[SpecError]:
    """Find handlers that are not defined in their module."""
    for function, module in subject.function_modules:
        name = function.block.handler
        if _handler(module, name) is None and name not in _assigned(module):
            what, why = f"{function.block.module} has no function {name}", "Every request would end in 500"
            yield function.block.located.error(("handler",), what, why, 'Correct the name, or write "main"')


@rule(
    "FK051",
    "An asynchronous handler",
    "error",
    """Fission's Flask image calls the handler without awaiting it. An `async def` returns a coroutine that never runs,
    and the client gets 500. Write a plain function, or use the FastAPI image.""",
    bad=_module(head="async def main():"),
    good=_module(),
)
def asynchronous(subject: Subject) -> Iterator[SpecError]:
    """Find handlers that nobody awaits."""
    for _, module, node in _handlers(subject):
        if isinstance(node, ast.AsyncFunctionDef) and subject.stock_image:
            yield module.error(node, "nobody awaits an async handler", "Fission's Flask server calls it", "Write def")


@rule(
    "FK052",
    "A handler that wants arguments",
    "error",
    """Fission calls the handler without arguments; the request is Flask's `request`. A parameter without a default ends
    in TypeError and 500. Handlers for WebSockets, `main(ws, clients)`, do not work with internal authentication.""",
    pitfalls=("31",),
    bad=_module(head="def main(request):"),
    good=_module(),
)
def arguments(subject: Subject) -> Iterator[SpecError]:
    """Find parameters that Fission does not pass."""
    for _, module, node in _handlers(subject):
        parameters = [*node.args.posonlyargs, *node.args.args]
        required = parameters[: len(parameters) - len(node.args.defaults)]
        named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        required += [argument for argument, default in named if default is None]
        if required and not node.decorator_list:
            what = f"nobody passes {required[0].arg}"
            yield module.error(required[0], what, "Fission calls handlers without arguments", "Use flask.request")


@rule(
    "FK053",
    "A handler that returns nothing",
    "error",
    """Flask turns None into TypeError and answers 500. Return a text, a dictionary, a list, a Response, or one of them
    with a status, also where there is nothing to say: `return "", 204`.""",
    bad=_module(body="print('done')"),
    good=_module(body='return "", 204'),
)
def returns_nothing(subject: Subject) -> Iterator[SpecError]:
    """Find handlers without a value to return."""
    for _, module, node in _handlers(subject):
        inside = list(_own_nodes(node))
        returns = any(isinstance(n, ast.Return) and n.value is not None for n in inside)
        if not returns and not any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Raise) for n in inside):
            why = "Flask answers 500 to None"
            yield module.error(node, f"{node.name}() returns nothing", why, 'End with a value, such as return "", 204')


def _assigned(module: Module) -> set[str]:
    """Return the other names that the module defines or imports at its top level."""
    names: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)
