from flask import request
from helpers import by_method, entrypoint
from params import path_param


@entrypoint
def main():
    """Answer for orders, and clean up at night.

    ```fission
    {
      "name": "your-service-orders",
      "executor": "newdeploy",
      "timeout_seconds": 90,
      "http_triggers": {
        "orders": {"url": "/orders", "methods": ["GET", "POST"]},
        "order": {
          "url": "/orders/{orderid:[0-9]+}",
          "methods": ["GET"],
          "cors": {"allow_origins": ["https://shop.example.com"], "max_age_seconds": 600}
        }
      },
      "timers": {
        "cleanup": {"cron": "CRON_TZ=Europe/Vienna 30 2 * * *", "subpath": "/cleanup"}
      }
    }
    ```
    """
    if request.headers.get("X-Fission-Timer-Name"):
        return {"cleaned": 0}
    if (orderid := path_param("orderid", None)) is not None:
        return {"id": int(orderid)}
    return by_method(GET=list_orders, POST=create_order)


def list_orders():
    return {"items": []}


def create_order():
    return {"id": 1}, 201
