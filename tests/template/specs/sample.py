"""Sample projects: an empty one, and one with any number of functions that use everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[3] / "template"
REQUIREMENTS = "boto3==1.42.1\npydantic==2.14.3\n"  # what the examples of the rules import

PROFILES = {
    "executors": {
        "web": {
            "type": "container",
            "image": "registry.example.com/legacy:1",
            "max_scale": 2,
            "envs": {"MODE": "on", "GREETING": 'Grüße: "hi"\n---\nkind: Function'},
            "args": ["--port", "8888"],
        }
    },
    "routes": {
        "public": {
            "provider": "gateway",
            "hostnames": ["shop.example.com", "*.shop.example.com"],
            "parent_refs": [{"name": "public-gw", "namespace": "gateways", "section_name": "https", "port": 443}],
            "annotations": {"team": "shop"},
        },
        "old": {"provider": "ingress", "hostnames": ["old.example.com"], "path": "/old", "tls": "old-tls"},
    },
    "environment": {
        "runtime_envs": {"LOG_FORMAT": "json"},
        "builder_envs": {"PIP_NO_CACHE_DIR": "1"},
        "imagepullsecret": "registry",
    },
    "ignore_checks": {"FK075": "internalAuth is off here"},
}


def blank(root: Path, changes: dict[str, object] | None = None) -> Path:
    """Make a project without functions; `changes` are merged into the template's deployment.json."""
    (root / ".fission").mkdir(parents=True)
    (root / "src").mkdir()
    shutil.copy(TEMPLATE / ".fission" / "deployment.json", root / ".fission")
    shutil.copy(TEMPLATE / "src" / "build.sh", root / "src")
    (root / "src" / "requirements.txt").write_text(REQUIREMENTS)
    if changes is not None:
        merge_settings(root, changes)
    return root


def merge_settings(root: Path, changes: dict[str, object]) -> None:
    """Lay changes over a project's deployment.json."""
    path = root / ".fission" / "deployment.json"
    path.write_text(json.dumps(merged(json.loads(path.read_text()), changes), indent=2))


def merged(below: object, above: object) -> object:
    """Merge two JSON values as overlays are merged."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    result = {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    return {key: value for key, value in result.items() if value is not None}


def module(block: dict[str, object] | str, body: str = 'return {"ok": True}') -> str:
    """Return the source of a function with this block."""
    text = block if isinstance(block, str) else json.dumps(block, indent=2)
    indented = "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
    return f'def main():\n    """Do it.\n\n    ```fission\n{indented}\n    ```\n    """\n    {body}\n'


def sample(root: Path, count: int) -> Path:
    """Make a project with `count` functions: every executor, trigger and profile in turn."""
    blank(root, PROFILES)
    for i in range(count):
        (root / "src" / f"area{i}.py").write_text(module(_block(i)), encoding="utf-8")
    return root


def _block(i: int) -> dict[str, object]:
    name = f"your-service-area{i}"
    route = {"url": f"/area{i}", "methods": ["GET", "POST"]}
    one = {"url": f"/area{i}/{{id:[0-9]+}}", "methods": ["GET", "PUT", "DELETE"], "route": "public"}
    cors = {
        "allow_origins": ["https://app.example.com:8443"],
        "allow_methods": ["GET"],
        "allow_headers": ["Content-Type"],
        "expose_headers": ["X-Fission-Request-ID"],
        "allow_credentials": True,
        "max_age_seconds": 60,
    }
    kinds: list[dict[str, object]] = [
        {"http_triggers": {"list": route, "one": one}},
        {"http_triggers": {"all": {"prefix": f"/area{i}", "methods": ["GET"], "cors": cors, "route": "old"}}},
        {"timeout_seconds": 90, "timers": {"nightly": {"cron": "CRON_TZ=Europe/Berlin 30 2 * * MON-FRI"}}},
        {
            "queues": {
                "in": {"type": "kafka", "topic": f"t{i}", "error_topic": "failed", "metadata": {"lagThreshold": "10"}}
            }
        },
        {"watches": {"pods": {"type": "POD"}, "jobs": {"type": "JOB"}}},
        {"executor": "newdeploy", "resources": {"requests": {"cpu": "0.5"}}, "http_triggers": {"list": route}},
        {"executor": "web", "http_triggers": {"list": {**route, "cors": {"allow_origins": ["*"]}}}},
        {"concurrency": 3, "secrets": [], "configmaps": ["shared"], "idle_timeout_seconds": 30},
    ]
    return {"name": name, **kinds[i % len(kinds)]}
