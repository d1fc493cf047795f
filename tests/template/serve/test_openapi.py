"""The OpenAPI document is valid and says what the functions take and give."""

from __future__ import annotations

import json

import pytest
import requests
from kit.openapi.operations import Module
from openapi_spec_validator import OpenAPIV31SpecValidator

SOURCE = '''
def main():
    """Do things. And more.

    ```fission
    {"name": "x"}
    ```
    """
    if request.method == "POST":
        return by_method(POST=make)
    return route()


def route():
    return by_method(GET=read, DELETE=delete) if path_param("id", None) else by_method(GET=find)


def make() -> Thing:
    """Make a thing."""
    return stored(parsed()), 201


def parsed():
    return json_body(models.ThingIn)


def read():
    return Page[Thing].model_validate(load(path_param("id")))


def find():
    return {"found": query_params(Filter)}


def delete():
    remove(path_param("id"))
    return None
'''


@pytest.mark.parametrize(
    ("method", "variables", "handler", "body", "query", "answer", "status"),
    [
        ("POST", set(), "make", "models.ThingIn", None, "Thing", 201),
        ("GET", {"id"}, "read", None, None, "Page[Thing]", 200),
        ("HEAD", {"id"}, "read", None, None, "Page[Thing]", 200),
        ("GET", set(), "find", None, "Filter", None, 200),
        ("DELETE", {"id"}, "delete", None, None, None, 204),
        ("PUT", set(), "main", None, None, None, 200),
    ],
)
def test_what_the_source_says(method, variables, handler, body, query, answer, status):
    found = Module(SOURCE, "main").operation(method, variables)
    assert (found.handler, found.body, found.query, found.status) == (handler, body, query, status)
    assert next(iter(found.answers), None) == answer


def test_texts_are_those_of_the_docstrings():
    module = Module(SOURCE, "main")
    assert (module.operation("PUT", set()).summary, module.description) == ("Do things", "Do things. And more.")
    assert module.operation("GET", set()).summary == "find"


def document(run_kit, *options) -> dict:
    done = run_kit("openapi", "--output", "-", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_template_s_document_is_valid_and_complete(run_kit):
    found = document(run_kit)
    OpenAPIV31SpecValidator(found).validate()
    items = found["paths"]["/items"]
    assert set(found["paths"]) >= {"/items", "/items/{itemid}", "/health"}
    body = items["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ItemIn"}
    assert found["components"]["schemas"]["ItemIn"]["additionalProperties"] is False
    assert set(items["post"]["responses"]) == {"201", "default"}
    assert {one["name"] for one in items["get"]["parameters"]} >= {"limit", "cursor", "status"}
    one = found["paths"]["/items/{itemid}"]
    assert one["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/ItemResponse")
    assert one["delete"]["responses"]["204"] == {"description": "No Content"}
    assert one["put"]["parameters"][0] == {
        "name": "itemid",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    assert "/items" not in document(run_kit, "--no-examples")["paths"]


def test_what_the_document_promises_is_what_the_server_answers(run_kit, serve):
    from jsonschema import Draft202012Validator

    found, running = document(run_kit), serve()
    made = running.request("POST", "/items", json={"name": "lamp", "price": "1.00"})
    for path, method, answer in [
        ("/items", "post", made),
        ("/items", "get", running.get("/items?limit=1")),
        ("/items/{itemid}", "get", running.get(f"/items/{made.json()['id']}")),
        ("/items/{itemid}", "get", running.get("/items/unknown")),
    ]:
        responses = found["paths"][path][method]["responses"]
        wanted = responses.get(str(answer.status_code), responses["default"])["content"]
        schema = wanted[answer.headers["Content-Type"]]["schema"] | {"components": found["components"]}
        Draft202012Validator(schema).validate(answer.json())


def test_patterns_prefixes_and_modules_that_cannot_be_imported(run_kit, write_function):
    block = '"http_triggers": {"a": {"url": "/a/{id:[0-9]{1,3}}", "methods": ["GET"]}, '
    block += '"b": {"prefix": "/b", "methods": ["GET", "OPTIONS", "HEAD"]}}'
    write_function("odd", "return query_params(Model)", top="import no_such_module", block=block)
    done = run_kit("openapi", "--output", "-")
    found = json.loads(done.stdout)
    OpenAPIV31SpecValidator(found).validate()
    assert found["paths"]["/a/{id}"]["get"]["parameters"][0]["schema"]["pattern"] == "^(?:[0-9]{1,3})$"
    assert found["paths"]["/b"]["get"]["x-fission-prefix"] is True
    assert "odd.py: its models are missing, because it cannot be imported: No module named" in done.stderr


def test_the_file_is_written_and_the_server_serves_the_same(run_kit, serve, project):
    assert run_kit("openapi").stdout.startswith("wrote openapi.json: ")
    running = serve()
    served = requests.get(f"{running.url}/_dev/openapi.json", timeout=20)
    assert served.json() == json.loads((project / "openapi.json").read_text())
