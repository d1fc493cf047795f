"""The dependency audit fails when it finds something, and fails in another way when it could not look."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

Answer = Callable[[list[dict]], object]
VULNERABLE = {("jinja2", "2.4.1"): ["GHSA-462w-v97r-4m45"]}


def osv(known: dict[tuple[str, str], list[str]]) -> Answer:
    """Answer as OSV does. Source: https://google.github.io/osv.dev/post-v1-querybatch/"""

    def answer(queries: list[dict]) -> object:
        assert all(query["package"]["ecosystem"] == "PyPI" for query in queries)
        keys = [(query["package"]["name"], query["version"]) for query in queries]
        vulns = [[{"id": one, "modified": "2026-01-01T00:00:00Z"} for one in known.get(key, [])] for key in keys]
        return {"results": [{"vulns": found} if found else {} for found in vulns]}

    return answer


@contextmanager
def service(answer: Answer, status: int = 200) -> Iterator[tuple[str, list]]:
    """Serve one answer on a free port."""
    asked: list = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            asked.extend(queries)
            found = answer(queries)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/querybatch", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nothing_known_is_success_and_everything_was_asked_for(kit, project):
    with service(osv(VULNERABLE)) as (url, asked):
        done = kit("audit", env={"AUDIT_URL": url})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" packages audited, 0 known vulnerabilities, 0 ignored\n")
    names = {query["package"]["name"] for query in asked}
    assert {"pydantic", "pytest", "gevent", "click", "uv"} <= names, "ours, the tools', and those of the environment"


def test_a_known_vulnerability_fails_and_says_where_the_pin_is(kit, project):
    pins = (project / "kit/python-env-1.35.0.txt").read_text()
    version = pins.partition("\ngevent==")[2].partition("\n")[0]
    with service(osv({**VULNERABLE, ("gevent", version): ["PYSEC-2099-1"]})) as (url, _):
        done = kit("audit", env={"AUDIT_URL": url})
        assert done.returncode == 1
        assert f"gevent {version}: PYSEC-2099-1 https://osv.dev/PYSEC-2099-1 (kit/python-env-1.35.0.txt)" in done.stdout
        with (project / "pyproject.toml").open("a") as file:
            file.write('\n[tool.kit.audit.ignore]\n"PYSEC-2099-1" = "we never call it"\n')
        done = kit("audit", env={"AUDIT_URL": url})
        assert done.returncode == 0
        assert "(ignored: we never call it)" in done.stdout
        assert "0 known vulnerabilities, 1 ignored" in done.stdout
    with service(osv(VULNERABLE)) as (url, _):
        done = kit("audit", env={"AUDIT_URL": url})
        assert done.returncode == 1
        assert "ignores PYSEC-2099-1, which no longer occurs; remove it" in done.stderr


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (osv({}), 200, "knows no vulnerability of jinja2==2.4.1, so it knows nothing"),
        (lambda _: {"results": [{}]}, 200, "answers for 1 packages instead of"),
        (lambda _: {"results": []}, 200, "answers for 0 packages"),
        (lambda _: {}, 200, "answers something else than OSV would"),
        (lambda _: b"<html>Log in first</html>", 200, "answers something else than OSV would"),
        (osv(VULNERABLE), 503, "answers 503 Service Unavailable"),
    ],
    ids=["an empty mirror", "a short answer", "no answers", "another service", "a proxy's page", "an error"],
)
def test_what_could_not_be_audited_is_never_a_success(kit, answer, status, message):
    with service(answer, status) as (url, _):
        done = kit("audit", env={"AUDIT_URL": url})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: nothing was audited: ")
    assert message in done.stderr


def test_no_network_is_never_a_success(kit):
    done = kit("audit", env={"AUDIT_URL": "http://127.0.0.1:9/v1/querybatch"})
    assert done.returncode == 2
    assert "does not answer: [Errno 111] Connection refused" in done.stderr


def test_make_audit_fails_when_nothing_can_be_audited(make):
    assert make("audit", env={"AUDIT_URL": "http://127.0.0.1:9/"}).returncode != 0


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("src/requirements.txt", None, "src/requirements.txt cannot be read"),
        ("dev-requirements.txt", "flask\n", "dev-requirements.txt pins nothing; run `make lock`"),
        ("pyproject.toml", "[tool.kit.audit.ignore]\nX = ''\n", "must hold lines such as"),
        ("pyproject.toml", "[", "pyproject.toml: "),
    ],
)
def test_a_project_that_cannot_be_audited_is_never_a_success(kit, project, file, text, message):
    if text is None:
        (project / file).unlink()
    else:
        (project / file).write_text(text)
    done = kit("audit", env={"AUDIT_URL": "file:///etc/passwd"})
    assert done.returncode == 2
    assert message in done.stderr
