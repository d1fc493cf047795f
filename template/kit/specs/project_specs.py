"""Everything that `kit specs` does before it writes: read, complete, check, generate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kit.specs.archive import collect, package_name
from kit.specs.deployment import Deployment, load_deployment
from kit.specs.docstring import read_functions
from kit.specs.errors import SpecErrors
from kit.specs.generate import SpecFile, generate
from kit.specs.resolve import Resolved, resolve


@dataclass(frozen=True)
class Loaded:
    """A project for one stage, read without a mistake."""

    deployment: Deployment
    functions: list[Resolved]


def load(root: Path, stage: str | None = None) -> Loaded:
    """Read settings and functions.

    Raises:
        SpecErrors: all problems in them.
    """
    deployment = load_deployment(root, stage)
    folders = []
    for i, name in enumerate(deployment.settings.package.folders):
        if not (root / name).is_dir():
            loc = ("package", "folders", i)
            what, why = f'"{ascii(name)[1:-1]}" is not a folder of the project', "Functions are looked for there"
            raise SpecErrors([deployment.error(loc, what, why, "Correct the name, or create the folder")])
        folders.append(root / name)
    return Loaded(deployment, resolve(read_functions(*folders), deployment))


def spec_files(loaded: Loaded, uid: str) -> list[SpecFile]:
    """Return the files of specs/.

    Raises:
        SpecErrors: an object would be refused by Fission, or the package cannot be made.
    """
    entries = collect(loaded.deployment)
    return generate(loaded.deployment, loaded.functions, package_name(loaded.deployment, entries), uid)
