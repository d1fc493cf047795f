"""Apply the SQL migrations of `migrates/`, in dbmate's file format and with dbmate's table.

A file is called `<digits>_<what>.sql` and holds a section `-- migrate:up` and one `-- migrate:down`. A section
whose heading says `transaction:false` runs outside a transaction, which `CREATE INDEX CONCURRENTLY` needs.
Source: https://github.com/amacneil/dbmate#creating-migrations
"""

from kit.migrate.files import Migration, Section, new, read
from kit.migrate.journal import Applied, InvalidIndex
from kit.migrate.replay import replay
from kit.migrate.runner import Report, accept, apply, invalid_indexes, revert, status, verify
from kit.migrate.session import LOCK_KEY
from kit.migrate.state import State

__all__ = [
    "LOCK_KEY",
    "Applied",
    "InvalidIndex",
    "Migration",
    "Report",
    "Section",
    "State",
    "accept",
    "apply",
    "invalid_indexes",
    "new",
    "read",
    "replay",
    "revert",
    "status",
    "verify",
]
