"""The JSON schemas of the models that the operations name. Imports the user's modules."""

from __future__ import annotations

import ast
import importlib
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
    if expression is None:
        return None
    try:
        value = _value(importlib.import_module(module), ast.parse(expression, mode="eval").body)
    except (AttributeError, LookupError, TypeError):
        return None
    return value if isinstance(value, type) and issubclass(value, BaseModel) else None


def schemas(uses: Iterable[Use]) -> tuple[dict[Use, dict[str, Any]], dict[str, Any]]:
    """Return a reference for each model and mode, and all schemas by name."""
    ordered = sorted(set(uses), key=_order)
    references, found = models_json_schema([*ordered], ref_template=REF)
    return {use: references[use] for use in ordered}, found.get("$defs", {})


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
