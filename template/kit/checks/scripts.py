"""Commands in Makefile, shell scripts and workflows, and spec files that others wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kit.checks.registry import Example, rule
from kit.checks.subject import Subject
from kit.specs.errors import SpecError
from kit.specs.files import MARKER
from kit.specs.sources import read_text

_FISSION = re.compile(r"\bfission\s+(?:--\S+\s+)*spec\s+(?P<command>\w+)(?P<options>[^\n;|&#]*)")
_BLANK = re.compile(r"^\s*#")


def _make(command: str) -> Example:
    return Example("deploy.sh", f"#!/bin/sh\n{command}\n")


def _commands(subject: Subject, name: str) -> Iterator[tuple[SpecError, str]]:
    """Yield the options of every `fission spec <name>` with a finding at its place."""
    for path, lines in subject.scripts:
        for number, line in enumerate(lines, 1):
            for match in () if _BLANK.match(line) else _FISSION.finditer(_joined(lines, number)):
                if match["command"] == name and match.start() < len(line):
                    yield SpecError(path, number, match.start() + 1, "", "", ""), match["options"]


def _joined(lines: list[str], number: int) -> str:
    """Return a line with those that a backslash joins to it."""
    text = lines[number - 1]
    while text.endswith("\\") and number < len(lines):
        text = text[:-1] + lines[number].lstrip()
        number += 1
    return text


def _at(place: SpecError, what: str, why: str, fix: str) -> SpecError:
    return SpecError(place.path, place.line, place.column, what, why, fix)


@rule(
    "FK095",
    "A deployment that deletes other projects",
    "error",
    """With `--delete` and `--allowconflicts` together, `fission spec apply` takes every Fission object of the cluster
    for its own and deletes all that are not in these specs. Never combine them.""",
    pitfalls=("9",),
    bad=_make("fission spec apply --delete --allowconflicts --wait"),
    good=_make("fission spec apply --delete --wait"),
)
def deletes_everything(subject: Subject) -> Iterator[SpecError]:
    """Find the two options together."""
    for place, options in _commands(subject, "apply"):
        if "--delete" in options and "--allowconflicts" in options:
            why = "Together they delete the Fission objects of everybody"
            yield _at(place, "--delete stands with --allowconflicts", why, "Remove --allowconflicts")


@rule(
    "FK096",
    "Destroying by name",
    "warning",
    """`fission spec destroy` without `--force` deletes whatever has the names in the spec files, also if another
    project made it. With `--force` it deletes the objects that carry this project's uid.""",
    bad=_make("fission spec destroy"),
    good=_make("fission spec destroy --force"),
)
def destroys_by_name(subject: Subject) -> Iterator[SpecError]:
    """Find destroy without --force."""
    for place, options in _commands(subject, "destroy"):
        if "--force" not in options:
            why = "It deletes by name, without looking at the owner"
            yield _at(place, "objects of others may be deleted", why, "Add --force, which goes by our uid")


@rule(
    "FK097",
    "Validation that needs a cluster",
    "warning",
    """`fission spec validate` asks the cluster for conflicts and fails without one; what it finds in files,
    `python -m kit specs --check` finds offline. Use that in jobs that have no cluster.""",
    pitfalls=("35",),
    bad=_make("fission spec validate"),
    good=_make("python -m kit specs --env dev --check"),
)
def validates_online(subject: Subject) -> Iterator[SpecError]:
    """Find validate."""
    for place, _ in _commands(subject, "validate"):
        what, why = "this needs a cluster", "It lists objects there before it says anything"
        yield _at(place, what, why, "Use python -m kit specs --check")


@rule(
    "FK098",
    "A deployment that does not wait for the build",
    "warning",
    """`fission spec apply` returns before packages are built, and a failed build is not repeated. With `--wait` it
    waits, and fails if a build fails.""",
    pitfalls=("7",),
    bad=_make("fission spec apply --delete"),
    good=_make("fission spec apply --delete --wait"),
)
def no_wait(subject: Subject) -> Iterator[SpecError]:
    """Find apply without --wait."""
    for place, options in _commands(subject, "apply"):
        if "--wait" not in options and subject.settings.package.mode == "source":
            yield _at(place, "a failed build goes unnoticed", "The command returns before it ends", "Add --wait")


@rule(
    "FK099",
    "Archives made by the fission command",
    "warning",
    """The fission command puts the times of files into its archives, so every checkout uploads and builds again, and it
    ignores `exclude`. `python -m kit package` makes the same bytes from the same files; our specs name its archive.""",
    pitfalls=("8",),
    bad=Example("specs/own.yaml", "kind: ArchiveUploadSpec\nname: shop\ninclude: [src/*]\nexclude: [src/test_*]\n"),
    good=Example("specs/own.yaml", "kind: ArchiveUploadSpec\nname: shop\ninclude: [dist/shop.zip]\n"),
)
def own_archives(subject: Subject) -> Iterator[SpecError]:
    """Find hand-written ArchiveUploadSpecs that do not name a zip."""
    for path in sorted((subject.deployment.root / "specs").rglob("*.y*ml")):
        text = _foreign(path)
        match = re.search(r"^kind: *ArchiveUploadSpec", text, re.MULTILINE)
        if match and (".zip" not in text or re.search(r"^exclude:", text, re.MULTILINE)):
            line = text.count("\n", 0, match.start()) + 1
            what, why = "this archive differs on every computer", "The fission command stores times of files"
            yield SpecError(path, line, 1, what, why, "Make the archive with python -m kit package")


@rule(
    "FK100",
    "Namespaces changed at the last moment",
    "warning",
    """`--force-namespace` and `--namespace` set the namespace of objects, but references inside them may keep the old
    one, and Fission refuses references across namespaces. Write a specs folder per stage:
    `python -m kit specs --env test`.""",
    pitfalls=("39",),
    bad=_make("fission spec apply --wait --force-namespace --namespace=test"),
    good=_make("fission spec apply --wait"),
)
def forced_namespace(subject: Subject) -> Iterator[SpecError]:
    """Find apply with another namespace."""
    for place, options in _commands(subject, "apply"):
        if "--force-namespace" in options:
            why = "References inside objects may keep the old one"
            yield _at(place, "the namespace is replaced", why, "Generate the specs of the stage with --env")


def _foreign(path: Path) -> str:
    text = read_text(path)[0] or ""
    return "" if text.startswith(MARKER) else text
