"""The pytest plugin of this project: a real database per test, a pod's secrets, and a client for the functions.

Load it in `conftest.py` at the root with `pytest_plugins = ["kit.testing"]`. One PostgreSQL serves the whole run; each
test gets a copy of a migrated template database, which takes some ten milliseconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit import database, migrate, pod
from kit.database import Dsn
from kit.objectstore import ObjectStore
from kit.pod import Pod
from kit.postgres import Server
from kit.project import Project, find_root

if TYPE_CHECKING:
    from kit.serve.client import Client

# Public functions of src/ that forget what a process remembers between requests, as module and attribute. They are
# called only if the test has imported the module. This is all that this plugin knows about src/.
RESETS = (("database", "close"),)


@pytest.fixture(scope="session")
def project() -> Project:
    """The project whose tests these are."""
    return Project(find_root(Path(__file__).parent))


@pytest.fixture(scope="session")
def database_template(project: Project) -> Iterator[Dsn]:
    """A migrated database that nobody writes to; on the user's server if the environment names one."""
    with ExitStack() as stack:
        dsn = database.configured(os.environ, project) or stack.enter_context(Server.temporary()).dsn
        template = stack.enter_context(database.scratch(dsn, prefix="kit_template"))
        migrate.apply(template, project.all_migrates)
        yield template


@pytest.fixture
def database_url(database_template: Dsn) -> Iterator[str]:
    """The URL of a fresh migrated database, which is dropped after the test."""
    with database.scratch(database_template, database_template["dbname"]) as dsn:
        yield database.to_url(dsn)
        _forget()


@pytest.fixture(name="pod")
def laid_out_pod(
    project: Project, database_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Pod:
    """The pod that the functions see: the values of `.env.example`, this test's database, a key for the vault."""
    examples = pod.read_settings(project, names=(".env.example",))
    secrets = {"VAULT_KEY": pod.new_vault_key(), **database.to_secrets(database.parse(database_url))}
    for name in {*examples.secrets, *examples.configs, *secrets}:
        monkeypatch.delenv(name, raising=False)  # the developer's own settings must not decide a test
    root = tmp_path_factory.mktemp("pod")
    monkeypatch.setenv(pod.ROOT_VARIABLE, str(root))
    _forget()
    return pod.lay_out(project, root, examples, secrets)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """An object store that speaks S3, started by the first test that asks for it."""
    with ObjectStore.temporary() as store:
        yield store


@pytest.fixture
def s3(pod: Pod, object_store: ObjectStore) -> str:
    """The name of an empty bucket of this test; the pod has all settings that functions need to use it."""
    bucket = f"test-{os.urandom(8).hex()}"
    object_store.client().create_bucket(Bucket=bucket)
    keys, configs = object_store.settings(bucket)
    for key, value in keys.items():
        pod.set_secret(key, value)
    for key, value in configs.items():
        pod.set_config(key, value)
    return bucket


@pytest.fixture
def client(pod: Pod, project: Project) -> Client:  # noqa: ARG001 - the functions read it
    """A client for all functions of `src/` and `examples/`, through the local router, without a port."""
    from kit.serve.client import Client

    return Client(project)


@pytest.fixture
def second_connection(database_url: str) -> Iterator[Any]:
    """Another psycopg2 connection to this test's database: a second pod, in the middle of its transaction."""
    import psycopg2

    with closing(psycopg2.connect(database_url)) as connection:
        yield connection


@pytest.fixture
def user_headers() -> dict[str, str]:
    """The header with which a signed-in user's request arrives."""
    return {"X-User": "ada"}


def _forget() -> None:
    """Make functions forget connections and settings of the test before."""
    for module, function in RESETS:
        if reset := getattr(sys.modules.get(module), function, None):
            reset()
