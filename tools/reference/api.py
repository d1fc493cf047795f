"""The public names of one module of template/src, from its source and docstrings."""

from __future__ import annotations

from functools import cache
from typing import Any

from tools import ROOT
from tools.reference.markdown import code, prose, table

SRC = ROOT / "template/src"
_LONGEST_VALUE = 70  # characters of a constant that are shown; a longer one is read in the source


def api(module: str) -> str:
    """Return a module's introduction, then a section for each public name, in the order of the source."""
    found = load(module)
    lines = found.lines
    sections = [_section(found[name], lines) for name in public_names(module)]
    return "\n".join([prose(found.docstring.value if found.docstring else ""), "", *sections])


def public_names(module: str) -> list[str]:
    """Return the names that a module defines for others, in the order of its source; a facade's are what it imports."""
    found = load(module)
    own = [name for name, member in found.members.items() if not member.is_alias and not name.startswith("_")]
    own = [name for name in own if not str(getattr(found[name], "value", "")).startswith("TypeVar(")]
    return own or [name for name in found.members if not name.startswith("_")]


@cache
def load(module: str) -> Any:
    """Return what griffe reads of a module of template/src; nothing is imported."""
    import griffe  # most pages are verified without it

    return griffe.load(module, search_paths=[SRC], docstring_parser="google", resolve_aliases=False)


def _section(member: Any, lines: list[str]) -> str:
    name = member.name
    if member.is_alias:
        home = member.target_path.partition(".")[0]
        return f"* [`{name}`]({home}.md#{_anchor(name)}), from `{home}`"
    if member.is_function:
        return f"## {name} {{ #{_anchor(name)} }}\n\n{_function(member)}\n"
    if member.is_class:
        return f"## {name} {{ #{_anchor(name)} }}\n\n{_class(member, lines)}\n"
    return f"## {name} {{ #{_anchor(name)} }}\n\n{_constant(member, lines)}\n"


def _anchor(name: str) -> str:
    """Return the id of a name's section: constants keep their case, for a function may bear the same name in small."""
    return name if name.isupper() else name.lower()


def _function(member: Any) -> str:
    return "\n\n".join([code(signature(member), "python"), _docstring(member)])


def signature(member: Any) -> str:
    """Return a function's head as one line of Python."""
    text = f"{member.name}({', '.join(_parameters(member))})"
    return f"{text} -> {member.returns}" if member.returns else text


def _parameters(member: Any) -> list[str]:
    texts: list[str] = []
    keyword_only = False
    for parameter in member.parameters:
        if parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind.value
        if kind == "keyword-only" and not keyword_only:
            texts.append("*")
        keyword_only = keyword_only or kind in ("keyword-only", "variadic positional")
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        text = f"{stars}{parameter.name}"
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not stars:
            text += f" = {parameter.default}" if parameter.annotation is not None else f"={parameter.default}"
        texts.append(text)
    return texts


def _class(member: Any, lines: list[str]) -> str:
    bases = ", ".join(code(base) for base in _public_bases(member))
    parts = [_docstring(member), f"A class{f' on {bases}' if bases else ''}."]
    if "__init__" in member.members:
        head = signature(member.members["__init__"]).replace("__init__", member.name, 1)
        parts.insert(0, code(head.removesuffix(" -> None"), "python"))
    fields = [
        (code(name), code(str(field.annotation)) if field.annotation else "", _value(field), comment(field, lines))
        for name, field in member.members.items()
        if field.is_attribute and not name.startswith("_") and name != "model_config" and not _inside(member, field)
    ]
    if fields:
        parts.append(table(["Member", "Type", "Default", "Meaning"], fields))
    for name, method in member.members.items():
        if method.is_function and not name.startswith("_"):
            parts += [code(signature(method), "python"), _docstring(method)]
    return "\n\n".join(part for part in parts if part)


def _public_bases(member: Any) -> list[str]:
    names: list[str] = []
    for base in map(str, member.bases):
        hidden = member.module.members.get(base) if base.startswith("_") else None
        names += _public_bases(hidden) if hidden is not None else [base]
    return names


def _inside(member: Any, field: Any) -> bool:
    """Whether an attribute is set by `__init__`: the arguments have said it already."""
    init = member.members.get("__init__")
    return init is not None and init.lineno <= field.lineno <= init.endlineno


def _constant(member: Any, lines: list[str]) -> str:
    value = _value(member)
    kind = str(member.annotation) if member.annotation and str(member.annotation) not in ("Final",) else ""
    head = " ".join(filter(None, [f"Value: {value}." if value else "", f"Type: {code(kind)}." if kind else ""]))
    return "\n\n".join(filter(None, [comment(member, lines), head]))


def _value(member: Any) -> str:
    text = " ".join(str(member.value or "").split())
    if not text:
        return ""
    return code(text) if len(text) <= _LONGEST_VALUE else "(see the source)"


def comment(member: Any, lines: list[str]) -> str:
    """Return what the comment beside or above an attribute says, as a sentence."""
    number = member.lineno - 1
    beside = lines[member.endlineno - 1].partition("  # ")[2]
    if beside and not beside.startswith("noqa"):
        return _sentence(beside.partition("  # ")[0])
    above: list[str] = []
    while number > 0 and lines[number - 1].strip().startswith("# "):
        number -= 1
        above.insert(0, lines[number].strip()[2:])
    return _sentence(" ".join(above))


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":", "?")) else ".") if text else ""


def _docstring(member: Any) -> str:
    if member.docstring is None:
        return ""
    parts: list[str] = []
    for section in member.docstring.parse("google", warnings=False):
        value = section.value
        match section.kind.value:
            case "text":
                parts.append(prose(value))
            case "parameters" | "attributes":
                rows = [(code(item.name), item.description) for item in value]
                parts.append(table(["Argument", "Meaning"], rows))
            case "raises":
                parts.append(table(["Raises", "When"], [(code(str(i.annotation)), i.description) for i in value]))
            case "returns" | "yields":
                what = " ".join(prose(item.description) for item in value)
                parts.append(f"**{section.kind.value.capitalize()}:** {what}")
            case "admonition":
                parts.append(f"**{section.title or value.kind.capitalize()}:** {prose(value.description)}")
    return "\n\n".join(parts).replace("``", "`")
