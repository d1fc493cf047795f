"""The OpenAPI document is valid and says what the functions take and give."""

from __future__ import annotations

import json

import pytest
import requests
from kit.openapi.operations import Module
from kit.openapi.source import Expression
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
    page = load(Wanted(path_param("id")))
    return Page[Thing].model_validate(page)


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
    texts = [one and one.text for one in (found.body, found.query, next(iter(found.answers), None))]
    assert (found.handler, *texts, found.status) == (handler, body, query, answer, status)


def test_texts_are_those_of_the_docstrings():
    module = Module(SOURCE, "main")
    assert (module.operation("PUT", set()).summary, module.description) == ("Do things", "Do things. And more.")
    assert module.operation("GET", set()).summary == "find"


COMPANION = """
from other import ignored


def kept(key):
    if "C-Seen" in request.headers:
        raise Busy("BUSY", 409, "Wait.")
    return json_body(Small)


def answer():
    return Page[Thing].model_validate({}), 202, {"Location": "/", **more}


def unused():
    raise Never("NEVER", 418, "No.")
"""
WITH_COMPANION = """
from orders_keys import answer, kept as remembered, gone
from others import unused


def main():
    get_user_from_headers()
    return by_method(PUT=put, GET=get)


def put():
    number = int(path_param("number"))
    request.headers.get("Content-Type"), request.headers["X-Fission-Function-Name"]
    if remembered(request.headers.get("A-Read")):
        return answer()
    return None, 304


def get():
    if request.headers["B-Read"] == UUID(path_param("number")):
        raise ServiceException(error_code="GONE", http_status=410, error_msg="Gone.")
    return {}, 200 if good else 503
"""


@pytest.fixture
def companions(tmp_path) -> Module:
    (tmp_path / "orders_keys.py").write_text(COMPANION)
    (tmp_path / "others.py").write_text(COMPANION)
    return Module(WITH_COMPANION, "main", tmp_path / "orders.py")


def test_what_companions_do_counts_as_if_the_module_did_it(companions):
    found = companions.operation("PUT", {"number"})
    assert (found.body, found.answers[0]) == (
        Expression("Small", "orders_keys"),
        Expression("Page[Thing]", "orders_keys"),
    )
    assert (found.status, found.other_statuses, found.answer_headers) == (202, (304,), ("Location",))
    assert found.headers == ("A-Read", "C-Seen", "X-User")
    assert (found.formats, [(one.code, one.status) for one in found.raised]) == (
        {"number": "integer"},
        [("BUSY", 409)],
    )
    assert [status for status, _ in found.refusals] == [400, 413, 415]


def test_statuses_headers_and_formats_of_the_source(companions):
    found = companions.operation("GET", {"number"})
    assert (found.status, found.other_statuses, found.headers) == (200, (503,), ("B-Read", "X-User"))
    assert [(one.kind.text, one.code, one.status) for one in found.raised] == [
        ("UUID", None, None),
        ("ServiceException", "GONE", 410),
    ]
    assert found.formats == {"number": "uuid"}


def test_a_module_without_companions_is_read_alone(tmp_path):
    found = Module(WITH_COMPANION, "main", tmp_path / "orders.py").operation("PUT", {"number"})
    assert (found.body, found.other_statuses) == (None, (304,))


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
    answers = items["post"]["responses"]
    assert set(answers) == {"201", "400", "409", "413", "415", "422", "default"}
    assert set(answers["201"]["headers"]) == {"Location", "ETag"}
    assert answers["422"]["description"] == "IDEMPOTENCY_KEY_REUSED"
    assert set(answers["422"]["content"]) == {"application/problem+json"}
    assert {one["name"] for one in items["get"]["parameters"]} >= {"limit", "cursor", "status"}
    queries = {one["name"]: one["schema"] for one in items["get"]["parameters"]}
    assert queries["cursor"] == {"type": "string", "maxLength": 2000, "title": "Cursor"}
    assert queries["status"] == {"$ref": "#/components/schemas/ItemStatus"}
    assert {"type": "null"} not in queries["min_price"]["anyOf"]
    one = found["paths"]["/items/{itemid}"]
    assert one["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/ItemResponse")
    assert one["delete"]["responses"]["204"] == {"description": "No Content"}
    assert one["put"]["parameters"][0] == {
        "name": "itemid",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    assert {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}} in one["put"][
        "parameters"
    ]
    assert {"404", "412", "428"} < set(one["put"]["responses"])
    assert one["get"]["responses"]["304"] == {"description": "Not Modified"}
    assert set(found["paths"]["/health"]["get"]["responses"]) == {"200", "503", "default"}
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


def test_patterns_that_only_rust_understands_do_not_make_the_document_invalid(run_kit, write_function):
    model = "class Odd(BaseModel):\n    pattern: Annotated[str, StringConstraints(pattern=r'^\\pL+$')]\n"
    model += "    plain: Annotated[str, StringConstraints(pattern=r'^[a-z]+$')]"
    top = f"from typing import Annotated\nfrom pydantic import BaseModel, StringConstraints\n\n\n{model}"
    write_function("odd", "return Odd(pattern='a', plain='a')", top=top)
    found = document(run_kit)
    OpenAPIV31SpecValidator(found).validate()
    properties = found["components"]["schemas"]["Odd"]["properties"]
    assert (properties["pattern"]["x-pattern"], properties["plain"]["pattern"]) == (r"^\pL+$", "^[a-z]+$")


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
