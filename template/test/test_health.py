"""Health: ready when everything is there, 503 when something is missing, and no secret in either answer."""

from __future__ import annotations

import socket
from typing import Any

from kit.pod import Pod


def test_a_complete_pod_is_ready(client: Any):
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json["alive"]
    assert response.json["ready"]
    assert {name: check["status"] for name, check in response.json["checks"].items()} == {
        "configuration": "ok",
        "database": "ok",
    }


def test_without_a_database_the_service_lives_but_is_not_ready(client: Any, pod: Pod):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free_port = server.getsockname()[1]
    pod.set_secret("DATABASE_URL", f"postgresql://someone:secret-password@127.0.0.1:{free_port}/nothing")
    response = client.get("/health")
    assert response.status_code == 503
    assert (response.json["alive"], response.json["ready"]) == (True, False)
    assert response.json["checks"]["database"] == {"status": "away"}
    assert "secret-password" not in response.text


def test_a_pod_without_its_settings_says_what_kind_of_thing_is_missing(client: Any, pod: Pod):
    for file in pod.secrets.iterdir():
        file.unlink()
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json["checks"]["configuration"] == {"status": "missing"}
