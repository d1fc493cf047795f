"""The keys of the Fission block and of deployment.json, from the pydantic models that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.specs.models import FunctionConfig
from kit.specs.settings import Settings
from pydantic import BaseModel

from tools.reference.markdown import code, table

Schema = dict[str, Any]


def block_fields() -> str:
    """Return a section for each part of a Fission block."""
    return _document(FunctionConfig)


def deployment_fields() -> str:
    """Return a section for each part of deployment.json."""
    return _document(Settings)


def parts(root: type[BaseModel]) -> Iterator[tuple[str, Schema]]:
    """Yield the title and the schema of a model and of all that it holds, each before what it refers to."""
    schema = root.model_json_schema()
    parts = {root.__name__: schema, **schema.get("$defs", {})}
    waiting, seen = [root.__name__], set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name, parts[name]
        waiting += _references(parts[name].get("properties", {}))


def _document(root: type[BaseModel]) -> str:
    return "\n".join(_section(name, schema) for name, schema in parts(root))


def _section(name: str, schema: Schema) -> str:
    required = set(schema.get("required", []))
    rows = [
        (code(key), kind(value), _default(key, value, required), value.get("description", ""))
        for key, value in schema.get("properties", {}).items()
    ]
    text = schema.get("description", "")
    return f"## {name} {{ #{name.lower()} }}\n\n{text}\n\n{table(['Key', 'Value', 'Default', 'Meaning'], rows)}"


def _default(key: str, schema: Schema, required: set[str]) -> str:
    if key in required:
        return "required"
    value = schema.get("default")
    if value in (None, [], {}) or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return ", ".join(code(str(one)) for one in value)
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def kind(schema: Schema) -> str:
    """Return what a value may be, in words, with links to the sections of nested parts."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return code(str(schema["const"]))
    if "enum" in schema:
        return "one of " + ", ".join(code(str(value)) for value in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(kind(one) for one in schema[several] if one.get("type") != "null")
    match schema.get("type"):
        case "array":
            return f"list of {kind(schema['items'])}"
        case "object":
            values = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
            return " or ".join(f"object: name to {kind(value)}" for value in values if isinstance(value, dict))
        case "integer":
            return _range(schema)
        case "boolean":
            return "`true` or `false`"
        case found:
            return str(found or "text").replace("string", "text")


def _range(schema: Schema) -> str:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum"))
    highest = schema.get("maximum", schema.get("exclusiveMaximum"))
    if lowest is None and highest is None:
        return "whole number"
    return f"whole number, {lowest} to {highest:,}" if highest is not None else f"whole number from {lowest}"


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"].rpartition("/")[2]] if "$ref" in node else []
        return own + [name for key, value in node.items() if key != "discriminator" for name in _references(value)]
    if isinstance(node, list):
        return [name for value in node for name in _references(value)]
    return []
