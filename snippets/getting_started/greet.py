"""Greet people by name."""

from helpers import entrypoint
from params import path_param


@entrypoint
def main():
    """Greet one person.

    ```fission
    {
      "name": "orders-greet",
      "http_triggers": {
        "greet": {"url": "/greet/{name}", "methods": ["GET"]}
      }
    }
    ```
    """
    return {"greeting": f"Hello, {path_param('name')}!"}
