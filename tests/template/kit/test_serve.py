"""`python -m kit serve` over HTTP: it answers, reloads, survives and ends."""

from __future__ import annotations

import concurrent.futures
import shutil
import signal
import socket
import time

ITEM = {"name": "lamp", "price": "1.00"}


def test_it_serves_the_example_and_ends_without_leaving_a_process(serve_embedded):
    running = serve_embedded()
    made = running.request("POST", "/items", json=ITEM, headers={"X-User": "ada"})
    assert made.status_code == 201, made.text
    assert running.get(f"/items/{made.json()['id']}").json()["name"] == "lamp"
    assert running.get("/health").status_code == 200
    assert {"acme-orders-items", "acme-orders-health"} <= {
        f["name"] for f in running.get("/_dev/state.json").json()["functions"]
    }
    running.wait_for(r"POST /items 201 \d+\.\d ms acme-orders-items")
    assert len(running.processes()) >= 4  # the server, its workers and PostgreSQL
    assert running.end(signal.SIGINT) == 0
    assert running.processes() == set()


def test_sigterm_ends_it_although_a_request_runs_and_data_are_kept(serve_embedded, write_function):
    write_function("slow", "time.sleep(60)\nreturn 'late'", top="import time")
    first = serve_embedded()
    made = first.request("POST", "/items", json=ITEM)
    assert made.status_code == 201, made.text
    with socket.create_connection(("127.0.0.1", int(first.url.rpartition(":")[2]))) as caller:
        caller.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        assert first.end(signal.SIGTERM) == 0
    assert first.processes() == set()
    assert serve_embedded().get(f"/items/{made.json()['id']}").status_code == 200


def test_after_kill_9_the_data_are_there_and_no_function_runs_on(serve_embedded):
    first = serve_embedded()
    made = first.request("POST", "/items", json=ITEM)
    assert made.status_code == 201, made.text
    before = first.processes()
    first.end(signal.SIGKILL)
    second = serve_embedded()
    assert second.get(f"/items/{made.json()['id']}").status_code == 200
    deadline = time.monotonic() + 10
    while workers := [pid for pid in before & second.processes() if b"kit.serve.worker" in cmdline(pid)]:
        assert time.monotonic() < deadline, workers
        time.sleep(0.05)


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_changes_are_taken_over_and_a_broken_import_is_said_per_request(serve, write_function):
    write_function("hello", "return 'one'")
    running = serve("--no-examples")
    assert running.get("/hello").text == "one"
    assert running.get("/items").status_code == 404
    write_function("hello", "return 'two'")
    running.until("/hello", lambda answer: answer.text == "two")
    write_function("hello", "return 'three'", top="import no_such_module")
    broken = running.until("/hello", lambda answer: answer.status_code == 500).json()
    assert (broken["component"], broken["reason"]) == ("executor", "specialization_failed")
    assert "hello.py:1: ModuleNotFoundError: No module named 'no_such_module'" in broken["message"]
    assert running.get("/health").status_code == 200
    path = write_function("hello", "return 'four'")
    assert running.until("/hello", lambda answer: answer.status_code == 200).text == "four"
    path.write_text("def main(:\n")
    running.wait_for(r"error: .*hello\.py:1:")
    assert "SyntaxError" in running.until("/hello", lambda answer: answer.status_code == 500).text
    write_function("fresh", "return 'new route'")
    path.unlink()
    assert running.until("/fresh", lambda answer: answer.status_code == 200).text == "new route"
    assert running.get("/hello").status_code == 404


def test_settings_are_taken_over_and_stay_out_of_the_output(serve, write_function, project):
    write_function("level", "return get_config('LOG_LEVEL') + (get_secret('TOKEN') or '')", top="from helpers import *")
    running = serve()
    assert running.get("/level").text == "INFO"
    (project / ".env").write_text("TOKEN=very-secret\nLOG_LEVEL=DEBUG\n")
    running.until("/level", lambda answer: answer.text == "DEBUGvery-secret")
    assert "very-secret" not in running.output


def test_one_request_at_a_time_per_function_but_functions_run_side_by_side(serve, write_function):
    body = "begin = time.time()\ntime.sleep(0.3)\nreturn [begin, time.time(), os.getpid()]"
    for name in ("one", "two"):
        write_function(name, body, top="import os, time")
    running = serve("--no-examples")
    running.get("/one"), running.get("/two")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        first, again, other = pool.map(lambda path: running.get(path).json(), ["/one", "/one", "/two"])
    assert first[1] <= again[0] or again[1] <= first[0]
    assert first[2] == again[2] != other[2]
    assert max(first[0], other[0], again[0]) < max(first[1], again[1])
    assert other[0] < max(first[1], again[1]) - 0.3 or other[0] < min(first[1], again[1])


