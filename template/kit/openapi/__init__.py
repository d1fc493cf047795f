"""An OpenAPI 3.1 document from the routes and the pydantic models of the functions.

* `source`      the functions of a module and what they call (nothing is imported)
* `operations`  which function answers which route and method, and with which models
* `models`      the models' JSON schemas, and what exceptions mean (imports the modules)
* `document`    puts all of it together
* `command`     `python -m kit openapi`

How it is found: `main()` hands on by `by_method(GET=list_items, ...)`; of several candidates for a method the one that
reads the route's path variable answers it. In that function and those that it calls, also those of companions
(`orders_*.py` beside `orders.py`), these are read:

* `json_body(Model)` is the body, `query_params(Model)` the query, `request.headers.get("If-Match")` a header.
* The answer is the return annotation if it is a model, else the last model that the function itself makes
  (`Model.model_validate(...)`, `Model(...)`); after `return other(...)` it may be the other function that makes it.
* The status is the number in `return body, 201`, or 204 for `return None`. Headers are the keys of
  `return body, 201, {"Location": ...}`.
* Exceptions that are made give the statuses of errors. Whatever else may happen, such as a constraint of the database
  that is violated, is the answer `default`.
* `UUID(path_param("id"))` and `int(path_param("number"))` say what a variable of the path looks like.
"""
