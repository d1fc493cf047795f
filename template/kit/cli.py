"""The command line `python -m kit`: each command is a thin face on a module and is imported only when it is used."""

from __future__ import annotations

import importlib
import sys

import click

from kit import __version__
from kit.errors import KitError

# Name: where the Click command lies, and its line in `python -m kit --help`.
COMMANDS = {
    "serve": ("kit.serve.command:serve", "Serve all functions on a local port."),
    "fire": ("kit.serve.commands:fire", "Fire a timer of the running server."),
    "send": ("kit.serve.commands:send", "Send a queue message or a Kubernetes event to the running server."),
    "openapi": ("kit.openapi.command:openapi", "Write an OpenAPI 3.1 document of all routes."),
    "check": ("kit.checks.command:check", "Find Fission's pitfalls before the cluster does."),
    "specs": ("kit.specs.command:specs", "Write specs/*.yaml from the Fission blocks."),
    "package": ("kit.package:package", "Build the archive that Fission deploys."),
    "migrate": ("kit.migrate.command:migrate", "Apply, revert and verify SQL migrations."),
    "env": ("kit.manifests.command:env", "Write the Secret and the ConfigMap from .env."),
    "leaks": ("kit.leaks:command", "Look for secrets in files that git takes."),
    "audit": ("kit.audit:command", "Look up known vulnerabilities of all pinned packages."),
    "deploy": ("kit.deploy:command", "Deploy one stage."),
    "add": ("kit.add_command:add", "Make examples part of the service: move them to src/."),
    "vault": ("kit.vault_command:vault", "Make keys; encrypt and decrypt values."),
    "update": ("kit.update.command:update", "Merge a newer template into this project."),
    "rename": ("kit.rename_command:rename", "Give this project another name."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help before it imports them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as in Click
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as in Click
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a mistake in our own table
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or name those that exist."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"there is no command {args[0]!r}; there are: {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as in Click
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="template %(version)s")
def cli() -> None:
    """Development tools of this project.

    \b
    Examples:
      python -m kit serve
      python -m kit migrate status
      python -m kit serve --help
    """


def main() -> None:
    """Run the command line; what the user can put right is one sentence on stderr and exit code 1."""
    try:
        cli(prog_name="python -m kit")
    except KitError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