def test_the_time_limit_is_a_504_and_the_next_request_gets_a_fresh_worker(serve, write_function):
    block = '"timeout_seconds": 1, "http_triggers": {"t": {"url": "/t", "methods": ["GET", "POST"]}}'
    top = "import time, flask"
    write_function("slow", "time.sleep(float(flask.request.args.get('s', 0)))\nreturn 'done'", top=top, block=block)
    running = serve("--no-examples")
    assert running.get("/t").text == "done"
    late = running.get("/t?s=3")
    assert (late.status_code, late.json()["reason"]) == (504, "function_timeout")
    assert late.headers["X-Fission-Component"] == "timeout"
    assert running.get("/t").text == "done"


def test_a_function_that_kills_its_process_is_a_500_and_starts_again(serve, write_function):
    write_function(
        "die", "os._exit(3) if flask.request.method == 'POST' else None\nreturn 'alive'", top="import os, flask"
    )
    running = serve("--no-examples")
    dead = running.request("POST", "/die")
    assert (dead.status_code, dead.json()["reason"]) == (500, "function_error")
    assert running.get("/die").text == "alive"


def test_the_environment_is_that_of_a_pod(serve, write_function):
    top = "import os, sys, flask"
    body = """headers = flask.request.headers
return {"path": sys.path, "cwd": os.listdir(), "x": headers.get("X-Twice"), "u": "X_User" in headers}"""
    write_function("look", body, top=top)
    running = serve()
    seen = running.get("/look").json()
    assert [entry.rsplit("/", 1)[-1] for entry in seen["path"][-2:]] == ["src", "examples"]
    assert str(running.root.resolve()) not in seen["path"]
    assert seen["cwd"] == []
    with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as caller:
        caller.sendall(
            b"GET /look HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nX-Twice: 2\r\nX_User: eve\r\nConnection: close\r\n\r\n"
        )
        text = b"".join(iter(lambda: caller.recv(65536), b""))
    assert b'"x":"12"' in text  # bjoern joins repeated headers without a separator
    assert b'"u":false' in text


def test_a_port_in_use_is_one_sentence_with_the_way_out(run_kit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_kit("serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: port {port} on 127.0.0.1 cannot be used (Address already in use)")
    assert f"make run PORT={port + 1}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_failing_migration_stops_the_start_with_its_line(run_kit, project):
    (project / "migrates" / "20990101000000_bad.sql").write_text(
        "-- migrate:up\nSELECT 1;\nSELEC 2;\n-- migrate:down\n"
    )
    done = run_kit("serve", "--port", "0")
    assert done.returncode == 1
    assert 'bad.sql:3: syntax error at or near "SELEC"' in done.stderr
    assert "Traceback" not in done.stderr


def test_without_examples_neither_their_functions_nor_their_tables_are_there(serve, empty_database, query):
    running = serve("--no-examples")
    assert running.get("/items").status_code == 404
    assert query(empty_database, "SELECT to_regclass('items')") == [(None,)]


def test_a_reload_is_said_when_the_new_code_is_served(serve, write_function, project):
    write_function("hello", "return 'one'")
    draft = (project / "src/hello.py").rename(project / "src/hello.draft")
    running = serve("--no-examples")
    draft.rename(project / "src/hello.py")
    running.wait_for(r"reload: src/hello\.py")
    assert running.get("/hello").text == "one"


def test_an_example_is_added_and_the_library_removed_while_the_server_runs(serve, run_kit, project):
    running = serve()
    assert running.request("POST", "/items", json={"name": "Lamp", "price": 1}).status_code == 201
    assert run_kit("add", "crud").returncode == 0
    running.wait_for(r"reload: .*src/example_crud\.py")
    kept = running.until("/items", lambda answer: answer.status_code == 200)
    assert [item["name"] for item in kept.json()["items"]] == ["Lamp"]
    assert running.get("/quotas").status_code != 404
    shutil.rmtree(project / "examples")
    running.until("/quotas", lambda answer: answer.status_code == 404)
    assert running.get("/items").json() == kept.json()
    assert "error:" not in running.output


def test_a_broken_block_stops_the_start_with_its_line(run_kit, project):
    (project / "src" / "bad.py").write_text(
        'def main():\n    """X.\n\n    ```fission\n    {"name": }\n    ```\n    """\n'
    )
    done = run_kit("serve", "--port", "0")
    assert done.returncode == 1
    assert "bad.py:5:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_user_s_own_server_is_used_instead(serve_embedded, project, empty_database, query):
    from kit.database import to_url

    (project / ".env").write_text(f"DATABASE_URL={to_url(empty_database)}\n")
    running = serve_embedded()
    assert running.request("POST", "/items", json=ITEM).status_code == 201
    assert query(empty_database, "SELECT name FROM items") == [("lamp",)]
    assert not (project / ".kit" / "postgres").exists()
    assert running.end() == 0
