# ruff: noqa: RUF012 - pydantic copies the defaults of its models
"""What `.fission/deployment.json` may say, once its overlay for a stage is laid over it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kit.specs.fields import Count, EnvName, Hostname, Name, RoutePath, Seconds, Text, refuse
from kit.specs.models import Cors, Resources, Strict

FissionVersion = Literal["1.24", "1.25", "1.26", "1.27"]
Scale = Annotated[int, Field(ge=0, le=1_000)]
Port = Annotated[int, Field(ge=1, le=65_535)]
UserId = Annotated[int, Field(ge=0, le=4_294_967_294)]


class SecurityContext(Strict):
    """The users of a runtime image that does not run as root."""

    run_as_user: UserId
    run_as_group: UserId
    fs_group: UserId | None = Field(default=None, description="Needed to read /secrets, which has mode 0750.")


class Environment(Strict):
    """The image that runs the functions, and the one that builds their package."""

    name: Name
    image: Text
    builder_image: Text | None = Field(default=None, description="Only source packages need a builder.")
    build_command: Text = Field(default="build", description="Used by packages without a buildcmd.")
    poolsize: Count = Field(default=3, description="Warm pods for the poolmgr executor.")
    termination_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = 90
    resources: Resources | None = None
    runtime_envs: dict[EnvName, str] = {}
    builder_envs: dict[EnvName, str] = {}
    imagepullsecret: Name | None = None
    security_context: SecurityContext | None = None


class Package(Strict):
    """The archive that all functions of the project share."""

    name: Name
    mode: Literal["source", "deployment"] = "source"
    folders: list[Text] = Field(default=["src"], min_length=1, description="Put side by side at the archive root.")
    buildcmd: Text = "./build.sh"
    platform: Literal["x86_64", "aarch64"] = Field(default="x86_64", description="For deployment mode.")
    python: Literal["3.11", "3.12", "3.13", "3.14"] = Field(default="3.13", description="The Python of the image.")


class PoolManager(Strict):
    """Warm pods that are specialised on the first request (executor type poolmgr)."""

    type: Literal["poolmgr"]
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 20
    requests_per_pod: Annotated[int, Field(ge=1, le=10_000)] = 1
    once_only: bool = False
    retain_pods: Count = 0


class _Scaled(Strict):
    min_scale: Scale = 1
    max_scale: Annotated[int, Field(ge=1, le=1_000)] = 1
    target_cpu_percent: Annotated[int, Field(ge=1, le=100)] = 80
    specialization_timeout_seconds: Seconds = 120
    resources: Resources | None = None

    @model_validator(mode="after")
    def _ordered(self) -> _Scaled:
        if self.min_scale > self.max_scale:
            raise refuse("min_scale exceeds max_scale", "Fission refuses the function", "Raise max_scale")
        return self


class NewDeploy(_Scaled):
    """One Deployment per function (executor type newdeploy)."""

    type: Literal["newdeploy"]


class Container(_Scaled):
    """An image with its own web server (executor type container); it has no package."""

    type: Literal["container"]
    image: Text
    port: Port = 8888
    command: list[str] = []
    args: list[str] = []
    envs: dict[EnvName, str] = {}
    termination_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = 90


Executor = Annotated[PoolManager | NewDeploy | Container, Field(discriminator="type")]


class ParentRef(Strict):
    """A Gateway, or one of its listeners."""

    name: Name
    namespace: Name | None = None
    section_name: Name | None = None
    port: Port | None = None


class Route(Strict):
    """How triggers are reached from outside the cluster (routeConfig, since Fission 1.26)."""

    provider: Literal["gateway", "ingress"]
    hostnames: list[Hostname] = []
    path: RoutePath | None = Field(default=None, description="The fixed beginning of the trigger's path, if absent.")
    annotations: dict[str, str] = {}
    parent_refs: list[ParentRef] = []
    tls: Name | None = None

    @model_validator(mode="after")
    def _complete(self) -> Route:
        if self.provider == "gateway" and not self.parent_refs:
            raise refuse("the gateway has no parent_refs", "A route is attached to a Gateway", "Name the Gateway")
        if self.provider == "gateway" and self.tls:
            raise refuse("tls stands in a gateway route", "A Gateway's listener ends TLS", "Remove tls")
        if self.provider == "ingress" and self.parent_refs:
            raise refuse("parent_refs stand in an ingress route", "Only gateways have parents", "Remove parent_refs")
        return self


class FunctionDefaults(Strict):
    """What holds for every function and trigger that does not say otherwise."""

    executor: Name = "poolmgr"
    timeout_seconds: Seconds = 60
    idle_timeout_seconds: Seconds = 120
    secrets: list[Name] = []
    configmaps: list[Name] = []
    cors: Cors | None = None
    route: Name | None = None


class Settings(Strict):
    """The whole of deployment.json."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors.")
    project: Name
    namespace: Name = "default"
    fission_version: FissionVersion = "1.27"
    environment: Environment
    package: Package
    executors: dict[Name, Executor] = Field(min_length=1)
    routes: dict[Name, Route] = {}
    function_defaults: FunctionDefaults = FunctionDefaults()
    ignore_checks: dict[str, Text] = Field(default={}, description="Ids of checks, each with the reason.")
