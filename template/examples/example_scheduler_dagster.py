"""Dagster over GraphQL: plain HTTP, without a client library, which would bring Dagster itself along.

Where Dagster is says the configuration value DAGSTER_URL, and nothing that a client sends. The secret DAGSTER_TOKEN is
for a Dagster that asks for one. Every failure is one of three, because the caller has three things to do about it:

* ``RefusedError``: this run will never be accepted, e.g. its configuration is invalid.
* ``FailedError``: no usable answer for this run. Dagster may have started it all the same.
* ``UnreachableError``: Dagster itself is away, or the settings are wrong. Asking for other runs is pointless now. If a
  proxy says so, Dagster may have started the run all the same.

Source of the documents and types: Dagster 1.13, ``dagster_graphql/client/client_queries.py`` and ``schema/``.
"""

from __future__ import annotations

import json
import re
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from exceptions import ConfigurationError
from settings import get_config, get_secret, redact

CONNECT_SECONDS: Final = 3
ASK_SECONDS: Final = 10
LAUNCH_SECONDS: Final = 30  # Dagster loads the job's code in this time
MAX_ANSWER_BYTES: Final = 1_048_576
OWN_TAGS: Final = "your-service/"  # the scheduler's own tags begin like this; clients cannot set them
RUN_TAG: Final = OWN_TAGS + "run"

# How Dagster says that it has understood and will not do it. All else may be different next time. So may be
# PipelineNotFoundError: Dagster answers that also while it cannot load the job's code, e.g. after a broken deployment.
PERMANENT: Final = frozenset(
    {
        "RunConfigValidationInvalid",
        "InvalidSubsetError",
        "InvalidStepError",
        "InvalidOutputError",
        "PresetNotFoundError",
        "ConflictingExecutionParamsError",
        "NoModeProvidedError",
        "UnauthorizedError",
    }
)

LAUNCH: Final = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}
"""

RUNS: Final = """
query Runs($filter: RunsFilter!, $limit: Int!) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { runId status } }
    ... on Error { message }
  }
}
"""

STEPS: Final = """
query Steps($filter: RunsFilter!, $limit: Int!) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { runId stepStats { stepKey status } } }
    ... on Error { message }
  }
}
"""

TERMINATE: Final = """
mutation Terminate($runId: String!) {
  terminateRun(runId: $runId) {
    __typename
    ... on Error { message }
    ... on TerminateRunFailure { message }
  }
}
"""


class DagsterError(Exception):
    """Dagster did not do what it was asked. The text says why, for people, and holds no secret."""


class RefusedError(DagsterError):
    """Dagster will never do it."""


class FailedError(DagsterError):
    """No usable answer; whether Dagster did it is unknown."""


class UnreachableError(DagsterError):
    """Dagster itself does not answer, or not us; that is no fault of the run."""


def launch(run_id: str, order: dict[str, Any]) -> str:
    """Start a run and return Dagster's id of it.

    The job can read from its tags for which schedule and which planned time it runs.

    Args:
        run_id: Our id; the run gets it as a tag, by which ``find_run`` finds it.
        order: ``repository_location``, ``repository``, ``job``, ``run_config``, ``tags`` and ``name`` of the schedule,
            and the planned time ``tick``, or None.

    Raises:
        DagsterError: One of its three kinds.
    """
    tags = {**order["tags"], RUN_TAG: run_id, OWN_TAGS + "schedule": order["name"]}
    if order["tick"]:
        tags[OWN_TAGS + "tick"] = order["tick"].isoformat()
    params = {
        "selector": {
            "repositoryLocationName": order["repository_location"],
            "repositoryName": order["repository"],
            "jobName": order["job"],
        },
        "runConfigData": order["run_config"],
        "executionMetadata": {"tags": _tags(tags)},
    }
    answer = _ask("launchRun", LAUNCH, {"params": params}, LAUNCH_SECONDS)
    if answer["__typename"] != "LaunchRunSuccess":
        raise _refusal(answer)
    return _text(answer, "run", "runId")


def find_run(run_id: str) -> str | None:
    """Return Dagster's id of the run that carries our id as its tag, or None if there is none. Errors as for launch."""
    found = _runs(RUNS, {"tags": _tags({RUN_TAG: run_id})}, 1)
    return _text(found[0], "runId") if found else None


def statuses(dagster_run_ids: list[str]) -> dict[str, str]:
    """Return how runs stand, by Dagster's id; those that Dagster does not know are missing. Errors as for launch."""
    found = _runs(RUNS, {"runIds": dagster_run_ids}, len(dagster_run_ids))
    return {_text(run, "runId"): _text(run, "status") for run in found}


def failed_steps(dagster_run_id: str) -> list[str]:
    """Return the names of the steps that failed in a run. Errors as for launch."""
    found = _runs(STEPS, {"runIds": [dagster_run_id]}, 1)
    steps = found[0].get("stepStats") if found else None
    return [_text(step, "stepKey") for step in _objects(steps) if step.get("status") == "FAILURE"]


