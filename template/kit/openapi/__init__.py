"""An OpenAPI 3.1 document from the routes and the pydantic models of the functions.

* `operations`  which function answers which route and method, and with which models (read from the source)
* `models`      the models' JSON schemas (imports the modules)
* `document`    puts both together
* `command`     `python -m kit openapi`

How models are found: `main()` hands on by `by_method(GET=list_items, ...)`; of several candidates for a method the
one that reads the route's path variable answers it. In that function and those that it calls, `json_body(Model)` is
the body and `query_params(Model)` the query. The answer is the return annotation if it is a model, else the last
model that the function itself makes (`Model.model_validate(...)`, `Model(...)`). The status is the number in
`return body, 201`, or 204 for `return None`.
"""
