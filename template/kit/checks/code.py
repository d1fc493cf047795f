"""Python code that behaves differently in the pod."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from kit.checks.registry import Example, rule
from kit.checks.subject import Subject, calls, dotted
from kit.specs.errors import SpecError

_HEAVY = {"boto3", "botocore", "kubernetes", "matplotlib", "numpy", "pandas", "scipy", "sklearn", "tensorflow", "torch"}
_INTERNAL_URLS = {"host", "host_url", "url_root", "base_url", "url"}
_MOUNTED = re.compile(r"/(secrets|configs)/[^/]+")


def _module(body: str, imports: str = "from flask import request", block: str = "") -> Example:
    lines = textwrap.indent(f"{body}\n", "    ")
    head = f"{imports}\n\n\n" if imports else ""
    fence = f'    """List orders.\n\n    ```fission\n    {{"name": "orders"{block}}}\n    ```\n    """\n'
    return Example("src/orders.py", f"{head}def main():\n{fence}{lines}")


_URL = ', "http_triggers": {"get": {"url": "/orders/{id}", "methods": ["GET"]}}'
_PREFIX = ', "http_triggers": {"get": {"prefix": "/orders", "methods": ["GET"]}}'


@rule(
    "FK013",
    "The path of an exact route",
    "warning",
    """Behind an exact `url` the function always sees the path `/`, whatever the client asked for; `request.view_args`
    holds nothing of it either. Path variables arrive as headers: use `path_param()`. Behind a `prefix` the path is
    complete.""",
    bad=_module('return {"id": request.path.rpartition("/")[2]}', block=_URL),
    good=_module('return {"id": request.path.rpartition("/")[2]}', block=_PREFIX),
)
def request_path(subject: Subject) -> Iterator[SpecError]:
    """Find the use of the path where it is always the same."""
    for function, module in subject.function_modules:
        triggers = function.block.config.http_triggers.values()
        if triggers and all(trigger.url is not None for trigger in triggers):
            for node in ast.walk(module.tree):
                if dotted(node).endswith(("request.path", "request.full_path", "request.view_args")):
                    why = "All routes of this function are exact, and Fission rewrites their path"
                    yield module.error(node, 'the path is always "/" here', why, "Use path_param(), or a prefix")


@rule(
    "FK054",
    "Logging that shows too much or twice",
    "warning",
    """In the pod the root logger has level DEBUG and no handler, so `logging.basicConfig()` shows debug records of all
    libraries; `current_app.logger` has two handlers and prints every line twice. Use the template's logging setup and
    `logging.getLogger(__name__)`.""",
    pitfalls=("21",),
    bad=_module('current_app.logger.info("listed")\nreturn {}', imports="from flask import current_app"),
    good=_module('logging.getLogger(__name__).info("listed")\nreturn {}', imports="import logging"),
)
def logs(subject: Subject) -> Iterator[SpecError]:
    """Find loggers that the environment has set up wrongly."""
    for _, module in subject.function_modules:
        for node, name in calls(module.tree):
            if "current_app.logger." in name:
                yield module.error(node, "the line is printed twice", "Flask's logger has two handlers", _LOG_FIX)
            elif name == "logging.basicConfig" and not any(key.arg == "level" for key in node.keywords):
                yield module.error(node, "debug records of all libraries appear", "The root level is DEBUG", _LOG_FIX)


_LOG_FIX = "Use logging.getLogger(__name__) and the template's setup"


@rule(
    "FK055",
    "Error pages in HTML",
    "warning",
    """`flask.abort()` answers with an HTML page that clients of an API cannot read. Raise one of the template's
    exceptions; they become JSON with the request's id.""",
    pitfalls=("22",),
    bad=_module("abort(404)", imports="from flask import abort"),
    good=_module('raise NotFoundError("There is no such order")', imports="from exceptions import NotFoundError"),
)
def html_errors(subject: Subject) -> Iterator[SpecError]:
    """Find abort() in functions."""
    for _, module in subject.function_modules:
        for node, name in calls(module.tree):
            if name in ("abort", "flask.abort"):
                fix = "Raise an exception of exceptions.py"
                yield module.error(node, "abort() answers in HTML", "Clients of an API expect JSON", fix)


