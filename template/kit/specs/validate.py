"""From JSON text to a typed model, with every problem at its own line and column."""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kit.specs.errors import SpecError
from kit.specs.fields import show
from kit.specs.json_reader import JsonDocument, JsonError, Loc, read_json
from kit.specs.places import Locate
from kit.specs.unreleased import EXPLAINED_KEYS

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Located:
    """A JSON document together with the file that it stands in."""

    path: Path
    document: JsonDocument
    locate: Locate

    def error(self, loc: Loc, what: str, why: str, fix: str, *, rule: str = "", of_key: bool = False) -> SpecError:
        """Return the problem with the part at `loc`."""
        line, column = self.locate(self.document.offset(loc, of_key=of_key))
        return SpecError(self.path, line, column, what, why, fix, rule)


def read_located(text: str, path: Path, locate: Locate) -> tuple[Located | None, list[SpecError]]:
    """Read JSON; return it and the problems of its syntax and of repeated keys."""
    try:
        document = read_json(text)
    except JsonError as error:
        line, column = locate(error.offset)
        why = "The text is not JSON from here on"
        return None, [SpecError(path, line, column, error.what, why, error.fix[:1].upper() + error.fix[1:])]
    located = Located(path, document, locate)
    return located, [
        located.error(
            loc,
            f"the key {show(loc[-1])} stands twice in one object",
            "Only the last one would count",
            "Remove or rename one of them",
            of_key=True,
        )
        for loc in document.duplicates
    ]


def validate(model: type[Model], value: Any, at: Callable[[Loc], Located]) -> tuple[Model | None, list[SpecError]]:
    """Check a value; `at` returns the document in which the part at a path stands."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, [_explain(detail, model, value, at) for detail in error.errors(include_url=False)]


def _explain(detail: ErrorDetails, model: type[BaseModel], value: Any, at: Callable[[Loc], Located]) -> SpecError:
    kind, context = detail["type"], detail.get("ctx", {})
    loc, of_key = _existing(detail["loc"], value)
    located = at(loc)
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "kit":
        return located.error(loc, context["what"], context["why"], context["fix"], of_key=of_key)
    if kind == "extra_forbidden":
        if last in EXPLAINED_KEYS:
            key = EXPLAINED_KEYS[last]
            return located.error(loc, key.what, key.why, key.fix, rule=key.rule, of_key=True)
        why = "Misspelt keys would be ignored without a word by Fission"
        fix = _suggest(last, _keys(model, loc[:-1]))
        return located.error(loc, f"the key {show(last)} is unknown", why, fix, of_key=True)
    if kind == "missing":
        why = "There is no default for it"
        return located.error(loc, f"the key {show(last)} is missing", why, f'Add "{last}"')
    if kind == "literal_error":
        allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        what = f"{show(detail['input'])} is not possible here"
        return located.error(loc, what, f"Possible are: {', '.join(allowed)}", _suggest(str(detail["input"]), allowed))
    what = f"{_kind(detail['input'])} does not fit here"
    return located.error(loc, what, detail["msg"], "Write a value of that kind", of_key=of_key)


def _kind(value: Any) -> str:
    """Name the kind of a value; the value itself may be secret or long."""
    if isinstance(value, bool | int | float) or value is None:
        return json.dumps(value)
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"


def _existing(loc: Loc, value: Any) -> tuple[Loc, bool]:
    """Drop what pydantic adds to a path (tags of unions, `[key]`) or what is missing; say if it means a key."""
    kept: list[str | int] = []
    for part in loc:
        inside = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if inside:
            value = value[part]
            kept.append(part)
    return tuple(kept), bool(loc) and loc[-1] == "[key]"


def _suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(word.upper(), known, n=1)
    if close:
        return f"Write {show(close[0])}"
    return f"Use one of: {', '.join(known)}" if known else "Remove it"


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys that may stand in the object at `loc`."""
    annotations: list[Any] = [model]
    for part in loc:
        annotations = [inner for annotation in annotations for inner in _step(annotation, part)]
    models = [found for annotation in annotations for found in _models(annotation)]
    names = (field.alias or name for found in models for name, field in found.model_fields.items())
    return list(dict.fromkeys(names))


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield the types of the part of a value with this type."""
    if _is_model(annotation):
        fields = annotation.model_fields.items()
        yield from (field.annotation for name, field in fields if part in (name, field.alias))
    elif typing.get_origin(annotation) in (list, dict):
        yield typing.get_args(annotation)[-1]
    else:
        for inner in typing.get_args(annotation):
            yield from _step(inner, part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if _is_model(annotation):
        yield annotation
    elif typing.get_origin(annotation) not in (list, dict):
        for inner in typing.get_args(annotation):
            yield from _models(inner)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
