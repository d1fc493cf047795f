"""JSON, YAML, TOML, INI and .env blocks: parsed, and held against the model that they claim to follow."""

from __future__ import annotations

import configparser
import json
import tomllib
from typing import TYPE_CHECKING, Any

import yaml

from tools.expand import Block
from tools.ledger import Proof, Unproved

if TYPE_CHECKING:
    from tools.workbench import Workbench


def json_(block: Block, bench: Workbench) -> Proof:
    """A whole file must parse; a part, cut out by key, must parse as the members of an object."""
    _included(block)
    text = block.source
    part = not text.lstrip().startswith(("{", "["))
    try:
        json.loads(f"{{{text.rstrip(',')}}}" if part else text, object_pairs_hook=_once)
    except ValueError as error:
        raise Unproved(block, f"not JSON: {error}") from None
    if block.file and block.file.name.endswith("deployment.json"):
        stage = block.file.name.removesuffix("deployment.json").removesuffix("-")
        bench.run_kit(block, "check", *(["--env", stage] if stage else []))
        return Proof("executed", "kit check reads the project with it")
    return Proof("validated", "parses")


def yaml_(block: Block, bench: Workbench) -> Proof:
    """Every document must parse without duplicate keys being lost."""
    _included(block)
    try:
        documents = list(yaml.load_all(block.source, _Strict))
    except yaml.YAMLError as error:
        raise Unproved(block, f"not YAML: {error}") from None
    return Proof("validated", f"{len(documents)} documents parse")


def toml(block: Block, bench: Workbench) -> Proof:
    """The text must parse."""
    _included(block)
    try:
        tomllib.loads(block.source)
    except tomllib.TOMLDecodeError as error:
        raise Unproved(block, f"not TOML: {error}") from None
    return Proof("validated", "parses")


def ini(block: Block, bench: Workbench) -> Proof:
    """The text must parse, strictly."""
    _included(block)
    try:
        configparser.ConfigParser().read_string(block.source)
    except configparser.Error as error:
        raise Unproved(block, f"not INI: {error}") from None
    return Proof("validated", "parses")


def dotenv(block: Block, bench: Workbench) -> Proof:
    """The project's own reader of `.env` files must take it."""
    _included(block)
    bench.read_dotenv(block)
    return Proof("executed", "read by the project's own .env reader")


class _Strict(yaml.SafeLoader):
    """A safe loader that takes no key twice; the usual one keeps the last and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node.

        Raises:
            yaml.constructor.ConstructorError: A key is there twice.
        """
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), value in zip(node.value, keys, strict=True):
            if keys.count(value) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {value!r} is there twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a key is there twice: {next(n for n in names if names.count(n) > 1)}")
    return found


def _included(block: Block) -> None:
    if None in block.origins:
        raise Unproved(block, f"{block.lang} is typed in the page; put it into snippets/ or template/ and include it")
