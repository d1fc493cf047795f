"""The models and exceptions that the operations name. Imports the user's modules."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Mode = Literal["validation", "serialization"]
Use = tuple[type[BaseModel], Mode]
REF = "#/components/schemas/{model}"


def find(module: str, expression: str | None) -> type[BaseModel] | None:
    """Return the model that an expression means in a module, or None if it means something else.

    Raises:
        Exception: whatever importing the module raises.
    """
    value = None if expression is None else _meaning(module, expression)
    return value if isinstance(value, type) and issubclass(value, BaseModel) else None


def refusal(module: str, expression: str, code: str | None, status: int | None) -> tuple[int, str] | None:
    """Return status and code that an exception gives to the caller, or None if the expression means something else.

    Args:
        module: where the exception is made.
        expression: its class. One with a status of its own has it as `status`, and its code as `code`, as those of
            `src/exceptions.py`; the others take both as arguments.
        code: the first argument.
        status: the second argument.

    Raises:
        Exception: whatever importing the module raises.
    """
    kind = _meaning(module, expression)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return None
    own = getattr(kind, "status", None)
    if isinstance(own, int):
        return own, str(getattr(kind, "code", ""))
    return (status, code or "") if status and 400 <= status < 600 else None


def schemas(uses: Iterable[Use]) -> tuple[dict[Use, dict[str, Any]], dict[str, Any]]:
    """Return a reference for each model and mode, and all schemas by name."""
    ordered = sorted(set(uses), key=_order)
    references, found = models_json_schema([*ordered], ref_template=REF)
    return {use: references[use] for use in ordered}, _portable(found.get("$defs", {}))


def _portable(schema: Any) -> Any:
    r"""Return a schema whose patterns other programs understand.

    pydantic's are those of Rust; one that uses what only Rust has, such as `\pL` for any letter, makes readers of the
    document fail. It is kept as `x-pattern`, for people.
    """
    if isinstance(schema, list):
        return [_portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        "x-pattern" if name == "pattern" and not _is_pattern(value) else name: _portable(value)
        for name, value in schema.items()
    }


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    except TypeError:  # a property that is called "pattern"
        return True
    return True


def _meaning(module: str, expression: str) -> Any:
    try:
        return _value(importlib.import_module(module), ast.parse(expression, mode="eval").body)
    except (AttributeError, LookupError, TypeError):
        return None


def _order(use: Use) -> tuple[str, str, str]:
    return use[0].__module__, use[0].__name__, use[1]


def _value(module: ModuleType, node: ast.expr) -> Any:
    """Evaluate names, attributes and subscripts; nothing is called."""
    if isinstance(node, ast.Name):
        return getattr(module, node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(module, node.value), node.attr)
    if isinstance(node, ast.Subscript):
        return _value(module, node.value)[_value(module, node.slice)]
    if isinstance(node, ast.Tuple):
        return tuple(_value(module, part) for part in node.elts)
    raise LookupError(ast.unparse(node))
