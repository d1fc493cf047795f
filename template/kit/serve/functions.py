"""What is served: the functions of `src/` and `examples/`, and the routes to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit.project import Project
from kit.specs.docstring import FunctionBlock, read_functions

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
    """

    name: str
    namespace: str
    entrypoint: str
    timeout: float
    path: Path

    @property
    def uid(self) -> str:
        """An identifier in the form of Kubernetes' own, the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fission://{self.namespace}/{self.name}"))


def folders(project: Project, *, examples: bool) -> list[Path]:
    """Return the folders whose modules are served, in the order in which Python searches them."""
    wanted = [project.src, project.examples] if examples else [project.src]
    return [folder for folder in wanted if folder.is_dir()]


def read(project: Project, *, examples: bool) -> tuple[list[FunctionBlock], list[Route]]:
    """Read all Fission blocks; no code is imported.

    Raises:
        SpecErrors: some blocks are wrong; the message lists them all with file and line.
    """
    from kit.serve.router import Route

    blocks = read_functions(*folders(project, examples=examples))
    routes = []
    for block in blocks:
        function = function_of(block, project)
        for name, trigger in block.config.http_triggers.items():
            is_prefix = trigger.prefix is not None
            path = (trigger.prefix if is_prefix else trigger.url) or ""
            methods = frozenset(trigger.methods)
            routes.append(
                Route(f"{function.name}-{name}", path, is_prefix, trigger.keep_prefix, methods, function, trigger.cors)
            )
    return blocks, routes


def function_of(block: FunctionBlock, project: Project) -> Function:
    """Return what the router knows of a function."""
    timeout = block.config.timeout_seconds or project.timeout_seconds
    return Function(block.config.name, project.namespace, f"{block.module}.{block.handler}", timeout, block.path)
