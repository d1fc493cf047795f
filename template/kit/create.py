"""Make a new project from this one: `create-project.sh`. Standard library only: nothing is installed yet.

The order of effects is fixed, because the download page makes the same bytes in the browser: copy and rename, with a
manifest of what the files are like then; set the namespace; set the executor; add examples.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from kit import adopt, changes, origin, signals
from kit.errors import KitError
from kit.rename import OWN, check_name, current_name, files, rename_bytes, rename_text, renaming

DEPLOYMENT = ".fission/deployment.json"
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
# Edited as text, so that order and line breaks stay as they are. The namespace of the first level is indented by two.
_NAMESPACE = re.compile(r'^(  "namespace": )"[^"\n]*"', re.MULTILINE)
_EXECUTOR = re.compile(r'^(  "function_defaults": \{[^{}]*"executor": )"[^"\n]*"', re.MULTILINE)


def create(
    template: Path,
    name: str,
    target: Path,
    *,
    examples: Sequence[str] = (),
    namespace: str | None = None,
    executor: str | None = None,
) -> str:
    """Copy a project under another name and return the name it had before.

    The copy is made beside the target and moved there when it is complete, so that nothing half-made is left.

    Args:
        template: the project to copy.
        name: of the new project.
        target: a folder that does not exist yet.
        examples: names of examples that the new project has in `src/`, `test/` and `migrates/`.
        namespace: what `.fission/deployment.json` says then; None leaves it as it is.
        executor: the profile of functions that name none; None leaves it as it is.

    Raises:
        KitError: a value is not allowed, the target exists or lies in the template, or a file cannot be copied.
    """
    old = current_name(template)
    check_name(name, template / "kit" / "python-env-1.35.0.txt")
    if os.path.lexists(target):
        raise KitError(f"{target} already exists; choose another folder or remove it")
    parent = target.absolute().parent
    if not parent.is_dir():
        raise KitError(f"{parent} does not exist; create it first")
    parent = parent.resolve()
    if parent.is_relative_to(template.resolve()):
        raise KitError(f"{target} lies inside the template; choose a folder outside of {template}")
    draft = None
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=parent))
        for path in files(template):
            if path.relative_to(template).as_posix() in OWN:
                continue
            _copy(path, draft / rename_text(path.relative_to(template).as_posix(), old, name), old, name)
        if text := origin.carried_over(template, *renaming(old, name)):
            (draft / origin.FILE).write_text(text, encoding="utf-8")
        deployment = draft / DEPLOYMENT
        deployment.write_bytes(configured(deployment.read_bytes(), namespace, executor))
        if examples:
            changes.write(draft, adopt.adopt(changes.read(draft, *adopt.PLACES), examples))
        shutil.copymode(template, draft)
        draft.rename(parent / target.name)
    except OSError as error:
        raise KitError(f"{target} cannot be created: {error.strerror}: {error.filename}") from error
    finally:
        if draft:
            shutil.rmtree(draft, ignore_errors=True)  # after the move there is nothing left to remove
    return old


def configured(deployment: bytes, namespace: str | None, executor: str | None) -> bytes:
    """Return the content of `.fission/deployment.json` with another namespace and another default executor.

    Raises:
        KitError: the namespace is no DNS label, there is no such profile, or the text has no place for a value.
    """
    text = deployment.decode("utf-8")
    if namespace is not None:
        if not _LABEL.fullmatch(namespace):
            raise KitError(
                f"{namespace!r} is no valid namespace: use at most 63 lower-case letters, digits and inner hyphens"
            )
        text = _put(text, _NAMESPACE, namespace, ("namespace",))
    if executor is not None:
        profiles = json.loads(text).get("executors", {})
        if executor not in profiles:
            raise KitError(f"there is no executor {executor!r} in {DEPLOYMENT}; there are: {', '.join(profiles)}")
        text = _put(text, _EXECUTOR, executor, ("function_defaults", "executor"))
    return text.encode("utf-8")


def main() -> None:
    """Run `create-project.sh`: the first argument is the template, the others are the user's."""
    template, given = Path(sys.argv[1]), _parser().parse_args(sys.argv[2:])
    examples = adopt.in_order(name.strip() for names in given.add for name in names.split(","))
    options = {"examples": examples, "namespace": given.namespace, "executor": given.executor}
    try:
        with signals.as_interrupts():
            create(template, given.name, given.target, **options)
    except KitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was created\n")
        sys.exit(130)
    added = f", with {', '.join(examples)} in src/" if examples else ""
    folder = shlex.quote(str(given.target))
    sys.stdout.write(f"Created {given.name} in {given.target}{added}. Next:\n\n")
    sys.stdout.write(f"  cd {folder}\n  make run\n  make test\n")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"error: {message}; ./create-project.sh --help shows what is possible\n")
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(add_help=False, allow_abbrev=False)  # the script itself shows the help
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("target", metavar="DIR", type=Path)
    parser.add_argument("--add", metavar="NAME[,NAME...]", action="append", default=[])
    parser.add_argument("--namespace", metavar="NS")
    parser.add_argument("--executor", metavar="PROFILE")
    return parser


def _put(text: str, place: re.Pattern[str], value: str, keys: tuple[str, ...]) -> str:
    """Put a value into the text, and read the text again to see that it is where it belongs."""
    changed = place.sub(lambda found: f'{found[1]}"{value}"', text, count=1)
    found: Any = json.loads(changed)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if found != value:
        raise KitError(f"{DEPLOYMENT} has no line for {'.'.join(keys)} that can be changed; change it afterwards")
    return changed


def _copy(path: Path, place: Path, old: str, new: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        place.symlink_to(rename_text(os.readlink(path), old, new))
        return
    place.write_bytes(rename_bytes(path.read_bytes(), old, new))
    shutil.copymode(path, place)


if __name__ == "__main__":
    main()
