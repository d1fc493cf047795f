"""deployment.json and the overlay of a stage, read as one, with the place of every value in the right file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.specs.errors import SpecError, SpecErrors
from kit.specs.json_reader import Loc
from kit.specs.places import in_text
from kit.specs.settings import Settings
from kit.specs.sources import read_text
from kit.specs.validate import Located, read_located, validate

FOLDER = ".fission"
BASE = "deployment.json"


@dataclass(frozen=True)
class Deployment:
    """The settings of one stage; `files` are the base and the overlay, if there is one."""

    root: Path
    stage: str | None
    settings: Settings
    files: tuple[Located, ...]

    def error(self, loc: Loc, what: str, why: str, fix: str, *, rule: str = "", of_key: bool = False) -> SpecError:
        """Return the problem with the setting at `loc`, placed in the file that has the last word on it."""
        return _file_of(self.files, loc).error(loc, what, why, fix, rule=rule, of_key=of_key)

    def with_package(self, **changes: str) -> Deployment:
        """Return a copy with other settings of the package."""
        package = self.settings.package.model_copy(update=changes)
        return replace(self, settings=self.settings.model_copy(update={"package": package}))


def load_deployment(root: Path, stage: str | None = None) -> Deployment:
    """Read `.fission/deployment.json` of a project and lay `.fission/<stage>-deployment.json` over it.

    An object of the overlay is merged key by key, null removes a key, everything else replaces what was there.

    Raises:
        KitError: there is no such file.
        SpecErrors: the files are wrong; all problems are in it.
    """
    base = root / FOLDER / BASE
    if not base.exists():
        raise KitError(f"{base} is missing; run the command inside a project, or create the file.")
    paths = [base] if stage is None else [base, _overlay(root, stage)]
    files: list[Located] = []
    errors: list[SpecError] = []
    for path in paths:
        text, problems = read_text(path)
        errors += problems
        if text is None:
            continue
        located, problems = read_located(text, path, in_text(text))
        errors += problems
        if located is not None:
            files.append(located)
    if errors:
        raise SpecErrors(errors)
    merged: Any = None
    for located in files:
        merged = _merge(merged, located.document.value)
    settings, errors = validate(Settings, merged, lambda loc: _file_of(tuple(files), loc))
    if settings is None:
        raise SpecErrors(errors)
    deployment = Deployment(root, stage, settings, tuple(files))
    if errors := _dangling(deployment):
        raise SpecErrors(errors)
    return deployment


def stages(root: Path) -> list[str]:
    """Return the stages that have an overlay, in alphabetical order."""
    suffix = f"-{BASE}"
    return sorted(path.name.removesuffix(suffix) for path in (root / FOLDER).glob(f"*{suffix}"))


def _overlay(root: Path, stage: str) -> Path:
    known = stages(root)
    if stage not in known:
        names = ", ".join(known) or "none"
        raise KitError(
            f'There is no stage "{ascii(stage)[1:-1]}"; {FOLDER}/ has overlays for: {names}. '
            f"Name one of them, or create {FOLDER}/<stage>-{BASE}."
        )
    return root / FOLDER / f"{stage}-{BASE}"


def _merge(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = {key: value for key, value in below.items() if above.get(key, ...) is not None}
    for key, value in above.items():
        if value is not None:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _file_of(files: tuple[Located, ...], loc: Loc) -> Located:
    for located in reversed(files):
        if loc in located.document.values:
            return located
    return _file_of(files, loc[:-1]) if loc else files[0]


def _dangling(deployment: Deployment) -> list[SpecError]:
    """Return the references to profiles that do not exist."""
    settings, errors = deployment.settings, []
    defaults = settings.function_defaults
    if defaults.executor not in settings.executors:
        names = ", ".join(settings.executors)
        what = f'there is no executor profile "{defaults.executor}"'
        loc: Loc = ("function_defaults", "executor")
        errors.append(deployment.error(loc, what, f"The profiles are: {names}", "Name one, or add it to executors"))
    if defaults.route is not None and defaults.route not in settings.routes:
        names = ", ".join(settings.routes) or "none"
        what = f'there is no route profile "{defaults.route}"'
        loc = ("function_defaults", "route")
        errors.append(deployment.error(loc, what, f"The profiles are: {names}", "Name one, or add it to routes"))
    return errors
