"""The OpenAPI 3.1 document of a project."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kit.openapi import models
from kit.openapi.models import Use
from kit.openapi.operations import Module, Operation
from kit.project import Project
from kit.serve import functions
from kit.serve.router import Route, plain_path, variables_of

VERSION = "3.1.0"
PROBLEM = "application/problem+json"  # RFC 9457
_LISTED = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")  # all that OpenAPI has


@dataclass(frozen=True)
class _Found:
    """One operation with the models that its expressions mean."""

    route: Route
    method: str
    operation: Operation
    body: Use | None
    query: Use | None
    answer: Use | None
    errors: dict[int, list[str]]  # codes by status


def build(project: Project, *, examples: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the document, and a sentence for each module whose models could not be read.

    Raises:
        SpecErrors: some Fission blocks are wrong.
    """
    served = functions.read(project, examples=examples)
    sys.path += [str(folder) for folder in functions.folders(project, examples=examples)]
    problems: list[str] = []
    found = [
        one
        for block, function in zip(served.blocks, served.functions, strict=True)
        for one in _operations(
            Module(block.path.read_text(encoding="utf-8"), block.handler, block.path),
            block.module,
            [route for route in served.routes if route.function == function],
            problems,
        )
    ]
    error = _error_model()
    uses = [use for one in found for use in (one.body, one.query, one.answer, error) if use]
    references, schemas = models.schemas(uses)
    paths: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for one in found:
        path = plain_path(one.route.path)
        described = _describe(one, references, schemas, taken)
        described["responses"] |= _errors(one, references[error] if error else None)
        paths.setdefault(path, {}).setdefault(one.method.lower(), described)
    tags = [
        {"name": f.name, "description": Module(b.path.read_text(encoding="utf-8"), b.handler).description}
        for b, f in zip(served.blocks, served.functions, strict=True)
        if b.config.http_triggers
    ]
    document = {
        "openapi": VERSION,
        "info": {"title": project.name, "version": "1"},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": schemas},
    }
    return document, problems


def _operations(module: Module, name: str, routes: list[Route], problems: list[str]) -> Iterator[_Found]:
    for route in routes:
        for method in sorted(route.methods & set(_LISTED), key=_LISTED.index):
            operation = module.operation(method, {variable for variable, _ in variables_of(route.path)})
            try:
                body, query, *answers = (
                    models.find(one.module or name, one.text) if one else None
                    for one in (operation.body, operation.query, *operation.answers)
                )
                errors = _codes(operation, name)
            except Exception as error:
                problem = f"{route.function.path}: its models are missing, because it cannot be imported: {error}"
                problems += [problem] * (problem not in problems)
                body, query, answers, errors = None, None, [], {}
            answer = next((model for model in answers if model), None)
            yield _Found(
                route,
                method,
                operation,
                (body, "validation") if body else None,
                (query, "validation") if query else None,
                (answer, "serialization") if answer else None,
                errors,
            )


def _codes(operation: Operation, module: str) -> dict[int, list[str]]:
    """Return the codes of the errors that an operation is known to raise, by status."""
    made = [models.refusal(one.kind.module or module, one.kind.text, one.code, one.status) for one in operation.raised]
    found: dict[int, list[str]] = {}
    for status, code in sorted({*operation.refusals, *filter(None, made)}):
        found.setdefault(status, []).append(code)
    return found


def _describe(
    one: _Found, references: dict[Use, dict[str, Any]], schemas: dict[str, Any], taken: set[str]
) -> dict[str, Any]:
    operation = one.operation
    described: dict[str, Any] = {
        "operationId": _unique(operation.handler, one.method, taken),
        "tags": [one.route.function.name],
        "summary": operation.summary,
        "description": operation.description,
    }
    if one.route.is_prefix:
        described["description"] += "\n\nAlso answers everything below this path."
        described["x-fission-prefix"] = True
    parameters = [
        _path_parameter(name, pattern, operation.formats.get(name)) for name, pattern in variables_of(one.route.path)
    ]
    if one.query:
        parameters += _query_parameters(_resolve(references[one.query], schemas))
    parameters += [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in operation.headers
    ]
    if parameters:
        described["parameters"] = parameters
    if one.body:
        described["requestBody"] = {"required": True} | _media("application/json", references[one.body])
    answer: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer_headers:
        answer["headers"] = {name: {"schema": {"type": "string"}} for name in operation.answer_headers}
    has_body = operation.status != 204 and one.method not in ("HEAD", "OPTIONS")
    if has_body:
        answer |= _media("application/json", references[one.answer] if one.answer else {})
    described["responses"] = {str(operation.status): answer}
    for status in operation.other_statuses:
        described["responses"][str(status)] = {"description": HTTPStatus(status).phrase}
    return described


def _errors(one: _Found, schema: dict[str, Any] | None) -> dict[str, Any]:
    """Return the answers to requests that fail: those that the source names, and one for all others."""
    if schema is None:
        return {}
    named = {
        str(status): _content(", ".join(filter(None, codes)) or HTTPStatus(status).phrase, PROBLEM, schema)
        for status, codes in one.errors.items()
        if status not in one.operation.other_statuses
    }
    return named | {"default": _content("Any other error.", PROBLEM, schema)}


def _path_parameter(name: str, pattern: str, kind: str | None) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": f"^(?:{pattern})$"} if pattern else {})
    if kind:
        schema |= {"type": "integer"} if kind == "integer" else {"format": kind}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(value)}
        for name, value in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null: a URL cannot say it, a parameter is just left out."""
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(choices) == len(schema.get("anyOf", [])):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return {**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest}


def _resolve(reference: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[reference["$ref"].rpartition("/")[2]] if "$ref" in reference else reference
    return found


def _content(description: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description} | _media(kind, schema)


def _media(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}}


def _error_model() -> Use | None:
    """Return the model of all errors, if `src/models.py` has it under the template's name."""
    try:
        model = models.find("models", "ErrorResponse")
    except Exception:
        return None
    return (model, "serialization") if model else None


def _unique(handler: str, method: str, taken: set[str]) -> str:
    name, number = handler, 1
    while name in taken:
        name = f"{handler}_{method.lower()}" if number == 1 else f"{handler}_{method.lower()}_{number}"
        number += 1
    taken.add(name)
    return name
