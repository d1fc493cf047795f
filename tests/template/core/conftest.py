"""Fixtures for the heavy tests of template/src: the kit's own, and pods that are real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kit import database, migrate, pod
from kit.postgres import Server
from kit.project import Project
from kit.testing import client, database_template, database_url, laid_out_pod, project, user_headers  # noqa: F401

from .processes import PodProcess


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Path]:
    """The home of a PostgreSQL that only this test uses and may stop; `Server.start(home)` starts it again."""
    home = tmp_path / "postgres"
    Server.start(home).stop()
    yield home
    Server.start(home).stop()


@pytest.fixture
def start_pod(project: Project, tmp_path: Path) -> Iterator[Callable[..., PodProcess]]:  # noqa: F811 - a fixture
    """Start a process that serves the example at a port, with the given database (a URL); config as keywords."""
    with ExitStack() as stack:

        def start(url: str, **configs: str) -> PodProcess:
            root = tmp_path / f"pod-{len(list(tmp_path.glob('pod-*')))}"
            pod.lay_out(project, root, pod.Settings({"DATABASE_URL": url}, configs))
            return stack.enter_context(PodProcess(root))

        yield start


@pytest.fixture
def migrated(project: Project) -> Callable[[database.Dsn], str]:  # noqa: F811 - a fixture
    """Apply the migrations to a database and return its URL."""

    def apply(dsn: database.Dsn) -> str:
        migrate.apply(dsn, project.all_migrates)
        return database.to_url(dsn)

    return apply
