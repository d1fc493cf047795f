"""What a Fission block in the docstring of `main()` may say.

The keys follow Fission's fields in snake case; units are part of the name. Unknown keys are errors, because
Fission's own tools ignore them without a word.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit.specs.fields import (
    Count,
    Handler,
    Method,
    Name,
    Origin,
    Quantity,
    Seconds,
    Subpath,
    Text,
    TriggerPath,
    WatchType,
    refuse,
)


class Strict(BaseModel):
    """A part of our files: exact types, no unknown keys, never changed after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Resources(Strict):
    """CPU and memory of a container, as in Kubernetes."""

    requests: dict[Literal["cpu", "memory"], Quantity] = {}
    limits: dict[Literal["cpu", "memory"], Quantity] = {}


class Cors(Strict):
    """Cross-origin rules that Fission's router applies itself (`corsConfig`, since Fission 1.24)."""

    allow_origins: list[Origin] = Field(min_length=1)
    allow_methods: list[Method] = []
    allow_headers: list[Text] = []
    expose_headers: list[Text] = []
    allow_credentials: bool = False
    max_age_seconds: Count = 600

    @model_validator(mode="after")
    def _no_credentials_for_everybody(self) -> Cors:
        if self.allow_credentials and "*" in self.allow_origins:
            raise refuse(
                '"*" is combined with allow_credentials',
                "Browsers and Fission refuse credentials for every origin",
                "Name the origins, or remove allow_credentials",
            )
        return self


class HttpTrigger(Strict):
    """One public route of the function: an exact `url` or a `prefix` with all below it."""

    url: TriggerPath | None = None
    prefix: TriggerPath | None = None
    methods: list[Method] = Field(min_length=1)
    keep_prefix: bool = Field(default=True, description="Whether the function sees the prefix in its path.")
    cors: Cors | None = None
    route: Name | None = Field(default=None, description="A profile of routes in deployment.json.")

    @model_validator(mode="after")
    def _one_path(self) -> HttpTrigger:
        if (self.url is None) == (self.prefix is None):
            found = "neither url nor prefix" if self.url is None else "both url and prefix"
            raise refuse(f"the trigger has {found}", "A trigger matches one of them", "Write exactly one")
        if len(set(self.methods)) < len(self.methods):
            raise refuse("a method is listed twice", "The list is a set in Fission", "Remove the repetition")
        return self


class Timer(Strict):
    """A schedule that calls the function (TimeTrigger)."""

    cron: Text
    method: Method = "POST"
    subpath: Subpath = "/"


class Queue(Strict):
    """A message queue whose messages call the function (MessageQueueTrigger)."""

    type: Literal[
        "kafka",
        "aws-sqs-queue",
        "aws-kinesis-stream",
        "gcp-pubsub",
        "stan",
        "rabbitmq",
        "redis",
        "nats-jetstream",
    ]
    kind: Literal["keda", "fission"] = "keda"
    topic: Text
    response_topic: Text | None = None
    error_topic: Text | None = None
    content_type: Text = "application/json"
    max_retries: Count = 0
    polling_interval_seconds: Seconds = 30
    cooldown_seconds: Seconds = 300
    min_replicas: Count = 0
    max_replicas: int = Field(default=100, ge=1, le=10_000)
    secret: Name | None = None
    metadata: dict[str, str] = {}

    @model_validator(mode="after")
    def _possible(self) -> Queue:
        if self.kind == "fission" and self.type != "kafka":
            raise refuse(
                f"queues of type {self.type} need KEDA",
                "Fission's own consumer knows kafka only",
                'Write "kind": "keda"',
            )
        if self.min_replicas > self.max_replicas:
            raise refuse("min_replicas exceeds max_replicas", "KEDA refuses it", "Swap or change them")
        return self


class Watch(Strict):
    """Kubernetes objects whose changes call the function (KubernetesWatchTrigger)."""

    type: WatchType
    namespace: Name | None = Field(default=None, description="The namespace of the function, or nothing.")


class FunctionConfig(Strict):
    """The Fission block of one function."""

    name: Name
    handler: Handler = "main"
    executor: Name | None = Field(default=None, description="A profile of executors in deployment.json.")
    timeout_seconds: Seconds | None = None
    idle_timeout_seconds: Seconds | None = None
    concurrency: int | None = Field(default=None, ge=1, le=10_000)
    requests_per_pod: int | None = Field(default=None, ge=1, le=10_000)
    resources: Resources | None = None
    secrets: list[Name] | None = None
    configmaps: list[Name] | None = None
    http_triggers: dict[Name, HttpTrigger] = {}
    timers: dict[Name, Timer] = {}
    queues: dict[Name, Queue] = {}
    watches: dict[Name, Watch] = {}
