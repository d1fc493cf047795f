"""Recorded contracts of commands that need a cluster: which sub-commands and options they have.

Recorded from the command sources of Fission 1.27.0 and Kubernetes 1.34; only what pages use is listed.
"""

from __future__ import annotations

import re

# command words -> options; a value of True means that the option takes an argument
CONTRACTS: dict[str, dict[str, bool]] = {
    "fission spec apply": {
        "--wait": False,
        "--watch": False,
        "--delete": False,
        "--specdir": True,
        "--specignore": True,
        "--validation": True,
        "--commitlabel": False,
        "--dry-run": False,
        "--namespace": True,
    },
    "fission spec validate": {"--specdir": True, "--specignore": True, "--namespace": True},
    "fission spec list": {"--deployid": True, "--namespace": True},
    "fission spec destroy": {"--specdir": True, "--force": False, "--namespace": True},
    "fission function test": {
        "--name": True,
        "--subpath": True,
        "-H": True,
        "-q": True,
        "-b": True,
        "-t": True,
        "--method": True,
        "--namespace": True,
    },
    "fission function logs": {"--name": True, "--request-id": True, "-f": False, "--dbtype": True, "--namespace": True},
    "fission function describe": {"--name": True, "--namespace": True},
    "fission package info": {"--name": True, "--namespace": True},
    "fission package list": {"--namespace": True},
    "fission package rebuild": {"--name": True, "--namespace": True},
    "fission version": {},
    "kubectl apply": {"-f": True, "--filename": True, "-n": True, "--namespace": True, "--dry-run": True},
    "kubectl get": {"-n": True, "--namespace": True, "-o": True, "-w": False, "-l": True},
    "kubectl create": {"-f": True, "--filename": True, "-n": True, "--namespace": True, "-o": True, "--dry-run": True},
    "kubectl create secret docker-registry": {
        "-n": True,
        "--namespace": True,
        "--docker-server": True,
        "--docker-username": True,
        "--docker-password": True,
    },
    "kubectl create secret generic": {
        "-n": True,
        "--namespace": True,
        "--from-file": True,
        "--from-env-file": True,
        "--from-literal": True,
        "--dry-run": True,
        "-o": True,
    },
    "kubectl create configmap": {
        "-n": True,
        "--namespace": True,
        "--from-env-file": True,
        "--from-literal": True,
        "--dry-run": True,
        "-o": True,
    },
    "kubectl port-forward": {"-n": True, "--namespace": True, "--address": True},
    "docker build": {"-f": True, "-t": True},
    "kubectl logs": {"-n": True, "--namespace": True, "-f": False, "-l": True},
}


class ContractError(ValueError):
    """A command line that the recorded command would refuse."""


def check(words: list[str]) -> None:
    """Check one command line, split into words.

    Raises:
        ContractError: Unknown command or option, a missing argument, or a placeholder left in.
    """
    known = [c for c in CONTRACTS if words[: len(c.split())] == c.split()]
    if not known:
        raise ContractError(f"no contract is recorded for {' '.join(words[:3])!r}; record it in tools/contracts.py")
    command = max(known, key=len)
    options = CONTRACTS[command]
    rest = iter(words[len(command.split()) :])
    for word in rest:
        if re.search(r"[<>]|\.\.\.", word):
            raise ContractError(f"{word!r} looks like a placeholder; write a value that could be typed")
        name, joined, _ = word.partition("=")
        if not word.startswith("-"):
            continue
        if name not in options:
            raise ContractError(f"{command} has no option {name}; it has {', '.join(sorted(options))}")
        if options[name] and not joined:
            value = next(rest, "-")
            if value.startswith("-") or re.search(r"[<>]", value):
                raise ContractError(f"{command} {name} needs a value, and {value!r} is none")
