"""From functions and settings to Fission's objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ValidationError

from kit.specs import objects as o
from kit.specs import trigger_objects as t
from kit.specs.deployment import Deployment
from kit.specs.errors import SpecError, SpecErrors
from kit.specs.json_reader import Loc
from kit.specs.models import Cors, HttpTrigger, Resources
from kit.specs.resolve import Resolved, cors_of, object_name
from kit.specs.settings import Container, PoolManager

Document = dict[str, Any]


@dataclass(frozen=True)
class SpecFile:
    """One file of specs/: its name, what it was made from, and its documents."""

    name: str
    origin: str
    documents: tuple[Document, ...]


def generate(deployment: Deployment, functions: list[Resolved], package: str, uid: str) -> list[SpecFile]:
    """Return the files of specs/ for one stage.

    Args:
        deployment: the settings of the stage.
        functions: the functions, completed.
        package: name of the Package object and of its archive, with the content hash.
        uid: the project's own UUID.

    Raises:
        SpecErrors: an object breaks one of Fission's rules.
    """
    writer = _Writer(deployment, package)
    files = [
        SpecFile("fission-deployment-config.yaml", ".fission/uid", (_deployment_config(deployment, uid),)),
        SpecFile("environment.yaml", ".fission/deployment.json", (writer.environment(),)),
    ]
    if any(not isinstance(function.profile, Container) for function in functions):
        files.append(SpecFile("package.yaml", ".fission/deployment.json", tuple(writer.package())))
    for function in functions:
        origin = function.block.path
        shown = origin.relative_to(deployment.root) if origin.is_relative_to(deployment.root) else origin
        files.append(SpecFile(f"function-{function.name}.yaml", str(shown), tuple(writer.function(function))))
    writer.errors += _repeated_objects(files, functions)
    if writer.errors:
        raise SpecErrors(writer.errors)
    return files


def stage_uid(uid: str, stage: str | None) -> str:
    """Return the uid that owns the objects of one stage.

    `fission spec apply --delete` removes all objects of a uid, in every namespace, that the specs do not contain;
    so stages that share a cluster must not share a uid.
    """
    return uid if stage is None else str(uuid5(UUID(uid), stage))


def _deployment_config(deployment: Deployment, uid: str) -> Document:
    stage = deployment.stage
    name = deployment.settings.project if stage is None else f"{deployment.settings.project}-{stage}"
    head = {"apiVersion": o.API_VERSION, "kind": "DeploymentConfig"}
    return {**head, "name": name, "uid": stage_uid(uid, stage)}


class _Writer:
    """Makes the objects of one stage and collects the rules that they break."""

    def __init__(self, deployment: Deployment, package: str) -> None:
        self.deployment, self.package_name = deployment, package
        self.settings = deployment.settings
        self.namespace = deployment.settings.namespace
        self.errors: list[SpecError] = []

    def environment(self) -> Document:
        env = self.settings.environment
        variables = [{"name": name, "value": value} for name, value in env.runtime_envs.items()]
        main = {"name": env.name, "env": variables or None}
        security = env.security_context
        runtime: Document = {"image": env.image}
        if security is not None:
            runtime["podspec"] = {
                "containers": [{**main, "image": env.image}],
                "securityContext": {
                    "runAsUser": security.run_as_user,
                    "runAsGroup": security.run_as_group,
                    "fsGroup": security.fs_group,
                    "runAsNonRoot": security.run_as_user != 0,
                },
            }
        elif variables:
            runtime["container"] = main
        builder: Document | None = None
        if env.builder_image is not None:
            builder = {"image": env.builder_image, "command": env.build_command}
            if env.builder_envs:
                envs = [{"name": name, "value": value} for name, value in env.builder_envs.items()]
                builder["container"] = {"name": "builder", "env": envs}
        spec = {
            "poolsize": env.poolsize,
            "terminationGracePeriod": env.termination_grace_seconds,
            "imagepullsecret": env.imagepullsecret,
            "resources": _quantities(env.resources),
            "runtime": runtime,
            "builder": builder,
        }
        return self.document("Environment", env.name, o.EnvironmentSpec, spec, self.at_setting(("environment",)))

    def package(self) -> Iterator[Document]:
        package = self.settings.package
        include = [f"dist/{self.package_name}.zip"]
        head = {"apiVersion": o.API_VERSION, "kind": "ArchiveUploadSpec"}
        yield {**head, "name": self.package_name, "include": include}
        archive = {"url": f"archive://{self.package_name}"}
        spec: Document = {"environment": self.ref(self.settings.environment.name), package.mode: archive}
        if package.mode == "source":
            spec["buildcmd"] = package.buildcmd
        yield self.document("Package", self.package_name, o.PackageSpec, spec, self.at_setting(("package",)))

    def function(self, function: Resolved) -> Iterator[Document]:
        config, name = function.block.config, function.name

        def at(*loc: str) -> SpecError:
            return function.block.located.error(loc, "", "", "")

        yield self.document("Function", name, o.FunctionSpec, self.function_spec(function), at("name"))
        ref = {"name": name}
        for key, trigger in config.http_triggers.items():
            spec = self.http_trigger(trigger, ref)
            yield self.trigger("HTTPTrigger", name, key, t.HttpTriggerSpec, spec, at("http_triggers", key))
        for key, timer in config.timers.items():
            spec = {**timer.model_dump(), "functionref": ref}
            yield self.trigger("TimeTrigger", name, key, t.TimeTriggerSpec, spec, at("timers", key))
        for key, queue in config.queues.items():
            spec = {
                "functionref": ref,
                "mqtkind": queue.kind,
                "messageQueueType": queue.type,
                "topic": queue.topic,
                "respTopic": queue.response_topic,
                "errorTopic": queue.error_topic,
                "contentType": queue.content_type,
                "maxRetries": queue.max_retries,
                "pollingInterval": queue.polling_interval_seconds,
                "cooldownPeriod": queue.cooldown_seconds,
                "minReplicaCount": queue.min_replicas,
                "maxReplicaCount": queue.max_replicas,
                "secret": queue.secret,
                "metadata": queue.metadata or None,
            }
            yield self.trigger("MessageQueueTrigger", name, key, t.MessageQueueTriggerSpec, spec, at("queues", key))
        for key, watch in config.watches.items():
            spec = {"namespace": watch.namespace or self.namespace, "type": watch.type, "functionref": ref}
            yield self.trigger("KubernetesWatchTrigger", name, key, t.WatchSpec, spec, at("watches", key))

    def function_spec(self, function: Resolved) -> Document:
        config, profile = function.block.config, function.profile
        execution: Document = {"ExecutorType": profile.type}
        spec: Document = {
            "environment": self.ref(self.settings.environment.name),
            "package": {"functionName": function.entry, "packageref": self.ref(self.package_name)},
            "InvokeStrategy": {"ExecutionStrategy": execution},
            "functionTimeout": function.timeout_seconds,
            "idletimeout": function.idle_timeout_seconds,
            "resources": _quantities(function.resources),
            "secrets": [self.ref(name) for name in function.secrets] or None,
            "configmaps": [self.ref(name) for name in function.configmaps] or None,
        }
        if isinstance(profile, PoolManager):
            spec["concurrency"] = config.concurrency or profile.concurrency
            spec["requestsPerPod"] = config.requests_per_pod or profile.requests_per_pod
            spec["onceOnly"] = profile.once_only or None
            spec["retainPods"] = profile.retain_pods or None
            return spec
        target = {"averageUtilization": profile.target_cpu_percent}
        execution |= {
            "MinScale": profile.min_scale,
            "MaxScale": profile.max_scale,
            "SpecializationTimeout": profile.specialization_timeout_seconds,
            "hpaMetrics": [{"resource": {"target": target}}],
        }
        if isinstance(profile, Container):
            spec["environment"], spec["package"] = {"namespace": ""}, {}
            spec["podspec"] = {
                "terminationGracePeriodSeconds": profile.termination_grace_seconds,
                "containers": [
                    {
                        "name": function.name,
                        "image": profile.image,
                        "command": profile.command or None,
                        "args": profile.args or None,
                        "env": [{"name": name, "value": value} for name, value in profile.envs.items()] or None,
                        "ports": [{"name": "http-env", "containerPort": profile.port}],
                    }
                ],
            }
        return spec

    def http_trigger(self, trigger: HttpTrigger, ref: Document) -> Document:
        spec: Document = {"relativeurl": trigger.url or "", "methods": trigger.methods, "functionref": ref}
        if trigger.prefix is not None:
            spec |= {"prefix": trigger.prefix, "keepPrefix": trigger.keep_prefix}
        if cors := cors_of(trigger, self.deployment):
            spec["corsConfig"] = _cors(cors)
        if profile := trigger.route or self.settings.function_defaults.route:
            spec["routeConfig"] = self.route(profile, trigger.url or trigger.prefix or "/")
        return spec

    def route(self, profile: str, path: str) -> Document:
        route = self.settings.routes[profile]
        fixed = path if "{" not in path else path[: path.index("{")].rpartition("/")[0] or "/"
        parents = [
            {"name": ref.name, "namespace": ref.namespace, "sectionName": ref.section_name, "port": ref.port}
            for ref in route.parent_refs
        ]
        return {
            "provider": route.provider,
            "hostnames": route.hostnames or None,
            "path": route.path or fixed,
            "annotations": route.annotations or None,
            "gateway": {"parentRefs": parents} if parents else None,
            "tls": route.tls,
        }

    def trigger(
        self, kind: str, function: str, key: str, model: type[BaseModel], spec: Document, place: SpecError
    ) -> Document:
        return self.document(kind, object_name(function, key), model, spec, place)

    def document(self, kind: str, name: str, model: type[BaseModel], spec: Document, place: SpecError) -> Document:
        """Return an object with its fields in Fission's order; what it breaks is reported at `place`."""
        head: Document = {"apiVersion": o.API_VERSION, "kind": kind}
        try:
            metadata = o.Metadata(name=name, namespace=self.namespace).model_dump()
            return {**head, "metadata": metadata, "spec": model.model_validate(spec).model_dump(exclude_none=True)}
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                context = detail.get("ctx", {})
                where = ".".join(str(part) for part in detail["loc"])
                what = f"{kind} {name}: {where or 'spec'}: {context.get('what', detail['msg'])}"
                why, fix = context.get("why", "Fission would refuse it"), context.get("fix", "Correct the setting")
                self.errors.append(SpecError(place.path, place.line, place.column, what, why, fix))
            return {**head, "metadata": {"name": name}}

    def at_setting(self, loc: Loc) -> SpecError:
        return self.deployment.error(loc, "", "", "")

    def ref(self, name: str) -> Document:
        return {"name": name, "namespace": self.namespace}


def _quantities(resources: Resources | None) -> Document | None:
    if resources is None:
        return None
    return {"requests": resources.requests or None, "limits": resources.limits or None}


def _cors(cors: Cors) -> Document:
    return {
        "allowOrigins": cors.allow_origins,
        "allowMethods": cors.allow_methods or None,
        "allowHeaders": cors.allow_headers or None,
        "exposeHeaders": cors.expose_headers or None,
        "allowCredentials": cors.allow_credentials or None,
        "maxAge": f"{cors.max_age_seconds}s",
    }


def _repeated_objects(files: list[SpecFile], functions: list[Resolved]) -> Iterator[SpecError]:
    places = {f"function-{function.name}.yaml": function.block for function in functions}
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        for document in file.documents:
            name = document.get("metadata", {}).get("name")
            if name is None:
                continue
            other = seen.setdefault((document["kind"], name), file.name)
            if other != file.name and file.name in places:
                what = f"{document['kind']} {name} is also made by {places[other].path.name}:{places[other].line}"
                why = "Objects of one kind have unique names; ours are function-trigger"
                yield places[file.name].located.error(("name",), what, why, "Rename one of the triggers")
