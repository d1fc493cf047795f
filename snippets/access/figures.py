"""Figures for callers who hold the key."""

import hmac

from exceptions import ConfigurationError, ServiceException
from flask import request
from helpers import entrypoint, get_secret


@entrypoint
def main():
    """Return today's figures.

    ```fission
    {
      "name": "your-service-figures",
      "http_triggers": {
        "figures": {"url": "/figures", "methods": ["GET"]}
      }
    }
    ```
    """
    demand_key()
    return {"orders": 3}


def demand_key():
    """Refuse callers without the key. Comparing takes the same time for every wrong one."""
    key = get_secret("CALLER_KEY")
    if not key:
        raise ConfigurationError("secret CALLER_KEY is not set")
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(sent.encode(), key.encode()):
        error = ServiceException("UNAUTHENTICATED", 401, "this needs a key: Authorization: Bearer ...")
        error.headers["WWW-Authenticate"] = "Bearer"
        raise error
