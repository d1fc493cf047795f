# ruff: noqa: N815 - the names are Fission's
"""The four kinds of triggers as we write them, with the rules of the CRDs, the webhooks and Fission's Go code.

Field names, order and spelling are Fission's. Sources: crds/v1 and pkg/apis/core/v1/validation.go of Fission 1.27.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from kit.specs.cron import problem as cron_problem
from kit.specs.fields import (
    Hostname,
    Method,
    Name,
    Origin,
    RoutePath,
    Subpath,
    Text,
    TriggerPath,
    WatchType,
    refuse,
)
from kit.specs.objects import NonNegative, Part, Port, Positive


class FunctionRef(Part):
    """The function that a trigger calls."""

    type: Literal["name"] = "name"
    name: Name


class CorsConfig(Part):
    """Cross-origin rules of the router; maxAge is a Go duration."""

    allowOrigins: list[Origin] = Field(min_length=1)
    allowMethods: list[Method] | None = None
    allowHeaders: list[Text] | None = None
    exposeHeaders: list[Text] | None = None
    allowCredentials: bool | None = None
    maxAge: Annotated[str, Field(pattern=r"^[0-9]+s$")]

    @model_validator(mode="after")
    def _possible(self) -> CorsConfig:
        if self.allowCredentials and "*" in self.allowOrigins:
            raise refuse('"*" is combined with credentials', "Browsers refuse it", "Name the origins")
        for items in (self.allowOrigins, self.allowMethods, self.allowHeaders, self.exposeHeaders):
            _unique(items)
        return self


class GatewayParent(Part):
    """A Gateway that a route is attached to."""

    name: Name
    namespace: Name | None = None
    sectionName: Name | None = None
    port: Port | None = None


class Gateway(Part):
    """The Gateways of a route."""

    parentRefs: list[GatewayParent] = Field(min_length=1)


class RouteConfig(Part):
    """How a trigger is reached from outside the cluster."""

    provider: Literal["ingress", "gateway"]
    hostnames: list[Hostname] | None = None
    path: RoutePath | None = None
    annotations: dict[str, str] | None = None
    gateway: Gateway | None = None
    tls: Name | None = None

    @model_validator(mode="after")
    def _possible(self) -> RouteConfig:
        if (self.provider == "gateway") != (self.gateway is not None):
            raise refuse("gateway and provider disagree", "Only gateways have parents", "Correct the provider")
        if self.provider == "gateway" and self.tls:
            raise refuse("tls stands in a gateway route", "A Gateway's listener ends TLS", "Remove tls")
        _unique(self.hostnames)
        return self


class HttpTriggerSpec(Part):
    """Spec of an HTTPTrigger; relativeurl is always written, because the CEL rule reads it."""

    relativeurl: TriggerPath | Literal[""]
    prefix: TriggerPath | None = None
    keepPrefix: bool | None = None
    methods: list[Method] = Field(min_length=1)
    functionref: FunctionRef
    corsConfig: CorsConfig | None = None
    routeConfig: RouteConfig | None = None

    @model_validator(mode="after")
    def _one_path(self) -> HttpTriggerSpec:
        if (self.relativeurl == "") == (self.prefix is None):
            raise refuse("relativeurl and prefix disagree", "A trigger matches one of them", "Keep one")
        _unique(self.methods)
        return self


class TimeTriggerSpec(Part):
    """Spec of a TimeTrigger; method and subpath are the server's defaults, written out."""

    cron: Text
    method: Method = "POST"
    subpath: Subpath = "/"
    functionref: FunctionRef

    @model_validator(mode="after")
    def _parsable(self) -> TimeTriggerSpec:
        if reason := cron_problem(self.cron):
            raise refuse(f"the schedule is wrong: {reason}", "Fission would never run it", "Correct it")
        return self


class MessageQueueTriggerSpec(Part):
    """Spec of a MessageQueueTrigger; KEDA's scaler needs all four numbers and a content type."""

    functionref: FunctionRef
    mqtkind: Literal["keda", "fission"]
    messageQueueType: Literal[
        "kafka", "aws-sqs-queue", "aws-kinesis-stream", "gcp-pubsub", "stan", "rabbitmq", "redis", "nats-jetstream"
    ]
    topic: Text
    respTopic: Text | None = None
    errorTopic: Text | None = None
    contentType: Text
    maxRetries: NonNegative
    pollingInterval: NonNegative
    cooldownPeriod: NonNegative
    minReplicaCount: NonNegative
    maxReplicaCount: Positive
    secret: Name | None = None
    metadata: dict[str, str] | None = None

    @model_validator(mode="after")
    def _known(self) -> MessageQueueTriggerSpec:
        if self.mqtkind == "fission" and self.messageQueueType != "kafka":
            raise refuse("Fission's own consumer knows kafka only", "Nothing would read the queue", "Use keda")
        if self.minReplicaCount > self.maxReplicaCount:
            raise refuse("minReplicaCount exceeds maxReplicaCount", "KEDA refuses it", "Raise maxReplicaCount")
        return self


class WatchSpec(Part):
    """Spec of a KubernetesWatchTrigger; a label selector would be refused."""

    namespace: Name
    type: WatchType
    functionref: FunctionRef


def _unique(items: list[Any] | None) -> None:
    if items is not None and len(set(items)) < len(items):
        raise refuse("a value is repeated", "The list is a set in Fission", "Remove the repetition")
