# ruff: noqa: N815 - the names are Fission's
"""Environment, Package and Function as we write them, with the rules of the CRDs, the webhooks and Fission's Go code.

Field names, order and spelling are Fission's. Sources: crds/v1 and pkg/apis/core/v1/validation.go of Fission 1.27.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit.specs.fields import Name, Quantity, Text, refuse

API_VERSION = "fission.io/v1"
NonNegative = Annotated[int, Field(ge=0, le=2**31 - 1)]
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
Seconds64 = Annotated[int, Field(ge=0, le=2**63 - 1)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Part(BaseModel):
    """A part of an object; None means that the field is not written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Metadata(Part):
    """Name and place of an object."""

    name: Name
    namespace: Name


class Ref(Part):
    """A reference to another object in a namespace."""

    name: Name
    namespace: Name


class Quantities(Part):
    """Requests and limits of a container."""

    requests: dict[Literal["cpu", "memory"], Quantity] | None = None
    limits: dict[Literal["cpu", "memory"], Quantity] | None = None


class EnvVar(Part):
    """An environment variable of a container."""

    name: Text
    value: str


class ContainerPort(Part):
    """A port that a container listens on."""

    name: str
    containerPort: Port


class PodContainer(Part):
    """A container, as far as we describe one."""

    name: Name
    image: Text | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    ports: list[ContainerPort] | None = None


class PodSecurity(Part):
    """Users of a pod."""

    runAsUser: Seconds64
    runAsGroup: Seconds64
    fsGroup: Seconds64 | None = None
    runAsNonRoot: bool


class PodSpec(Part):
    """A pod; what Fission forbids (host namespaces, service accounts) cannot be expressed here."""

    terminationGracePeriodSeconds: Seconds64 | None = None
    containers: list[PodContainer] = Field(min_length=1)
    securityContext: PodSecurity | None = None


class Runtime(Part):
    """What runs the functions."""

    image: Text
    container: PodContainer | None = None
    podspec: PodSpec | None = None


class Builder(Part):
    """What builds source packages."""

    image: Text
    command: Text
    container: PodContainer | None = None


class EnvironmentSpec(Part):
    """Spec of an Environment; poolsize and grace period are always written, as omitting them means 0."""

    version: Literal[3] = 3
    poolsize: NonNegative
    terminationGracePeriod: Seconds64
    imagepullsecret: Name | None = None
    resources: Quantities | None = None
    runtime: Runtime
    builder: Builder | None = None


class Archive(Part):
    """An archive that is uploaded with the specs."""

    type: Literal["url"] = "url"
    url: Annotated[str, Field(pattern=r"^(archive|https?)://.+")]


class PackageSpec(Part):
    """Spec of a Package."""

    environment: Ref
    source: Archive | None = None
    deployment: Archive | None = None
    buildcmd: Text | None = None

    @model_validator(mode="after")
    def _one_archive(self) -> PackageSpec:
        if (self.source is None) == (self.deployment is None):
            raise refuse("a package needs one archive", "With both, nothing is built", "Keep source or deployment")
        return self


class HpaTarget(Part):
    """A utilisation that the autoscaler aims at, in percent of the request."""

    type: Literal["Utilization"] = "Utilization"
    averageUtilization: Annotated[int, Field(ge=1, le=100)]


class HpaResource(Part):
    """The resource that the autoscaler looks at."""

    name: Literal["cpu", "memory"] = "cpu"
    target: HpaTarget


class HpaMetric(Part):
    """One metric of the autoscaler."""

    type: Literal["Resource"] = "Resource"
    resource: HpaResource


class Execution(Part):
    """Executor and scale."""

    ExecutorType: Literal["poolmgr", "newdeploy", "container"]
    MinScale: NonNegative | None = None
    MaxScale: Positive | None = None
    SpecializationTimeout: NonNegative | None = None
    hpaMetrics: list[HpaMetric] | None = None

    @model_validator(mode="after")
    def _scale(self) -> Execution:
        if self.ExecutorType == "poolmgr":
            return self
        if self.MaxScale is None:
            raise refuse("MaxScale is missing", "These executors need it", "Write MaxScale")
        if self.MaxScale < (self.MinScale or 0):
            raise refuse("MaxScale is below MinScale", "The range is empty", "Raise MaxScale")
        return self


class Invoke(Part):
    """How a function is run."""

    StrategyType: Literal["execution"] = "execution"
    ExecutionStrategy: Execution


class PackageRef(Part):
    """Package and handler of a function; both are missing for the container executor."""

    functionName: Text | None = None
    packageref: Ref | None = None


class EnvironmentRef(Part):
    """Environment of a function; its name is missing for the container executor."""

    name: Name | None = None
    namespace: Name | Literal[""]


class FunctionSpec(Part):
    """Spec of a Function."""

    environment: EnvironmentRef
    package: PackageRef
    InvokeStrategy: Invoke
    concurrency: Positive | None = None
    requestsPerPod: Positive | None = None
    onceOnly: bool | None = None
    retainPods: NonNegative | None = None
    functionTimeout: Positive
    idletimeout: NonNegative
    resources: Quantities | None = None
    secrets: list[Ref] | None = None
    configmaps: list[Ref] | None = None
    podspec: PodSpec | None = None

    @model_validator(mode="after")
    def _fits_executor(self) -> FunctionSpec:
        executor = self.InvokeStrategy.ExecutionStrategy.ExecutorType
        if executor == "container" and self.podspec is None:
            raise refuse("podspec is missing", "The container executor runs it", "Write podspec")
        if executor != "container" and (self.package.packageref is None or self.environment.name is None):
            raise refuse("package or environment is missing", "This executor needs both", "Name them")
        for refs in (self.secrets or [], self.configmaps or []):
            names = [ref.name for ref in refs]
            if len(set(names)) < len(names):
                raise refuse("a reference is repeated", "Names are unique in these lists", "Remove one of them")
        return self
