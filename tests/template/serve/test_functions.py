"""Blocks are completed by deployment.json before they are served."""

from __future__ import annotations

import json

from kit.project import Project
from kit.serve import functions


def test_defaults_of_the_deployment_hold(project, write_function):
    path = project / ".fission" / "deployment.json"
    settings = json.loads(path.read_text())
    settings["executors"]["poolmgr"] |= {"concurrency": 4, "requests_per_pod": 3}
    settings["function_defaults"] |= {"timeout_seconds": 7, "cors": {"allow_origins": ["https://a.example"]}}
    path.write_text(json.dumps(settings))
    routes = '"http_triggers": {"r": {"url": "/%s", "methods": ["GET"]}}'
    write_function("plain", "pass", block=routes % "plain")
    write_function("own", "pass", block='"timeout_seconds": 3, "concurrency": 2, ' + routes % "own")
    write_function("scaled", "pass", block='"executor": "newdeploy", ' + routes % "scaled")
    served = functions.read(Project(project), examples=False)
    found = {function.path.stem: (function.timeout, function.capacity) for function in served.functions}
    assert found["plain"] == (7, 12)
    assert found["own"] == (3, 6)
    assert found["scaled"] == (7, None)
    assert all(route.cors and route.cors.allow_origins == ["https://a.example"] for route in served.routes)
