"""Images of the environment and what is set in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kit.checks.registry import rule, settings
from kit.checks.subject import STOCK_IMAGE, Subject
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc

_STOCK_BUILDER = "ghcr.io/fission/python-builder"
_OLDEST = (1, 35, 0)
_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|_PASS|VAULT_KEY|DATABASE_URL)$")


def _version(image: str) -> tuple[int, ...] | None:
    match = re.search(r":(\d+)\.(\d+)\.(\d+)", image)
    return tuple(int(part) for part in match.groups()) if match else None


@rule(
    "FK030",
    "An old Python image",
    "error",
    """Images of Fission's Python environment before September 2024 answer 404 to every path but `/`, so prefix triggers
    never work. Images 1.34 have Python 3.11 and old packages. Everything here is made for 1.35.0 and newer.""",
    pitfalls=("28",),
    bad=settings('{"environment": {"image": "ghcr.io/fission/python-env:1.34.3"}}'),
    good=settings('{"environment": {"image": "ghcr.io/fission/python-env:1.35.0"}}'),
)
def old_image(subject: Subject) -> Iterator[SpecError]:
    """Find Fission's image in an old version."""
    image = subject.settings.environment.image
    if subject.stock_image and (_version(image) or _OLDEST) < _OLDEST:
        loc: Loc = ("environment", "image")
        why = "Older ones lack routes and packages that the template relies on"
        yield subject.deployment.error(loc, "the image is older than 1.35.0", why, f"Write {STOCK_IMAGE}:1.35.0")


@rule(
    "FK031",
    "An image that may change",
    "warning",
    """Without a tag, or with `latest`, each node runs the image that it happened to pull. A deployment then changes
    without anybody deploying, and nothing says which Python and packages ran. Name a version.""",
    bad=settings('{"environment": {"image": "ghcr.io/fission/python-env"}}'),
    good=settings('{"environment": {"image": "ghcr.io/fission/python-env:1.35.0"}}'),
)
def unpinned(subject: Subject) -> Iterator[SpecError]:
    """Find images without a version."""
    env = subject.settings.environment
    for key, image in (("image", env.image), ("builder_image", env.builder_image)):
        tag = "" if image is None else image.rpartition("/")[2].partition(":")[2]
        if image is not None and "@" not in image and tag in ("", "latest"):
            why = "Nodes run what they pulled at some time"
            yield subject.deployment.error(("environment", key), "the image has no version", why, "Add a tag")


@rule(
    "FK032",
    "gevent does not make code concurrent",
    "warning",
    """`WSGI_FRAMEWORK=GEVENT` replaces the server but patches nothing: requests, time.sleep and database drivers still
    block the whole worker. Its WebSockets need a call to the fetcher that internal authentication refuses. Prefer the
    default server and more pods.""",
    pitfalls=("31", "36"),
    bad=settings('{"environment": {"runtime_envs": {"WSGI_FRAMEWORK": "GEVENT"}}}'),
    good=settings('{"environment": {"runtime_envs": {"LOG_LEVEL": "INFO"}}}'),
)
def gevent(subject: Subject) -> Iterator[SpecError]:
    """Find the switch to gevent."""
    if subject.settings.environment.runtime_envs.get("WSGI_FRAMEWORK", "").upper() == "GEVENT":
        loc: Loc = ("environment", "runtime_envs", "WSGI_FRAMEWORK")
        what, why = "gevent blocks like the default server", "Fission's server patches nothing"
        yield subject.deployment.error(loc, what, why, "Remove it and let Fission start more pods")


@rule(
    "FK033",
    "Builder and runtime differ",
    "warning",
    """The builder installs dependencies for its own Python. If builder and runtime come from different versions, wheels
    may be for a Python that does not run them, which shows only when the function starts.""",
    bad=settings('{"environment": {"builder_image": "ghcr.io/fission/python-builder:1.34.3"}}'),
    good=settings('{"environment": {"builder_image": "ghcr.io/fission/python-builder:1.35.0"}}'),
)
def builder_differs(subject: Subject) -> Iterator[SpecError]:
    """Find Fission's own images in two versions."""
    env = subject.settings.environment
    builder = env.builder_image or ""
    if subject.stock_image and builder.startswith(_STOCK_BUILDER) and _version(builder) != _version(env.image):
        what, why = "builder and runtime have different versions", "Dependencies may not fit the runtime's Python"
        loc: Loc = ("environment", "builder_image")
        yield subject.deployment.error(loc, what, why, "Use the same tag for both")


@rule(
    "FK034",
    "A user who cannot read secrets",
    "error",
    """Files below /secrets and /configs have mode 0750 and belong to the fetcher. A runtime that does not run as root
    reads them only through its group: set `fs_group`, usually to the same number as `run_as_group`.""",
    pitfalls=("18",),
    bad=settings('{"environment": {"security_context": {"run_as_user": 10001, "run_as_group": 10001}}}'),
    good=settings(
        '{"environment": {"security_context": {"run_as_user": 10001, "run_as_group": 10001, "fs_group": 10001}}}'
    ),
)
def unreadable_secrets(subject: Subject) -> Iterator[SpecError]:
    """Find users without a group for volumes."""
    security = subject.settings.environment.security_context
    if security is not None and security.run_as_user != 0 and security.fs_group is None:
        what, why = "the function could not read /secrets", "The files have mode 0750"
        yield subject.deployment.error(("environment", "security_context"), what, why, 'Add "fs_group"')


@rule(
    "FK035",
    "A secret in the settings",
    "warning",
    """Variables of an environment are readable by everybody who may read the repository or the Environment object.
    Put passwords and keys into the Secret of the project; functions read them with `get_secret()`.""",
    pitfalls=("19",),
    bad=settings('{"environment": {"runtime_envs": {"PG_PASSWORD": "x"}}}'),
    good=settings('{"function_defaults": {"secrets": ["fission-your-service-env"]}}'),
)
def secret_variable(subject: Subject) -> Iterator[SpecError]:
    """Find variables whose names promise a secret."""
    env = subject.settings.environment
    for key, names in (("runtime_envs", env.runtime_envs), ("builder_envs", env.builder_envs)):
        for name in names:
            if _SECRET.search(name.upper()) and not name.startswith("FISSION_"):  # those name an object, and hold none
                what, why = f"{name} looks like a secret", "Everybody who reads the specs reads it"
                fix = "Put it into the Secret of the project"
                yield subject.deployment.error(("environment", key, name), what, why, fix, of_key=True)
