"""What is served: the functions of `src/` and `examples/`, and the routes to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kit.project import Project
from kit.specs.deployment import load_deployment
from kit.specs.docstring import FunctionBlock, read_functions
from kit.specs.resolve import Resolved, cors_of, object_name, resolve
from kit.specs.settings import PoolManager

if TYPE_CHECKING:
    from kit.serve.router import Route


@dataclass(frozen=True)
class Function:
    """One function, as Fission's Function object describes it.

    Attributes:
        name: of the Function object.
        namespace: of the Function object.
        entrypoint: module and function, for example `example_crud.main`.
        timeout: seconds after which the router gives up (`functionTimeout`).
        path: the file.
        capacity: requests that may run or wait at a time; one more is a 429. None means no limit.
    """

    name: str
    namespace: str
    entrypoint: str
    timeout: float
    path: Path
    capacity: int | None = None

    @cached_property
    def uid(self) -> str:
        """An identifier in the form of Kubernetes' own, the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fission://{self.namespace}/{self.name}"))


@dataclass(frozen=True)
class Served:
    """All functions with their routes; `functions` and `blocks` have the same order."""

    blocks: list[FunctionBlock]
    functions: list[Function]
    routes: list[Route]


def folders(project: Project, *, examples: bool) -> list[Path]:
    """Return the folders whose modules are served, in the order in which Python searches them."""
    wanted = [project.src, project.examples] if examples else [project.src]
    return [folder for folder in wanted if folder.is_dir()]


def read(project: Project, *, examples: bool) -> Served:
    """Read all Fission blocks, completed by `.fission/deployment.json`; no code is imported.

    Raises:
        SpecErrors: some blocks or settings are wrong; the message lists them all with file and line.
    """
    from kit.serve.router import Route

    blocks = read_functions(*folders(project, examples=examples))
    deployment = load_deployment(project.root)
    functions, routes = [], []
    for resolved in resolve(blocks, deployment):
        function = _function(resolved, project.namespace)
        functions.append(function)
        for name, trigger in resolved.block.config.http_triggers.items():
            is_prefix = trigger.prefix is not None
            path = (trigger.prefix if is_prefix else trigger.url) or ""
            methods, cors = frozenset(trigger.methods), cors_of(trigger, deployment)
            trigger_name = object_name(function.name, name)
            routes.append(Route(trigger_name, path, is_prefix, trigger.keep_prefix, methods, function, cors))
    return Served(blocks, functions, routes)


def _function(resolved: Resolved, namespace: str) -> Function:
    block = resolved.block
    return Function(resolved.name, namespace, resolved.entry, resolved.timeout_seconds, block.path, _capacity(resolved))


def _capacity(resolved: Resolved) -> int | None:
    """Return how many requests Fission admits. Source: pkg/executor/fscache/poolcache.go; only poolmgr counts."""
    profile, config = resolved.profile, resolved.block.config
    if not isinstance(profile, PoolManager):
        return None
    return (config.concurrency or profile.concurrency) * (config.requests_per_pod or profile.requests_per_pod)
