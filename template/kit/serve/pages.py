"""What the local server answers below `/_dev/`; a cluster has nothing there."""

from __future__ import annotations

from typing import Any

from kit.project import Project
from kit.serve.gateway import document, plain
from kit.serve.router import Router
from kit.serve.wsgi import Environ, Reply
from kit.specs.docstring import FunctionBlock


class Pages:
    """The list of functions and routes as JSON.

    Attributes:
        blocks: all functions that are served.
        router: the routes to them.
    """

    def __init__(self, project: Project, blocks: list[FunctionBlock], router: Router) -> None:
        self.blocks = blocks
        self.router = router
        self._project = project

    def __call__(self, environ: Environ) -> Reply:
        """Answer one request."""
        if environ["PATH_INFO"] != "/_dev/":
            return plain(404, "404 page not found\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return plain(405, "405 method not allowed\n")
        return document({"project": self._project.name, "functions": [self._describe(block) for block in self.blocks]})

    def _describe(self, block: FunctionBlock) -> dict[str, Any]:
        routes = [route for route in self.router.routes if route.function.name == block.config.name]
        return {
            "name": block.config.name,
            "file": block.path.relative_to(self._project.root).as_posix(),
            "line": block.line,
            "routes": [
                {"path": route.path, "prefix": route.is_prefix, "methods": sorted(route.methods)} for route in routes
            ],
            "timers": {name: timer.cron for name, timer in block.config.timers.items()},
        }
