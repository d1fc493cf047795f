"""Every rule finds its bad example and nothing in its good one, and every known pitfall has a rule or a reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from kit.checks.registry import BUILT_IN, Rule, findings, rules
from kit.specs.errors import SpecError, SpecErrors
from kit.specs.project_specs import load

from tests.template.specs.sample import blank, module, sample
from tools.runners.rules import place

RULES = list(rules().values())
FACTS = Path(__file__).resolve().parents[4] / "shared" / "fission" / "FACTS.md"


def put_block(root: Path, text: str) -> None:
    (root / "src" / "handler.py").write_text(module(text))


def found(root: Path) -> list[SpecError]:
    try:
        return findings(load(root))
    except SpecErrors as errors:
        return list(errors.errors)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_finds_the_bad_example(rule: Rule, tmp_path):
    root = tmp_path / "p"
    place(rule.bad, root)
    hits = [finding for finding in found(root) if finding.rule == rule.id]
    assert hits, [str(other) for other in found(root)]
    for hit in hits:
        assert hit.path.is_relative_to(root)
        lines = hit.path.read_text().split("\n") if hit.path.is_file() else [""]
        assert 1 <= hit.line <= len(lines)
        assert 1 <= hit.column <= len(lines[hit.line - 1]) + 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_leaves_the_good_example_alone(rule: Rule, tmp_path):
    root = tmp_path / "p"
    place(rule.good, root)
    assert [str(finding) for finding in found(root) if finding.rule == rule.id] == []
    assert [str(finding) for finding in found(root) if not finding.rule or severity(finding) == "error"] == []


def severity(finding: SpecError) -> str:
    return rules()[finding.rule].severity


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_texts_are_complete(rule: Rule):
    assert re.fullmatch(r"FK\d{3}", rule.id)
    assert not rule.title.endswith(".")
    assert 2 <= len(re.findall(r"[.:](?= |$)", rule.explanation)) <= 5
    assert rule.bad != rule.good
    assert rule.bad.file == rule.good.file or rule.bad.language == rule.good.language
    assert rule.anchor == f"checks/#{rule.id.lower()}"


def test_titles_are_unique():
    assert len({rule.title for rule in RULES}) == len(RULES)


def test_every_pitfall_has_a_rule_or_a_reason():
    """The list of pitfalls is FACTS section 12; it ends at 40 and has a 2a."""
    known = {str(i) for i in range(1, 41)} | {"2a"}
    covered = {pitfall for rule in RULES for pitfall in rule.pitfalls}
    assert covered & BUILT_IN.keys() == set()
    assert covered | BUILT_IN.keys() == known


@pytest.mark.skipif(not FACTS.exists(), reason="the facts about Fission lie outside the repository")
def test_the_list_of_pitfalls_is_the_one_in_the_facts():
    section = FACTS.read_text().split("## 12. Pitfalls")[1].split("### 12.1")[0]
    assert len(re.findall(r"^\| \d+a? \|", section, re.MULTILINE)) == 41


def test_a_rule_can_be_ignored_with_a_reason(tmp_path):
    root = blank(tmp_path / "p", {"ignore_checks": {"FK080": "one project per namespace"}})
    put_block(root, '{"name": "orders"}')
    assert found(root) == []


def test_the_sample_has_no_findings(tmp_path):
    assert [str(finding) for finding in found(sample(tmp_path / "p", 30))] == []


def test_other_images_are_not_judged_by_fissions(tmp_path):
    image = {"environment": {"image": "registry.example.com/python:1", "builder_image": "registry.example.com/b:1"}}
    root = blank(tmp_path / "p", image)
    text = '{"name": "your-service-a", "http_triggers": {"a": {"url": "/a", "methods": ["PATCH"]}}}'
    put_block(root, text)
    assert found(root) == []


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("/a/{x}", "/a/me", True),
        ("/a/{x}", "/a/{y}/b", False),
        ("/a/{x:[0-9]+}", "/a/{y:[a-z]+}", False),
        ("/a/{x:[0-9]+}", "/a/{y}", True),
        ("/a/{x:.+}", "/a/b/c", True),
        ("/a/{x:.+}", "/b/c", False),
        ("/{x}/b", "/a/{y}", True),
        ("/a-{x}", "/a-b", True),
        ("/a/{x:(?:b|c){1,2}}", "/a/bc", True),
        ("/a/{x:[0-9]{4}-[0-9]{2}-[0-9]{2}}", "/a/{y}", True),
    ],
)
def test_overlaps(tmp_path, first, second, overlap):
    """Source: fission:pkg/router/routetable/precedence.go; exact templates have no order among themselves."""
    root = blank(tmp_path / "p")
    triggers = {"a": {"url": first, "methods": ["GET"]}, "b": {"url": second, "methods": ["GET", "POST"]}}
    put_block(root, json.dumps({"name": "your-service-a", "http_triggers": triggers}, indent=1))
    assert ("FK005" in {finding.rule for finding in found(root)}) is overlap


@pytest.mark.parametrize(
    "path",
    ["/a/{x", "/a/x}", "/a/{}", "/a/{x}/{x}", "/a/{x:(}", "/a/{x:}", r"/a/{x:(.)\1}", "/a/{x:a++}", "/{x:(?<=a)b}"],
)
def test_templates_that_cannot_be_read(tmp_path, path):
    root = blank(tmp_path / "p")
    block = json.dumps({"name": "your-service-a", "http_triggers": {"a": {"url": path, "methods": ["GET"]}}})
    put_block(root, block.replace("\\", "\\\\"))
    assert "FK003" in {finding.rule for finding in found(root)}


def test_functions_of_two_modules_may_not_share_a_route(tmp_path):
    root = blank(tmp_path / "p")
    for name, var in (("a", "x"), ("b", "y")):
        block = {
            "name": f"your-service-{name}",
            "http_triggers": {"t": {"url": f"/same/{{{var}}}", "methods": ["GET"]}},
        }
        (root / "src" / f"{name}.py").write_text(module(block))
    (finding,) = found(root)
    assert (finding.rule, finding.path.name) == ("FK004", "b.py")
    assert "taken by your-service-a-t" in finding.what


def test_a_requirement_that_is_not_installed_may_have_modules_in_a_namespace(tmp_path):
    root = blank(tmp_path / "p")
    (root / "src" / "requirements.txt").write_text("acme-cloud-storage==3.0\n")
    (root / "src" / "files.py").write_text("from acme.cloud import storage\nimport ac\n")
    (finding,) = found(root)
    assert (finding.rule, finding.line) == ("FK043", 2)


def test_the_code_of_a_container_is_elsewhere(tmp_path):
    root = blank(tmp_path / "p", {"executors": {"web": {"type": "container", "image": "registry.example.com/web:1"}}})
    block = {"name": "your-service-web", "executor": "web", "handler": "elsewhere"}
    (root / "src" / "web.py").write_text(module(block, "pass"))
    assert found(root) == []


def test_imports_in_try_and_for_type_checkers_may_be_missing(tmp_path):
    root = blank(tmp_path / "p")
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n"
    text = f"{typed}try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
    (root / "src" / "optional.py").write_text(text)
    (root / "src" / "broken.py").write_text("def f():\n    import yaml\n")
    (finding,) = found(root)
    assert (finding.rule, finding.path.name, finding.line) == ("FK043", "broken.py", 2)
