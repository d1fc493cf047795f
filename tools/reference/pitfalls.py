"""Which checks know a pitfall of Fission, by the pitfall's number."""

from __future__ import annotations

from kit.checks.registry import BUILT_IN, rules


def caught_by(number: str) -> str:
    """Return links to the checks for a pitfall, or why none is needed.

    Raises:
        LookupError: Nothing in the kit knows the pitfall.
    """
    found = [rule.id for rule in rules().values() if number in rule.pitfalls]
    if found:
        return ", ".join(f"[{name}](../checks.md#{name.lower()})" for name in found)
    if number in BUILT_IN:
        return f"no check: {BUILT_IN[number]}"
    raise LookupError(f"pitfall {number}: neither a rule nor a reason in kit/checks/registry.py")
