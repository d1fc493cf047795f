"""All rules: what they are called, how bad it is, why, and one example each way that the tests run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kit.checks.subject import Subject
    from kit.specs.errors import SpecError
    from kit.specs.project_specs import Loaded

Severity = Literal["error", "warning"]
Find = Callable[["Subject"], "Iterable[SpecError]"]

_THEMES = (
    "routes",
    "cors",
    "executors",
    "images",
    "archive",
    "build",
    "handlers",
    "code",
    "triggers",
    "settings",
    "scripts",
)

BUILT_IN = {
    "2a": "path_param() in src/ repairs the text; nothing in a function's code shows the mistake",
    "6": "package names carry a hash of their content, so every change is a new package",
    "17": "it is how Fission works: pods are replaced when a Secret changes",
    "33": "every key is checked, and all YAML is generated",
    "34": "the router retries by itself",
}
"""Pitfalls of FACTS section 12 without a rule, and why they need none."""


@dataclass(frozen=True)
class Example:
    """A piece of a project; `file` is its path, or "block" for the JSON of a Fission block."""

    file: str
    text: str

    @property
    def language(self) -> str:
        """The name of the language for a code fence."""
        name = PurePosixPath(self.file).name
        known = {"block": "json", "Makefile": "make", "requirements.txt": "text"}
        suffixes = {".py": "python", ".json": "json", ".sh": "sh", ".yaml": "yaml", ".yml": "yaml"}
        return known.get(name) or suffixes.get(PurePosixPath(name).suffix, "text")


@dataclass(frozen=True)
class Rule:
    """One pitfall that can be seen in the source."""

    id: str
    title: str
    severity: Severity
    explanation: str
    pitfalls: tuple[str, ...]
    bad: Example
    good: Example
    find: Find

    @property
    def anchor(self) -> str:
        """Where the guide explains the rule."""
        return f"checks/#{self.id.lower()}"


_RULES: dict[str, Rule] = {}


def rule(
    id: str,  # noqa: A002  # it is an id
    title: str,
    severity: Severity,
    explanation: str,
    *,
    bad: Example,
    good: Example,
    pitfalls: tuple[str, ...] = (),
) -> Callable[[Find], Find]:
    """Register the decorated function as the search for a pitfall; it need not fill in its own id."""

    def register(find: Find) -> Find:
        if id in _RULES:
            raise ValueError(f"{id} is registered twice")
        _RULES[id] = Rule(id, title, severity, " ".join(explanation.split()), pitfalls, bad, good, find)
        return find

    return register


def block(text: str) -> Example:
    """Return an example that is the JSON of a Fission block."""
    return Example("block", text)


def settings(text: str) -> Example:
    """Return an example that is laid over deployment.json."""
    return Example(".fission/deployment.json", text)


def rules() -> dict[str, Rule]:
    """Return all rules by their ids, in order."""
    for theme in _THEMES:
        import_module(f"kit.checks.{theme}")
    return dict(sorted(_RULES.items()))


def findings(loaded: Loaded) -> list[SpecError]:
    """Return what the rules find in a project, by file and line, without those that it ignores."""
    from kit.checks.subject import Subject

    subject = Subject(loaded)
    return sorted(set(_findings(subject, rules().values())))


def errors_of(loaded: Loaded) -> list[SpecError]:
    """Return the findings that would not work in the cluster."""
    known = rules()
    return [finding for finding in findings(loaded) if known[finding.rule].severity == "error"]


def _findings(subject: Subject, chosen: Iterable[Rule]) -> Iterator[SpecError]:
    ignored = subject.settings.ignore_checks
    for one in chosen:
        if one.id not in ignored:
            yield from (replace(finding, rule=one.id) for finding in one.find(subject))