def terminate(dagster_run_id: str) -> None:
    """Ask Dagster to end a run; that it has ended already, or is unknown, is fine, too. Errors as for launch."""
    answer = _ask("terminateRun", TERMINATE, {"runId": dagster_run_id}, ASK_SECONDS)
    if answer["__typename"] not in ("TerminateRunSuccess", "TerminateRunFailure", "RunNotFoundError"):
        raise _refusal(answer)


def _runs(document: str, wanted: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    answer = _ask("runsOrError", document, {"filter": wanted, "limit": limit}, ASK_SECONDS)
    if answer["__typename"] != "Runs":
        raise _refusal(answer)
    return _objects(answer.get("results"))


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _refusal(answer: dict[str, Any]) -> DagsterError:
    """Translate an error of the union that Dagster answers with; its name is ``__typename``."""
    name = str(answer["__typename"])
    messages = [answer.get("message"), *(error.get("message") for error in _objects(answer.get("errors") or []))]
    text = redact(" ".join([f"{name}:", *(message for message in messages if isinstance(message, str))]))
    return RefusedError(text) if name in PERMANENT else FailedError(text)


def _ask(field: str, document: str, variables: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Send a GraphQL document and return what it has under ``field``: an object with a ``__typename``."""
    status, body = _post(json.dumps({"query": document, "variables": variables}).encode(), seconds)
    if 300 <= status < 400:
        raise UnreachableError(f"Dagster redirects (HTTP {status}), which is not followed; is DAGSTER_URL right?")
    if status in (401, 403):
        raise UnreachableError(f"Dagster refuses us (HTTP {status}); is DAGSTER_TOKEN right?")
    if status in (404, 405):
        raise UnreachableError(f"there is no Dagster at DAGSTER_URL (HTTP {status})")
    if status in (429, 502, 503, 504):
        raise UnreachableError(f"Dagster is not available (HTTP {status})")
    try:
        answer = json.loads(body)
        found = answer["data"][field] if answer.get("data") else None
        if isinstance(found, dict) and "__typename" in found:
            return found
        text = redact(f"HTTP {status}: {answer['errors'][0]['message']}")
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise FailedError(f"HTTP {status}: the answer is not one of Dagster") from None
    raise RefusedError(text) if 400 <= status < 500 else FailedError(text)


def _post(body: bytes, seconds: float) -> tuple[int, bytes]:
    """Send one request and return status and body. Redirects and the environment's proxies are not followed."""
    connection, path, headers = _place()
    try:
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:  # the second for a name that cannot be one of a host
            raise UnreachableError(f"no connection to Dagster: {_name(error)}") from None
        give_up = time.monotonic() + seconds
        connection.sock.settimeout(seconds)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            received = b""
            while chunk := response.read1(65_536):
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise FailedError(f"Dagster's answer is larger than {MAX_ANSWER_BYTES} bytes")
                if time.monotonic() > give_up:
                    raise TimeoutError
        except (OSError, HTTPException) as error:
            raise FailedError(f"no answer from Dagster: {_name(error)}") from None
        return response.status, received
    finally:
        connection.close()


def _place() -> tuple[HTTPConnection, str, dict[str, str]]:
    """Return what the settings say about Dagster: an unopened connection, the path and the headers."""
    try:
        url = get_config("DAGSTER_URL")
        token = get_secret("DAGSTER_TOKEN")
    except ConfigurationError as error:
        raise UnreachableError(f"the settings cannot be read: {error}") from None
    if not url:
        raise UnreachableError("configuration DAGSTER_URL is not set")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    plain = host and not (parts.username or parts.password or parts.query or parts.fragment)
    if not plain or parts.scheme not in ("http", "https") or not re.fullmatch(r"[!-~]*", url):
        raise UnreachableError("configuration DAGSTER_URL is not a URL such as http://dagster-webserver.dagster:80")
    if token and not re.fullmatch(r"[!-~]+", token):
        raise UnreachableError("secret DAGSTER_TOKEN has blanks or characters that no header can hold")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:  # the first for a proxy that guards Dagster, the second for Dagster+
        headers |= {"Authorization": f"Bearer {token}", "Dagster-Cloud-Api-Token": token}
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = parts.path.rstrip("/").removesuffix("/graphql") + "/graphql"
    return kind(str(host), port, timeout=CONNECT_SECONDS), path, headers


def _name(error: BaseException) -> str:
    """Return what an error of the network is called; its text may quote what was sent."""
    return type(error).__name__


def _text(found: dict[str, Any], *path: str) -> str:
    """Return the text at a path of an answer."""
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise FailedError(f"the answer is not one of Dagster: {'.'.join(path)} is missing")
    return value


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise FailedError("the answer is not one of Dagster: a list is missing")
    return value
