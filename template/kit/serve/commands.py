"""`python -m kit fire` and `python -m kit send`: call functions of the running local server as triggers do."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote

import click

from kit import project
from kit.errors import KitError
from kit.serve.state import address


@click.command()
@click.argument("name")
def fire(name: str) -> None:
    """Fire the timer NAME of the running local server now.

    The function gets what Fission's timer sends: the trigger's method and subpath, no body, and the header
    X-Fission-Timer-Name. Exit code 1 if the answer is an error.

    \b
    Examples:
      python -m kit fire nightly
      python -m kit fire your-service-report-nightly
    """
    _report(_post(f"/_dev/fire?name={quote(name)}", b""))


@click.command()
@click.argument("name", metavar="TOPIC")
@click.argument("body")
@click.option("--event", help="TOPIC is a watch; send it this event: ADDED, MODIFIED or DELETED.")
def send(name: str, body: str, event: str | None) -> None:
    """Send BODY to the functions that listen to the queue TOPIC on the running local server; `-` reads stdin.

    The functions get the headers and the repetitions that their queue trigger would give them. With --event, TOPIC
    names a watch and BODY is a Kubernetes object as JSON. Exit code 1 if an answer is an error.

    \b
    Examples:
      python -m kit send orders '{"id": 7}'
      python -m kit send orders - < order.json
      python -m kit send pods '{"kind": "Pod"}' --event DELETED
    """
    content = click.get_binary_stream("stdin").read() if body == "-" else body.encode()
    suffix = f"&event={quote(event)}" if event else ""
    _report(_post(f"/_dev/send?name={quote(name)}{suffix}", content))


def _post(path: str, body: bytes) -> list[dict[str, Any]]:
    """Ask the running server.

    Raises:
        KitError: none runs, or it refuses.
    """
    host, port = address(project.current())
    connection = http.client.HTTPConnection(host, port)
    try:
        connection.request("POST", path, body, {"X-Kit": "1"})
        answer = connection.getresponse()
        text = answer.read().decode()
    except OSError as error:
        raise KitError(f"the local server on port {port} does not answer ({error}); start it with: make run") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise KitError(json.loads(text)["error"] if text.startswith("{") else text.strip())
    found: list[dict[str, Any]] = json.loads(text)
    return found


def _report(outcomes: list[dict[str, Any]]) -> None:
    for outcome in outcomes:
        times = f" after {outcome['attempts']} attempts" if outcome["attempts"] > 1 else ""
        click.echo(
            f"{outcome['trigger']}: {outcome['function']} answered {outcome['status']}{times}; {outcome['note']}"
        )
        if outcome["body"]:
            click.echo(outcome["body"].rstrip("\n"))
    if any(outcome["status"] >= 400 for outcome in outcomes):
        raise click.exceptions.Exit(1)
