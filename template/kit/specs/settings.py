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

    run_as_user: UserId = Field(description="User id of the process.")
    run_as_group: UserId = Field(description="Group id of the process.")
    fs_group: UserId | None = Field(default=None, description="Needed to read /secrets, which has mode 0750.")


class Environment(Strict):
    """The image that runs the functions, and the one that builds their package."""

    name: Name = Field(description="The name of the Environment object.")
    image: Text = Field(description="The image that runs functions, with its tag.")
    builder_image: Text | None = Field(default=None, description="Only source packages need a builder.")
    build_command: Text = Field(default="build", description="Used by packages without a buildcmd.")
    poolsize: Count = Field(default=3, description="Warm pods for the poolmgr executor.")
    termination_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=90, description="How long a pod may finish its requests when it has to go."
    )
    resources: Resources | None = Field(
        default=None, description="CPU and memory of warm pods, and of poolmgr functions."
    )
    runtime_envs: dict[EnvName, str] = Field(default={}, description="Environment variables of the functions.")
    builder_envs: dict[EnvName, str] = Field(default={}, description="Environment variables of the build.")
    imagepullsecret: Name | None = Field(default=None, description="The Secret with the access to a private registry.")
    security_context: SecurityContext | None = Field(
        default=None, description="Users, if the image does not run as root."
    )


class Package(Strict):
    """The archive that all functions of the project share."""

    name: Name = Field(description="The beginning of the Package object's name.")
    mode: Literal["source", "deployment"] = Field(
        default="source", description="Whether the cluster builds the package, or it is deployed as built here."
    )
    folders: list[Text] = Field(default=["src"], min_length=1, description="Put side by side at the archive root.")
    buildcmd: Text = Field(default="./build.sh", description="What the builder runs, for source mode.")
    platform: Literal["x86_64", "aarch64"] = Field(default="x86_64", description="For deployment mode.")
    python: Literal["3.11", "3.12", "3.13", "3.14"] = Field(default="3.13", description="The Python of the image.")


class PoolManager(Strict):
    """Warm pods that are specialised on the first request (executor type poolmgr)."""

    type: Literal["poolmgr"] = Field(description="This executor.")
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=20, description="Pods per function at most; beyond that 429."
    )
    requests_per_pod: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1, description="Requests at a time for one pod; the Python environment works on one."
    )
    once_only: bool = Field(default=False, description="Whether a pod serves one request and goes.")
    retain_pods: Count = Field(default=0, description="Specialised pods that are kept when idle.")


class _Scaled(Strict):
    min_scale: Scale = Field(default=1, description="Pods that always run.")
    max_scale: Annotated[int, Field(ge=1, le=1_000)] = Field(default=1, description="Pods at most.")
    target_cpu_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=80, description="CPU use at which a pod is added."
    )
    specialization_timeout_seconds: Seconds = Field(default=120, description="How long a cold start may take.")
    resources: Resources | None = Field(default=None, description="CPU and memory of each pod.")

    @model_validator(mode="after")
    def _ordered(self) -> _Scaled:
        if self.min_scale > self.max_scale:
            raise refuse("min_scale exceeds max_scale", "Fission refuses the function", "Raise max_scale")
        return self


class NewDeploy(_Scaled):
    """One Deployment per function (executor type newdeploy)."""

    type: Literal["newdeploy"] = Field(description="This executor.")


class Container(_Scaled):
    """An image with its own web server (executor type container); it has no package."""

    type: Literal["container"] = Field(description="This executor.")
    image: Text = Field(description="The image with its tag.")
    port: Port = Field(default=8888, description="Where its server listens.")
    command: list[str] = Field(default=[], description="Instead of the image's entry point.")
    args: list[str] = Field(default=[], description="Arguments of the command.")
    envs: dict[EnvName, str] = Field(default={}, description="Environment variables.")
    termination_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=90, description="How long a pod may finish its requests when it has to go."
    )


Executor = Annotated[PoolManager | NewDeploy | Container, Field(discriminator="type")]


class ParentRef(Strict):
    """A Gateway, or one of its listeners."""

    name: Name = Field(description="The name of the Gateway.")
    namespace: Name | None = Field(default=None, description="Its namespace; default is that of the trigger.")
    section_name: Name | None = Field(default=None, description="One listener of it.")
    port: Port | None = Field(default=None, description="One port of it.")


class Route(Strict):
    """How triggers are reached from outside the cluster (routeConfig, since Fission 1.26)."""

    provider: Literal["gateway", "ingress"] = Field(description="A Gateway API route, or an Ingress.")
    hostnames: list[Hostname] = Field(default=[], description="Host names that the route answers to.")
    path: RoutePath | None = Field(default=None, description="The fixed beginning of the trigger's path, if absent.")
    annotations: dict[str, str] = Field(default={}, description="Annotations of the object.")
    parent_refs: list[ParentRef] = Field(default=[], description="The Gateways, for provider gateway.")
    tls: Name | None = Field(default=None, description="The Secret with the certificate, for provider ingress.")

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

    executor: Name = Field(default="poolmgr", description="A profile of executors.")
    timeout_seconds: Seconds = Field(default=60, description="After which the router answers 504.")
    idle_timeout_seconds: Seconds = Field(default=120, description="After which an unused pod goes.")
    secrets: list[Name] = Field(default=[], description="Secrets that are mounted into the pod.")
    configmaps: list[Name] = Field(default=[], description="ConfigMaps that are mounted into the pod.")
    cors: Cors | None = Field(default=None, description="Cross-origin rules of all triggers.")
    route: Name | None = Field(default=None, description="A profile of routes.")


class Settings(Strict):
    """The whole of deployment.json."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors.")
    project: Name = Field(description="The name of the project; `kit rename` changes it everywhere.")
    namespace: Name = Field(default="default", description="The namespace of functions, secrets and configuration.")
    fission_version: FissionVersion = Field(
        default="1.27", description="Keys that this version does not know are refused."
    )
    environment: Environment = Field(description="The images.")
    package: Package = Field(description="The archive.")
    executors: dict[Name, Executor] = Field(min_length=1, description="Profiles that functions choose by name.")
    routes: dict[Name, Route] = Field(default={}, description="Profiles that triggers choose by name.")
    function_defaults: FunctionDefaults = Field(
        default=FunctionDefaults(), description="What holds unless a function says otherwise."
    )
    ignore_checks: dict[str, Text] = Field(default={}, description="Ids of checks, each with the reason.")
