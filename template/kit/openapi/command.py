"""`python -m kit openapi`."""

from __future__ import annotations

import json
import os

import click

from kit import pod, project


@click.command()
@click.option("--output", default="openapi.json", show_default=True, help="The file to write; - is stdout.")
@click.option("--examples/--no-examples", default=True, show_default=True, help="With the functions of examples/.")
def openapi(output: str, examples: bool) -> None:
    """Write an OpenAPI 3.1 document of all routes, with the models of bodies, queries and answers.

    The models are those that the functions hand to json_body and query_params, and that they answer with.

    \b
    Examples:
      python -m kit openapi
      python -m kit openapi --no-examples --output - | head
    """
    from kit.openapi.document import build

    here = project.current()
    os.environ.setdefault(pod.ROOT_VARIABLE, str(here.state / "pod"))  # some modules read settings when imported
    document, problems = build(here, examples=examples)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)
    if output == "-":
        click.echo(text, nl=False)
        return
    with click.open_file(output, "w", encoding="utf-8", atomic=True) as file:
        file.write(text)
    click.echo(f"wrote {output}: {sum(len(path) for path in document['paths'].values())} operations")
