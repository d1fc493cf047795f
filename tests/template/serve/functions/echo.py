"""Says what of a request reaches a function."""

from flask import current_app, request


def main():
    headers = [[name, value] for name, value in sorted(request.headers.items()) if name != "Host"]
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.full_path,
        "query": request.query_string.decode("latin-1"),
        "args": {name: request.args.getlist(name) for name in sorted(request.args)},
        "headers": headers,
        "body": request.get_data().decode("latin-1"),
        "length": request.content_length,
        "is_json": request.is_json,
        "view_args": request.view_args,
        "endpoint": request.endpoint,
    }


def reads():
    """Only the ways to read a body."""
    return {
        "form": {name: request.form.getlist(name) for name in sorted(request.form)},
        "files": {name: [f.filename, f.read().decode("latin-1")] for name, f in sorted(request.files.items())},
        "json": request.get_json(silent=True),
        "values": dict(sorted(request.values.items())),
        "cookies": dict(sorted(request.cookies.items())),
    }


def surroundings():
    environ = request.environ
    names = ["wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "wsgi.url_scheme", "wsgi.input_terminated"]
    return {
        "environ": {name: environ.get(name) for name in [*names, "SCRIPT_NAME", "SERVER_PROTOCOL", "REMOTE_ADDR"]},
        "app": current_app.name,
        "debug": current_app.debug,
        "testing": current_app.testing,
        "secret": current_app.secret_key,
        "rules": sorted(f"{rule.rule} {','.join(sorted(rule.methods))}" for rule in current_app.url_map.iter_rules()),
        "static": current_app.static_url_path,
        "module": __name__,
    }


def strict():
    return {"json": request.get_json()}


def field():
    return request.form["name"]


def reads_nothing():
    return "not read"
