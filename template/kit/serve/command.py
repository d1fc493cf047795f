"""`python -m kit serve`."""

from __future__ import annotations

import click

from kit import project


@click.command()
@click.option("--port", default=8888, show_default=True, help="Port on 127.0.0.1; 0 takes any free one.")
@click.option("--examples/--no-examples", default=True, show_default=True, help="Serve examples/, too.")
@click.option("--timers", is_flag=True, help="Fire timers on schedule.")
def serve(port: int, examples: bool, timers: bool) -> None:
    """Serve all functions on a local port, as Fission would.

    Starts the embedded PostgreSQL (or uses the server that DATABASE_URL or PG_HOST ... name), applies the
    migrations, lays out secrets and configs from .env, and loads changed code at the next request. It listens on
    127.0.0.1 only.

    \b
    Examples:
      python -m kit serve
      python -m kit serve --port 9000 --no-examples
      python -m kit serve --timers
      curl http://127.0.0.1:8888/health
    """
    from kit.serve import server  # loading it takes a moment that --help need not wait

    server.serve(project.current(), port, examples=examples, timers=timers, say=lambda line: click.echo(line))
