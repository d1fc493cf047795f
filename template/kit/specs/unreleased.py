"""Keys that authors try because they read about them, and why they cannot be written."""

from __future__ import annotations

from typing import NamedTuple


class ExplainedKey(NamedTuple):
    """Why a key is refused, as the three parts of an error, and the check that it belongs to."""

    rule: str
    what: str
    why: str
    fix: str


def _unreleased(key: str, instead: str) -> ExplainedKey:
    why = "It exists only in an unreleased Fission; version 1.27 drops it without an error"
    return ExplainedKey("FK090", f'the key "{key}" is too new', why, instead)


EXPLAINED_KEYS: dict[str, ExplainedKey] = {
    key: _unreleased(key, instead)
    for key, instead in {
        "env": "Use a ConfigMap with get_config(), or runtime_envs of the environment",
        "env_from": "Use secrets and configmaps, which arrive as files",
        "mount_path": "Read the file through get_secret() or get_config()",
        "invocation": "Use a queue, or a table of jobs and a timer",
        "invocation_mode": "Use a queue, or a table of jobs and a timer",
        "provisioned_concurrency": "Use a newdeploy profile with min_scale",
        "state": "Keep state in the database",
        "versioning": "Put the version into the function's name or use one namespace per stage",
        "alias": "Refer to functions by name",
        "version": "Refer to functions by name",
    }.items()
} | {
    "label_selector": ExplainedKey(
        "FK086",
        "a watch cannot select by label",
        "Fission 1.27 refuses every trigger with a label selector, and its watcher ignores labels",
        "Remove it and test the labels in the function",
    ),
}
EXPLAINED_KEYS["labelselector"] = EXPLAINED_KEYS["label_selector"]