@rule(
    "FK056",
    "Addresses of the pod",
    "warning",
    """The router replaces `Host` by the pod's address, so `request.host_url`, `request.url` and
    `url_for(_external=True)` give links that nobody outside can open. The host that the client used is in
    `X-Forwarded-Host`.""",
    pitfalls=("37",),
    bad=_module('return {"self": request.host_url}'),
    good=_module('return {"self": request.headers.get("X-Forwarded-Host", "")}'),
)
def internal_urls(subject: Subject) -> Iterator[SpecError]:
    """Find addresses made from the Host header."""
    for _, module in subject.function_modules:
        found = [n for n in ast.walk(module.tree) if isinstance(n, ast.Attribute) and n.attr in _INTERNAL_URLS]
        nodes: list[ast.AST] = [n for n in found if dotted(n.value) in ("request", "flask.request")]
        nodes += [
            node
            for node, name in calls(module.tree)
            if name in ("url_for", "flask.url_for") and any(key.arg == "_external" for key in node.keywords)
        ]
        for node in nodes:
            why = "The router replaces Host"
            yield module.error(node, "this is the address of the pod", why, "Use X-Forwarded-Host")


@rule(
    "FK057",
    "Heavy imports at the top",
    "warning",
    """Module-level code runs during the cold start, while the first client waits. Packages such as boto3 or pandas take
    a second or more to import. Import them inside the function that needs them.""",
    pitfalls=("12",),
    bad=_module("return {}", imports="import boto3"),
    good=_module("import boto3\n\nreturn {}", imports=""),
)
def heavy_imports(subject: Subject) -> Iterator[SpecError]:
    """Find slow packages that every cold start imports."""
    for module in subject.modules:
        for node in module.tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.partition(".")[0] in _HEAVY:
                    fix = "Import it inside the function that uses it"
                    yield module.error(node, f"{name} is slow to import", "Every cold start waits for it", fix)


@rule(
    "FK058",
    "Paths of secrets in the code",
    "warning",
    """The path of a mounted Secret contains the namespace and does not exist on your computer, and the file often ends
    with a line break. `get_secret()` and `get_config()` find the namespace, strip the value and fall back to
    environment variables.""",
    pitfalls=("16", "20"),
    bad=_module('return open("/secrets/default/fission-your-service-env/GREETING").read()', imports=""),
    good=_module('return get_secret("GREETING")', imports="from helpers import get_secret"),
)
def mounted_paths(subject: Subject) -> Iterator[SpecError]:
    """Find literal paths below /secrets and /configs."""
    for _, module in subject.function_modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _MOUNTED.match(node.value):
                why = "It holds the namespace, and files often end with a line break"
                fix = "Use get_secret() or get_config()"
                yield module.error(node, "the path of a mounted value is fixed", why, fix)


@rule(
    "FK059",
    "Environment variables in a function",
    "warning",
    """A function on poolmgr or newdeploy has no environment variables of its own; all functions of an environment share
    those of the image. Put settings into the ConfigMap and read them with `get_config()`, which also looks at
    environment variables for local runs.""",
    pitfalls=("19",),
    bad=_module('return os.environ["GREETING"]', imports="import os"),
    good=_module('return get_config("GREETING", "Hello")', imports="from helpers import get_config"),
)
def environment_variables(subject: Subject) -> Iterator[SpecError]:
    """Find os.environ in functions that run in the Python environment."""
    for _, module in subject.function_modules:
        for node in ast.walk(module.tree):
            if dotted(node) in ("os.environ", "os.getenv"):
                why = "Fission sets no variables per function"
                yield module.error(node, "the variable is never set in the pod", why, "Use get_config()")


@rule(
    "FK060",
    "State in global variables",
    "warning",
    """Each pod has its own memory, pods come and go without notice, and a restarted container starts from nothing. A
    counter or a list in a global variable is different in every pod. Keep state in the database.""",
    pitfalls=("38",),
    bad=_module('global count\ncount += 1\nreturn {"count": count}', imports="count = 0"),
    good=_module('return {"count": 0}', imports=""),
)
def global_state(subject: Subject) -> Iterator[SpecError]:
    """Find functions that assign to global variables."""
    for _, module in subject.function_modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Global):
                what = f"{node.names[0]} differs from pod to pod"
                yield module.error(node, what, "Pods share no memory and live briefly", "Keep it in the database")
