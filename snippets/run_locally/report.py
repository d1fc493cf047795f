from flask import request
from helpers import entrypoint


@entrypoint
def main():
    """Report what happened.

    ```fission
    {
      "name": "your-service-report",
      "http_triggers": {"report": {"url": "/report", "methods": ["GET"]}},
      "timers": {"nightly": {"cron": "0 3 * * *"}},
      "queues": {"orders": {"type": "kafka", "topic": "orders", "metadata": {"bootstrapServers": "kafka:9092"}}}
    }
    ```
    """
    timer = request.headers.get("X-Fission-Timer-Name")
    topic = request.headers.get("KEDA-Topic")
    return {"timer": timer, "topic": topic, "body": request.get_data(as_text=True)}
