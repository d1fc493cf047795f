"""Reference pages made from the code itself, as macros that return Markdown.

Nothing here becomes a code block: signatures and values are inline code, so that every block of the site still is one
that runs. What a page lists is compared with the code by tests/docs/test_reference.py.
"""

from tools.reference.api import api
from tools.reference.commands import commands, make_targets
from tools.reference.errors import error_codes
from tools.reference.fields import block_fields, deployment_fields
from tools.reference.pitfalls import caught_by
from tools.reference.variables import settings_table, variables_table

MACROS = (
    api,
    caught_by,
    commands,
    make_targets,
    error_codes,
    block_fields,
    deployment_fields,
    settings_table,
    variables_table,
)

__all__ = [
    "MACROS",
    "api",
    "block_fields",
    "caught_by",
    "commands",
    "deployment_fields",
    "error_codes",
    "make_targets",
    "settings_table",
    "variables_table",
]
