"""Recorded contracts of commands that need a cluster: which sub-commands, options and words they take.

Recorded from the command sources of Fission 1.27.0 and Kubernetes 1.34; only what pages use is listed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

_NAMESPACE = {"-n": True, "--namespace": True}
_NAME = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
_KIND = r"(pods?|jobs?|secrets?|configmaps?|services?|deployments?|namespaces?|events?|[a-z]+(\.[a-z]+)+)"


@dataclass(frozen=True)
class Contract:
    """What follows a command.

    Attributes:
        options: With True for those that take a value.
        words: Pattern of the words that are neither options nor their values, joined by blanks.
        needs: Groups of options of which one must be there.
    """

    options: dict[str, bool] = field(default_factory=dict)
    words: str = ""
    needs: tuple[tuple[str, ...], ...] = ()


CONTRACTS: dict[str, Contract] = {
    "fission spec apply": Contract(
        {
            "--wait": False,
            "--watch": False,
            "--delete": False,
            "--specdir": True,
            "--specignore": True,
            "--validation": True,
            "--commitlabel": False,
            "--dry-run": False,
            "--namespace": True,
        }
    ),
    "fission spec validate": Contract({"--specdir": True, "--specignore": True, "--namespace": True}),
    "fission spec list": Contract({"--deployid": True, "--namespace": True}),
    "fission spec destroy": Contract({"--specdir": True, "--force": False, "--namespace": True}),
    "fission function test": Contract(
        {
            "--name": True,
            "--subpath": True,
            "-H": True,
            "-q": True,
            "-b": True,
            "-t": True,
            "--method": True,
            "--namespace": True,
        },
        needs=(("--name",),),
    ),
    "fission function logs": Contract(
        {"--name": True, "--request-id": True, "-f": False, "--dbtype": True, "--namespace": True},
        needs=(("--name",),),
    ),
    "fission function describe": Contract({"--name": True, "--namespace": True}, needs=(("--name",),)),
    "fission package info": Contract({"--name": True, "--namespace": True}, needs=(("--name",),)),
    "fission package list": Contract({"--namespace": True}),
    "fission package rebuild": Contract({"--name": True, "--namespace": True}, needs=(("--name",),)),
    "fission version": Contract(),
    "kubectl apply": Contract(
        {"-f": True, "--filename": True, "--dry-run": True} | _NAMESPACE, needs=(("-f", "--filename"),)
    ),
    "kubectl get": Contract({"-o": True, "-w": False, "-l": True} | _NAMESPACE, words=rf"{_KIND}([ /]{_NAME})?"),
    "kubectl create": Contract(
        {"-f": True, "--filename": True, "-o": True, "--dry-run": True} | _NAMESPACE, needs=(("-f", "--filename"),)
    ),
    "kubectl create namespace": Contract({"-o": True, "--dry-run": True}, words=_NAME),
    "kubectl create secret docker-registry": Contract(
        {"--docker-server": True, "--docker-username": True, "--docker-password": True} | _NAMESPACE,
        words=_NAME,
        needs=(("--docker-username",), ("--docker-password",)),
    ),
    "kubectl create secret generic": Contract(
        {"--from-file": True, "--from-env-file": True, "--from-literal": True, "--dry-run": True, "-o": True}
        | _NAMESPACE,
        words=_NAME,
    ),
    "kubectl create configmap": Contract(
        {"--from-env-file": True, "--from-literal": True, "--dry-run": True, "-o": True} | _NAMESPACE, words=_NAME
    ),
    "kubectl port-forward": Contract({"--address": True} | _NAMESPACE, words=rf"({_KIND}/)?{_NAME}( \d+(:\d+)?)+"),
    "kubectl logs": Contract({"-f": False, "-l": True} | _NAMESPACE, words=rf"(({_KIND}/)?{_NAME})?"),
    "docker build": Contract({"-f": True, "-t": True}, words=r"\S+"),
    "docker push": Contract(words=r"[\w./:-]+"),
}


class ContractError(ValueError):
    """A command line that the recorded command would refuse."""


def words_of(line: str) -> list[str]:
    """Split a line as the shell does, if it holds one command and nothing that the shell would work out.

    Raises:
        ContractError: There are more commands, or a quote is open.
    """
    reader = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars=";&|\n")
    reader.whitespace_split = True
    reader.whitespace = " \t\r"
    try:
        found = list(reader)
    except ValueError as error:
        raise ContractError(str(error)) from None
    if wrong := next((word for word in found if re.search(r"^[;&|\n]+$|`|\$\(", word)), None):
        raise ContractError(f"{wrong!r} joins commands, and only one is looked at; give each a line of its own")
    return found


def check(words: list[str]) -> None:
    """Check one command line, split into words.

    Raises:
        ContractError: Unknown command, word or option, a missing or a needless value, a missing option, or a
            placeholder left in.
    """
    known = [c for c in CONTRACTS if words[: len(c.split())] == c.split()]
    if not known:
        raise ContractError(f"no contract is recorded for {' '.join(words[:3])!r}; record it in tools/contracts.py")
    command = max(known, key=len)
    contract = CONTRACTS[command]
    given, others = set[str](), list[str]()
    rest = iter(words[len(command.split()) :])
    for word in rest:
        if re.search(r"[<>]|\.\.\.", word):
            raise ContractError(f"{word!r} looks like a placeholder; write a value that could be typed")
        name, joined, value = word.partition("=")
        if not word.startswith("-"):
            others.append(word)
            continue
        if name not in contract.options:
            raise ContractError(f"{command} has no option {name}; it has {', '.join(sorted(contract.options))}")
        if joined and not contract.options[name]:
            raise ContractError(f"{command} {name} takes no value")
        if contract.options[name]:
            value = value if joined else next(rest, "")
            if not value or value.startswith("-") or re.search(r"[<>]", value):
                raise ContractError(f"{command} {name} needs a value, and {value!r} is none")
        given.add(name)
    if not re.fullmatch(contract.words, " ".join(others)):
        raise ContractError(f"{command} does not take {' '.join(others) or 'no further word'!r}")
    for group in contract.needs:
        if not given & set(group):
            raise ContractError(f"{command} needs {' or '.join(group)}")
