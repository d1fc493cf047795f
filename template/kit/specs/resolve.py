"""What a function is in the end: its block, completed by deployment.json."""

from __future__ import annotations

from dataclasses import dataclass

from kit.specs.deployment import Deployment
from kit.specs.docstring import FunctionBlock
from kit.specs.errors import SpecError, SpecErrors
from kit.specs.json_reader import Loc
from kit.specs.models import Cors, HttpTrigger, Resources
from kit.specs.settings import Container, NewDeploy, PoolManager


@dataclass(frozen=True)
class Resolved:
    """One function with all defaults filled in."""

    block: FunctionBlock
    profile_name: str
    profile: PoolManager | NewDeploy | Container
    timeout_seconds: int
    idle_timeout_seconds: int
    secrets: tuple[str, ...]
    configmaps: tuple[str, ...]
    resources: Resources | None

    @property
    def name(self) -> str:
        """The name of the Function object."""
        return str(self.block.config.name)

    @property
    def entry(self) -> str:
        """The handler as Fission wants it, `module.function`."""
        return f"{self.block.module}.{self.block.handler}"


def resolve(functions: list[FunctionBlock], deployment: Deployment) -> list[Resolved]:
    """Complete the functions.

    Raises:
        SpecErrors: a block names a profile that does not exist, or a list names an object twice.
    """
    errors = [error for function in functions for error in _dangling(function, deployment)]
    if errors:
        raise SpecErrors(errors)
    return [_resolve(function, deployment) for function in functions]


def object_name(function: str, trigger: str) -> str:
    """Return the name of a trigger's object: unique in the namespace, because function names are."""
    return f"{function}-{trigger}"


def cors_of(trigger: HttpTrigger, deployment: Deployment) -> Cors | None:
    """Return the cross-origin rules that hold for a trigger."""
    return trigger.cors or deployment.settings.function_defaults.cors


def _resolve(function: FunctionBlock, deployment: Deployment) -> Resolved:
    config, defaults = function.config, deployment.settings.function_defaults
    profile_name = config.executor or defaults.executor
    profile = deployment.settings.executors[profile_name]
    own = None if isinstance(profile, PoolManager) else profile.resources
    return Resolved(
        block=function,
        profile_name=profile_name,
        profile=profile,
        timeout_seconds=config.timeout_seconds or defaults.timeout_seconds,
        idle_timeout_seconds=config.idle_timeout_seconds or defaults.idle_timeout_seconds,
        secrets=tuple(defaults.secrets if config.secrets is None else config.secrets),
        configmaps=tuple(defaults.configmaps if config.configmaps is None else config.configmaps),
        resources=config.resources or own,
    )


def _dangling(function: FunctionBlock, deployment: Deployment) -> list[SpecError]:
    settings, config, at = deployment.settings, function.config, function.located
    errors: list[SpecError] = []
    if config.executor is not None and config.executor not in settings.executors:
        names = ", ".join(settings.executors)
        what = f'there is no executor profile "{config.executor}"'
        errors.append(at.error(("executor",), what, f"deployment.json has: {names}", "Name one of them, or add it"))
    for name, trigger in config.http_triggers.items():
        if trigger.route is not None and trigger.route not in settings.routes:
            names = ", ".join(settings.routes) or "none"
            what = f'there is no route profile "{trigger.route}"'
            loc: Loc = ("http_triggers", name, "route")
            errors.append(at.error(loc, what, f"deployment.json has: {names}", "Name one of them, or add it"))
    for key in ("http_triggers", "timers", "queues", "watches"):
        for name in getattr(config, key):
            if len(object_name(config.name, name)) > 63:
                what = f'the trigger would be called "{object_name(config.name, name)}"'
                why = "Kubernetes names have at most 63 characters, and ours are function-trigger"
                errors.append(at.error((key, name), what, why, "Shorten one of the two", of_key=True))
    for key, values in (("secrets", config.secrets), ("configmaps", config.configmaps)):
        for i, value in enumerate(values or []):
            if value in (values or [])[:i]:
                why = "Fission keys these lists by name"
                errors.append(at.error((key, i), f'"{value}" is listed twice', why, "Remove one of the two"))
    return errors
