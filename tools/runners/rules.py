"""Examples of the checks: the bad one must be found by its rule, the good one must not."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from kit.checks.registry import Example, findings, rules
from kit.specs.errors import SpecErrors
from kit.specs.project_specs import load

from tools.archive import TEMPLATE
from tools.expand import Block
from tools.ledger import Proof, Unproved

if TYPE_CHECKING:
    from tools.workbench import Workbench

OPTIONS = {"rule", "example"}
_FUNCTION = '''def main():
    """Do it.

    ```fission
{block}
    ```
    """
    return {{"ok": True}}
'''


def example(block: Block, bench: Workbench) -> Proof:
    """Put the text of the block into a project and run `kit check` on it."""
    rule = rules().get(block.options["rule"])
    kind = block.options.get("example")
    if rule is None or kind not in ("bad", "good"):
        raise Unproved(block, f"there is no {kind} example of a rule {block.options['rule']}")
    shown = rule.bad if kind == "bad" else rule.good
    if textwrap.dedent(shown.text).strip("\n") != block.source:  # dedent() empties lines of blanks, as pages do
        raise Unproved(block, f"this is not the {kind} example of {rule.id}; was it changed in the page?")
    hits = found(shown, bench.folder / f"{rule.id}-{kind}")
    if (kind == "bad") != (rule.id in hits):
        raise Unproved(block, f"{rule.id} {'does not find' if kind == 'bad' else 'finds'} its {kind} example")
    return Proof("executed", f"kit check: {rule.id} {'finds it' if kind == 'bad' else 'does not find it'}")


def found(shown: Example, root: Path) -> set[str]:
    """Return the ids of the rules that find something in a project that consists of an example."""
    place(shown, root)
    try:
        return {finding.rule for finding in findings(load(root))}
    except SpecErrors as errors:
        return {error.rule for error in errors.errors}


def place(shown: Example, root: Path) -> None:
    """Make a project that consists of an example, with a function if it brings none."""
    (root / ".fission").mkdir(parents=True)
    (root / "src").mkdir()
    shutil.copy(TEMPLATE / ".fission/deployment.json", root / ".fission")
    shutil.copy(TEMPLATE / "src/build.sh", root / "src")
    for name in ("exceptions.py", "helpers.py"):  # what examples import
        (root / "src" / name).write_text("class NotFoundError(Exception): ...\ndef get_secret(key): ...\n", "utf-8")
    (root / "src/requirements.txt").write_text("boto3==1.44.5\npydantic==2.14.3\n", "utf-8")
    in_block = shown.file == "block"
    text = shown.text if in_block else '{"name": "your-service-handler"}'
    body = "\n".join(f"    {row}" if row else "" for row in text.split("\n"))
    (root / "src/handler.py").write_text(_FUNCTION.format(block=body), "utf-8")
    if shown.file == ".fission/deployment.json":
        settings = root / shown.file
        merged = _merged(json.loads(settings.read_text("utf-8")), json.loads(shown.text))
        settings.write_text(json.dumps(merged, indent=2), "utf-8")
    elif not in_block:
        (root / shown.file).parent.mkdir(exist_ok=True)
        (root / shown.file).write_text(shown.text, "utf-8")


def _merged(below: object, above: object) -> object:
    """Lay one JSON value over another, as overlays are; null takes a key away."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    both = {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
    return {key: value for key, value in both.items() if value is not None}
