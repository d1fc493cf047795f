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

    requests: dict[Literal["cpu", "memory"], Quantity] = Field(
        default={}, description="What Kubernetes reserves for each pod."
    )
    limits: dict[Literal["cpu", "memory"], Quantity] = Field(default={}, description="What a pod may use at most.")


class Cors(Strict):
    """Cross-origin rules that Fission's router applies itself (`corsConfig`, since Fission 1.24)."""

    allow_origins: list[Origin] = Field(
        min_length=1, description='Origins such as https://shop.example.com, or "*" alone.'
    )
    allow_methods: list[Method] = Field(default=[], description="Default: those of the trigger.")
    allow_headers: list[Text] = Field(default=[], description="Request headers that pages may send.")
    expose_headers: list[Text] = Field(default=[], description="Answer headers that pages may read.")
    allow_credentials: bool = Field(default=False, description="Whether browsers may send cookies.")
    max_age_seconds: Count = Field(default=600, description="How long a browser keeps the answer to its preflight.")

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

    url: TriggerPath | None = Field(default=None, description="The exact path, with variables such as {itemid}.")
    prefix: TriggerPath | None = Field(default=None, description="The beginning of all paths of this trigger.")
    methods: list[Method] = Field(min_length=1, description="The HTTP methods; others get 405 from the router.")
    keep_prefix: bool = Field(default=True, description="Whether the function sees the prefix in its path.")
    cors: Cors | None = Field(default=None, description="Cross-origin rules of this trigger alone.")
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

    cron: Text = Field(
        description="Five or six fields (seconds first), a descriptor such as @hourly, CRON_TZ=zone in front."
    )
    method: Method = Field(default="POST", description="The HTTP method of the call.")
    subpath: Subpath = Field(default="/", description="The path of the call below the function.")


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
    ] = Field(description="The kind of broker.")
    kind: Literal["keda", "fission"] = Field(
        default="keda", description="Who consumes: KEDA's connector, or Fission itself."
    )
    topic: Text = Field(description="Topic, queue or stream to listen to.")
    response_topic: Text | None = Field(default=None, description="Where answers go.")
    error_topic: Text | None = Field(default=None, description="Where messages go whose call failed.")
    content_type: Text = Field(default="application/json", description="The Content-Type of the call.")
    max_retries: Count = Field(default=0, description="Further calls for a message that failed.")
    polling_interval_seconds: Seconds = Field(default=30, description="How often KEDA looks at the queue.")
    cooldown_seconds: Seconds = Field(default=300, description="How long KEDA waits before it scales to none.")
    min_replicas: Count = Field(default=0, description="Consumers that always run.")
    max_replicas: int = Field(default=100, ge=1, le=10_000, description="Consumers at most.")
    secret: Name | None = Field(default=None, description="The Secret with the access to the broker.")
    metadata: dict[str, str] = Field(default={}, description="What KEDA's scaler for the type asks for.")

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

    type: WatchType = Field(description="The kind of object.")
    namespace: Name | None = Field(default=None, description="The namespace of the function, or nothing.")


class FunctionConfig(Strict):
    """The Fission block of one function."""

    name: Name = Field(description="The name of the function in the cluster.")
    handler: Handler = Field(default="main", description="The Python function in this module.")
    executor: Name | None = Field(default=None, description="A profile of executors in deployment.json.")
    timeout_seconds: Seconds | None = Field(default=None, description="After which the router answers 504.")
    idle_timeout_seconds: Seconds | None = Field(default=None, description="After which an unused pod goes.")
    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="Pods at most, for the poolmgr executor."
    )
    requests_per_pod: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Requests at a time for one pod; the Python environment works on one.",
    )
    resources: Resources | None = Field(default=None, description="CPU and memory, for the newdeploy executor.")
    secrets: list[Name] | None = Field(default=None, description="Secrets that are mounted into the pod.")
    configmaps: list[Name] | None = Field(default=None, description="ConfigMaps that are mounted into the pod.")
    http_triggers: dict[Name, HttpTrigger] = Field(default={}, description="Routes, by a name of your choice.")
    timers: dict[Name, Timer] = Field(default={}, description="Schedules, by a name of your choice.")
    queues: dict[Name, Queue] = Field(default={}, description="Message queues, by a name of your choice.")
    watches: dict[Name, Watch] = Field(default={}, description="Kubernetes watches, by a name of your choice.")
