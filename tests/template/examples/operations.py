"""The examples, found by their files, and their operations, read from the generated OpenAPI document."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from kit.openapi.document import build
from kit.project import Project
from kit.serve import functions
from kit.serve.functions import Function

TEMPLATE = Path(__file__).parents[3] / "template"
FOLDER = TEMPLATE / "examples"

# What an example may answer because a service outside is not configured here. Nothing else may be 500 or above.
AWAY: dict[str, set[int]] = {}

# Right values of fields for which the document says too little to make one up; `{n}` is a number that never repeats.
VALUES: dict[str, Any] = {
    "amount": 1,
    "content_type": "text/plain",
    "cron": "*/5 * * * *",
    "email": "user-{n}@example.org",
    "limit": 1_000_000,
    "md5": "d41d8cd98f00b204e9800998ecf8427e",
    "resource": "resource-{n}",
    "roles": ["analyst"],
    "tag": "tag-{n}",
    "time_zone": "UTC",
}

HEADERS = {"If-Match": "*", "X-User": "ada"}  # values with which requests come through
UUID_OF_NOTHING = "00000000-0000-4000-8000-000000000000"


def names() -> list[str]:
    """Return the names of the examples, for example `crud`."""
    return sorted({path.stem.split("_")[1] for path in FOLDER.glob("example_*.py")})


_numbers = itertools.count(1)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of the template with all examples."""
    found, problems = build(Project(TEMPLATE), examples=True)
    assert problems == []
    return found


def document_of(name: str) -> dict[str, Any]:
    """Return the part of the document that is about one example."""
    tags = {function.name for function in functions_of(name)}
    paths = {
        path: {method: one for method, one in methods.items() if tags & set(one["tags"])}
        for path, methods in document()["paths"].items()
    }
    return document() | {"paths": {path: methods for path, methods in paths.items() if methods}}


def functions_of(name: str) -> list[Function]:
    """Return the functions of an example."""
    return [one for one in _served().functions if one.path.parent == FOLDER and one.path.stem.split("_")[1] == name]


def timers_of(name: str) -> list[str]:
    """Return the names of an example's timers."""
    here = {function.path for function in functions_of(name)}
    return [timer for block in _served().blocks if block.path in here for timer in block.config.timers]


@cache
def _served() -> functions.Served:
    return functions.read(Project(TEMPLATE), examples=True)


@dataclass(frozen=True)
class Operation:
    """One route and method.

    Attributes:
        method: in upper case.
        path: with its variables, for example `/items/{itemid}`.
        described: what the document says.
        components: the document's `components`.
    """

    method: str
    path: str
    described: dict[str, Any]
    components: dict[str, Any] = field(repr=False)
    _validators: dict[str, Draft202012Validator] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        """Return the schemas of all parameters in `path`, `query` or `header`, by name."""
        return {one["name"]: one["schema"] for one in self.described.get("parameters", []) if one["in"] == place}

    @property
    def body(self) -> dict[str, Any] | None:
        """The schema of the body."""
        found = self.described.get("requestBody")
        return self.resolved(found["content"]["application/json"]["schema"]) if found else None

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema or, for a reference, what it refers to."""
        if "$ref" not in schema:
            return schema
        return self.components["schemas"][schema["$ref"].rpartition("/")[2]] | {
            key: value for key, value in schema.items() if key != "$ref"
        }

    def example(self, schema: dict[str, Any], name: str = "") -> Any:
        """Return a value that fits, with all optional parts.

        Args:
            schema: what it must look like.
            name: of the field.
        """
        schema = self.resolved(schema)
        choices = [one for one in schema.get("anyOf", schema.get("oneOf", [])) if one != {"type": "null"}]
        if name in VALUES:
            value = VALUES[name]
            return value.replace("{n}", str(next(_numbers))) if isinstance(value, str) else value
        if schema.get("examples"):
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if choices:
            return self.example(choices[0])
        if schema.get("type") == "object":
            return {key: self.example(value, key) for key, value in schema.get("properties", {}).items()}
        if schema.get("type") == "array":
            return [self.example(schema["items"]) for _ in range(max(1, schema.get("minItems", 1)))]
        if schema.get("format") == "uuid":
            return UUID_OF_NOTHING
        if schema.get("type") == "string":
            return f"x{next(_numbers)}"
        if schema.get("type") == "boolean":
            return False
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)

    def problem(self, response: Any) -> str | None:
        """Return what is wrong with an answer that is below 400, if anything."""
        responses = self.described["responses"]
        status = str(response.status_code)
        if status not in responses:
            return f"the document does not know the status {status}"
        content = responses[status].get("content")
        if content is None:
            return f"the document knows no body, but here is {response.data[:80]!r}" if response.data else None
        if response.content_type not in content:
            return f"the document does not know the type {response.content_type}"
        if status not in self._validators:
            schema = content[response.content_type]["schema"]
            assert schema, f"{self}: nothing is said about the body of {status}"
            schema = schema | {"components": self.components}
            self._validators[status] = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        error = next(self._validators[status].iter_errors(response.json), None)
        return None if error is None else f"{error.json_path}: {error.message}"


def operations_of(name: str) -> Iterator[Operation]:
    """Return all operations of an example; those that create come first."""
    found = document_of(name)
    every = [
        Operation(method.upper(), path, one, found["components"])
        for path, methods in found["paths"].items()
        for method, one in methods.items()
    ]
    return iter(sorted(every, key=lambda one: (one.method != "POST", one.method == "DELETE", one.path.count("{"))))


class Known:
    """Ids that the service has told, so that requests meet things that exist."""

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = {}  # by the name of their list, such as `items`

    def learn(self, operation: Operation, response: Any) -> None:
        """Remember the ids of an answer; the name of the list is the last part of the path that is no variable."""
        if response.status_code not in (200, 201, 202) or not response.is_json:
            return
        body = response.json
        rows = body.get("items", [body]) if isinstance(body, dict) else []
        told = [str(row["id"]) for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str | int)]
        found = self._ids.setdefault([part for part in operation.path.split("/") if "{" not in part][-1], [])
        found += [one for one in told if one not in found]

    def one(self, operation: Operation, variable: str, number: int) -> str | None:
        """Return one of the newest ids for a variable: those of the list before it in the path."""
        name = operation.path.partition(f"/{{{variable}}}")[0].rpartition("/")[2]
        newest = self._ids.get(name, [])[-5:]
        return newest[number % len(newest)] if newest else None
