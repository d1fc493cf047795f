"""Fixtures for tests of all examples: those of the projects' own tests, and the services outside that examples use."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from kit.objectstore import ObjectStore
from kit.pod import Pod
from kit.testing import client, database_template, database_url, laid_out_pod, project, user_headers  # noqa: F401

from .dagster_server import webserver  # noqa: F401 - a fixture

WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="session")
def store() -> Iterator[ObjectStore]:
    """An object store that all tests share."""
    with ObjectStore.temporary() as running:
        running.client().create_bucket(Bucket="harness")
        yield running


@pytest.fixture
def equipped(client: Any, pod: Pod, store: ObjectStore) -> Any:  # noqa: F811 - a fixture
    """The client, in a pod that has all settings which the examples need."""
    secrets, configs = store.settings("harness")
    for key, value in {**secrets, "WEBHOOK_STANDARD_SECRETS": WEBHOOK_SECRET}.items():
        pod.set_secret(key, value)
    for key, value in configs.items():
        pod.set_config(key, value)
    return client
