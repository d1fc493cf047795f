"""The build in the cluster, whose failures show late."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kit.checks.registry import Example, rule, settings
from kit.checks.subject import Subject
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc
from kit.specs.sources import read_text

_SHELL = re.compile(r"[;|&`$()<>\n]")


@rule(
    "FK045",
    "A build script that the builder cannot run",
    "error",
    """The builder runs the script without a shell, on Alpine, where bash does not exist: it needs a first line
    `#!/bin/sh` with a Unix line end. It has to join stderr to stdout with `exec 2>&1`, because the builder reads
    stderr last and hangs when 64 KiB wait there.""",
    pitfalls=("7",),
    bad=Example("src/build.sh", "#!/bin/bash\npip3 install -r $SRC_PKG/requirements.txt -t $DEPLOY_PKG\n"),
    good=Example("src/build.sh", '#!/bin/sh\nexec 2>&1\nset -eu\ncp -R "$SRC_PKG" "$DEPLOY_PKG"\n'),
)
def build_script(subject: Subject) -> Iterator[SpecError]:
    """Find build scripts that break the builder's contract."""
    package = subject.settings.package
    if package.mode != "source" or not package.buildcmd.startswith("./"):
        return
    name = package.buildcmd.split()[0].removeprefix("./")
    path = subject.folders[0] / name
    if not path.is_file():
        loc: Loc = ("package", "buildcmd")
        what = f"{name} is not at the root of the archive"
        yield subject.deployment.error(loc, what, "The build would fail", f"Create {subject.folders[0].name}/{name}")
        return
    text, errors = read_text(path)
    yield from errors
    lines = (text or "").split("\n")
    if b"\r\n" in path.read_bytes():
        why = "Alpine finds no interpreter of that name"
        yield SpecError(path, 1, 1, "the lines end as on Windows", why, "Save with Unix line ends")
    if lines[0].strip() not in ("#!/bin/sh", "#!/usr/bin/env sh", "#!/usr/bin/env python3"):
        why = "The builder has no other shell"
        yield SpecError(path, 1, 1, "the first line is not #!/bin/sh", why, "Write #!/bin/sh")
    elif "sh" in lines[0] and not any(re.match(r"\s*exec 2>&1\b", line) for line in lines):
        why = "The builder hangs when 64 KiB wait on stderr"
        yield SpecError(path, 1, 1, "stderr is not joined to stdout", why, "Add a line exec 2>&1 at the top")


@rule(
    "FK046",
    "A build command with shell syntax",
    "error",
    """Fission splits the build command at blanks and runs it directly. It refuses commands that contain one of
    ``; | & ` $ ( ) < >`` or a line break. Put the steps into build.sh.""",
    pitfalls=("7",),
    bad=settings('{"package": {"buildcmd": "./build.sh && ls"}}'),
    good=settings('{"package": {"buildcmd": "./build.sh"}}'),
)
def shell_syntax(subject: Subject) -> Iterator[SpecError]:
    """Find characters that the builder refuses."""
    commands: list[tuple[Loc, str]] = [
        (("package", "buildcmd"), subject.settings.package.buildcmd),
        (("environment", "build_command"), subject.settings.environment.build_command),
    ]
    for loc, command in commands:
        if found := _SHELL.search(command):
            what = f"the builder refuses {found.group()!a} in a command"
            yield subject.deployment.error(loc, what, "It runs commands without a shell", "Put the steps into build.sh")


@rule(
    "FK047",
    "Source packages without a builder",
    "error",
    """A source package waits for the builder of its environment. Without `builder_image` there is none, the package
    stays `pending`, and every function of it ends in 500. Name the builder, or use `"mode": "deployment"`.""",
    pitfalls=("7",),
    bad=settings('{"environment": {"builder_image": null}}'),
    good=settings('{"environment": {"builder_image": null}, "package": {"mode": "deployment"}}'),
)
def no_builder(subject: Subject) -> Iterator[SpecError]:
    """Find source mode without a builder."""
    if subject.settings.package.mode == "source" and subject.settings.environment.builder_image is None:
        loc: Loc = ("environment",)
        what, why = "there is no builder_image", "Source packages stay pending without it"
        yield subject.deployment.error(loc, what, why, "Name it, or set the package's mode to deployment")
