"""Health of the service: is it alive, and can it do its work?"""

import time
from typing import Any

from exceptions import ServiceException
from handler import by_method, entrypoint
from helpers import fetch_one, get_config, get_secret


@entrypoint
def main() -> Any:
    """Report liveness and readiness.

    Answers 200 if everything that requests need is there, else 503, with the state of each part. A monitor should
    ask for ``/health``; Kubernetes itself asks the environment's own ``/healthz``, which knows nothing of databases.

    ```fission
    {
      "name": "your-service-health",
      "http_triggers": {
        "health": {"url": "/health", "methods": ["GET"]}
      }
    }
    ```
    """
    return by_method(GET=report)


def report() -> Any:
    """Check each part; the answer names parts and states, never values or addresses."""
    checks = {"configuration": configuration_state(), "database": database_state()}
    ready = all(check["status"] == "ok" for check in checks.values())
    body = {"alive": True, "ready": ready, "checks": checks}
    return body, 200 if ready else 503, {"Cache-Control": "no-store"}


def configuration_state() -> dict[str, Any]:
    """Return whether the settings that the service cannot do without are set and readable."""
    try:
        get_config("LOG_LEVEL")
        complete = bool(get_secret("DATABASE_URL") or (get_secret("PG_HOST") and get_secret("PG_PASS")))
    except ServiceException:
        return {"status": "unreadable"}
    return {"status": "ok" if complete else "missing"}


def database_state() -> dict[str, Any]:
    """Return whether the database answers, and after how many milliseconds."""
    started = time.perf_counter()
    try:
        fetch_one("SELECT 1 AS one")
    except Exception:  # whatever it is, the answer to the monitor is the same; the log has the reason
        return {"status": "away"}
    return {"status": "ok", "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
