"""Every command of `python -m kit`, with its options, and every target of a Makefile."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
from kit.cli import COMMANDS, cli

from tools.reference.markdown import code, table
from tools.source import cut

PROGRAM = "python -m kit"


def commands() -> str:
    """Return a section for each command and sub-command, in the order of `python -m kit --help`."""
    return "\n".join(_section(path, command) for path, command in walk())


def walk() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its path, for example `migrate up`."""
    root = click.Context(cli, info_name=PROGRAM)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        yield from _below(name, command, root)


def _below(path: str, command: click.Command, parent: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path, parent=parent)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _below(f"{path} {name}", child, context)


def _section(path: str, command: click.Command) -> str:
    level = "##" if " " not in path else "###"
    context = click.Context(command, info_name=f"{PROGRAM} {path}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text, examples = _help(command)
    parts = [f"{level} kit {path} {{ #kit-{path.replace(' ', '-')} }}", code(usage), text]
    if rows := [row for parameter in command.params if (row := _row(parameter, context))]:
        parts.append(table(["Argument or option", "Default", "Meaning"], rows))
    if examples:
        parts.append("For example: " + ", ".join(code(example) for example in examples) + ".")
    return "\n\n".join(parts) + "\n"


def _row(parameter: click.Parameter, context: click.Context) -> tuple[str, str, str] | None:
    if isinstance(parameter, click.Argument):
        return code(parameter.make_metavar(context)), "", "" if parameter.required else "may be left out"
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return None
    record = parameter.get_help_record(context)
    if record is None:
        return None
    name, text = record
    found = re.search(r"\s*\[((?:[^\[\]]|\[[^\[\]]*\])*)\]$", text)
    said = found[1].split("; ") if found else []
    default = next((word.removeprefix("default: ") for word in said if word.startswith("default: ")), "")
    notes = "; ".join(word for word in said if not word.startswith("default: "))
    text = text[: found.start()] if found else text
    return code(name), code(default) if default else "", text + (f" ({notes})" if notes else "")


def _help(command: click.Command) -> tuple[str, list[str]]:
    """Return a command's text as Markdown, and its examples."""
    text = inspect.cleandoc(command.help or command.short_help or "")
    examples: list[str] = []
    paragraphs: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        raw = paragraph.startswith("\b")
        lines = [line.strip() for line in paragraph.removeprefix("\b").strip().splitlines()]
        if raw and lines and lines[0].startswith("Example"):
            examples = [line for line in lines[1:] if line]
        elif raw:
            paragraphs.append("\n".join(f"* {line}" for line in lines))
        else:
            paragraphs.append(" ".join(lines))
    return "\n\n".join(filter(None, paragraphs)), examples


def make_targets(makefile: str) -> str:
    """Return the targets of a Makefile with what they do, from the texts behind `##`."""
    return table(["Command", "What it does"], [(code(f"make {name}"), text) for name, text in targets(makefile)])


def targets(makefile: str) -> list[tuple[str, str]]:
    """Return name and text of each target that explains itself."""
    return re.findall(r"^([a-z]+):.*?## (.+)$", cut(makefile).text, re.M)
