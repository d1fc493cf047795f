"""Cross-origin rules: either the router's or the function's, and preflights that arrive."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kit.checks.registry import Example, rule
from kit.checks.subject import Module, Subject
from kit.specs.errors import SpecError
from kit.specs.resolve import cors_of

_FUNCTION = '''def main():
    """List orders.

    ```fission
    {"name": "orders", "http_triggers": {"list": {"url": "/orders", "methods": %s%s}}}
    ```
    """
    return {"orders": []}, 200, {%s}
'''
_CORS = ', "cors": {"allow_origins": ["https://app.example.com"]}'
_HEADER = '"Access-Control-Allow-Origin": "*"'


@rule(
    "FK011",
    "Cross-origin headers from router and function",
    "error",
    """With `cors` the router adds `Access-Control-*` headers. If the function sends them as well, they arrive twice
    and browsers refuse the answer. Leave them to the router: it also answers preflights without starting a pod.""",
    pitfalls=("26",),
    bad=Example("src/orders.py", _FUNCTION % ('["GET"]', _CORS, _HEADER)),
    good=Example("src/orders.py", _FUNCTION % ('["GET"]', _CORS, "")),
)
def both(subject: Subject) -> Iterator[SpecError]:
    """Find functions that send headers on a route with cors."""
    for function, module in subject.function_modules:
        node = _sends_headers(module)
        triggers = function.block.config.http_triggers.values()
        if node is not None and any(cors_of(trigger, subject.deployment) for trigger in triggers):
            why = "The router of this route sends them too, and browsers refuse them twice"
            yield module.error(node, "the function sends Access-Control headers", why, "Remove them from the code")


@rule(
    "FK012",
    "Preflights get 405",
    "warning",
    """Before a cross-origin request with JSON a browser asks with OPTIONS. Fission does not add OPTIONS to a route's
    methods unless the route has `cors`, so the answer is 405 and the browser gives up. Let the router do it with
    `cors`, or list OPTIONS.""",
    pitfalls=("26",),
    bad=Example("src/orders.py", _FUNCTION % ('["GET"]', "", _HEADER)),
    good=Example("src/orders.py", _FUNCTION % ('["GET", "OPTIONS"]', "", _HEADER)),
)
def no_options(subject: Subject) -> Iterator[SpecError]:
    """Find routes of functions that send the headers themselves, without OPTIONS."""
    for function, module in subject.function_modules:
        if _sends_headers(module) is None:
            continue
        for key, trigger in function.block.config.http_triggers.items():
            if "OPTIONS" not in trigger.methods and cors_of(trigger, subject.deployment) is None:
                why = "The function sends Access-Control headers, but browsers ask with OPTIONS first"
                loc = ("http_triggers", key, "methods")
                yield function.block.located.error(loc, "OPTIONS is missing", why, "Add cors, or list OPTIONS")


def _sends_headers(module: Module) -> ast.AST | None:
    for node in ast.walk(module.tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text.lower() == "access-control-allow-origin":
            return node
        if isinstance(node, ast.Name) and node.id == "CORS_HEADERS":
            return node
    return None
