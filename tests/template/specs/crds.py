"""Fission's own CRDs as a judge: structure and defaults as in the API server, then the CEL rules."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cel
import yaml
from jsonschema import Draft202012Validator, FormatChecker

_FORMATS = FormatChecker(())
_FORMATS.checks("int32")(lambda value: not isinstance(value, int) or -(2**31) <= value < 2**31)
_FORMATS.checks("int64")(lambda value: not isinstance(value, int) or -(2**63) <= value < 2**63)
_compiled = cache(cel.compile)


class Crds:
    """The kinds of a folder of CRD files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._validators: dict[str, Draft202012Validator] = {}

    @cached_property
    def schemas(self) -> dict[str, Any]:
        found = {}
        for path in sorted(self.folder.glob("fission.io_*.yaml")):
            spec = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["spec"]
            found[spec["names"]["kind"]] = spec["versions"][0]["schema"]["openAPIV3Schema"]
        return found

    def refusals(self, document: dict[str, Any]) -> list[str]:
        """Return why the API server would refuse an object; unknown fields count, though it drops them silently."""
        kind = document["kind"]
        schema = self.schemas[kind]
        if kind not in self._validators:
            self._validators[kind] = Draft202012Validator(_json_schema(schema, root=True), format_checker=_FORMATS)
        document = _defaulted(copy.deepcopy(document), schema)
        found = [f"{error.json_path}: {error.message}" for error in self._validators[kind].iter_errors(document)]
        return found or [reason for reason in (_broken(*point) for point in _rules(document, schema)) if reason]


def _broken(path: str, value: Any, rule: dict[str, str]) -> str | None:
    context = cel.Context()
    context.add_variable("self", value)
    context.add_function("upperAscii", lambda text: text.upper())
    try:
        holds = _compiled(rule["rule"]).execute(context)
    except Exception as error:  # an evaluation error is a refusal for the API server as well
        return f"{path}: {error}"
    return None if holds is True else f"{path}: {rule.get('message', rule['rule'])}"


def _json_schema(node: dict[str, Any], *, root: bool = False) -> dict[str, Any]:
    out = {
        key: value for key, value in node.items() if not key.startswith("x-") and key not in ("description", "nullable")
    }
    if "properties" in node:
        out["properties"] = {key: _json_schema(value) for key, value in node["properties"].items()}
        if root:
            out["properties"]["metadata"] = {"type": "object", "required": ["name"]}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            out["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = _json_schema(node[key])
    if node.get("x-kubernetes-list-type") == "set":
        out["uniqueItems"] = True
    if node.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if node.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
    return out


def _defaulted(value: Any, node: dict[str, Any]) -> Any:
    properties = node.get("properties", {})
    if isinstance(value, dict):
        for name, child in properties.items():
            if name not in value and "default" in child:
                value[name] = copy.deepcopy(child["default"])
            if name in value:
                value[name] = _defaulted(value[name], child)
        if isinstance(extra := node.get("additionalProperties"), dict):
            value = {name: inner if name in properties else _defaulted(inner, extra) for name, inner in value.items()}
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        value = [_defaulted(item, node["items"]) for item in value]
    return value


def _rules(value: Any, node: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, dict[str, str]]]:
    for rule in node.get("x-kubernetes-validations", []):
        if "oldSelf" not in rule["rule"]:  # a rule about changes; a new object has no old self
            yield path or ".", value, rule
    if isinstance(value, dict):
        properties = node.get("properties", {})
        for name, child in properties.items():
            if name in value:
                yield from _rules(value[name], child, f"{path}.{name}")
        if isinstance(extra := node.get("additionalProperties"), dict):
            for name in value.keys() - properties.keys():
                yield from _rules(value[name], extra, f"{path}.{name}")
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for i, item in enumerate(value):
            yield from _rules(item, node["items"], f"{path}[{i}]")
