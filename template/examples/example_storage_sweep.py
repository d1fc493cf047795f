"""Make rows and objects agree again: a timer calls this function, and several calls at a time do no harm.

A run takes a limited number of each, and what it does is the same however often it is done. It never looks at anything
but what lies below the prefix of an area that it knows, so a bucket may be shared with other programs and stages.

Objects without a row are deleted only after ``S3_ORPHAN_GRACE_HOURS`` (24). That covers clocks that differ, and leaves
you a day to notice that a database was restored from a backup which does not know the newest files.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import example_storage_s3 as store
from database import Row
from example_storage_files import remove_file
from example_storage_models import SweepReport
from exceptions import ConfigurationError, ServiceException
from helpers import by_method, entrypoint, execute, fetch_all, fetch_one, get_config

RUN_SECONDS: Final = 30  # after which a run begins nothing more
BATCH_ROWS: Final = 500  # that a run takes of each kind
LATE_SECONDS: Final = 300  # by how much the clocks of database, pod and store may differ
ORPHAN_GRACE_HOURS: Final = 24

_log = logging.getLogger(__name__)


@entrypoint
def main() -> Any:
    """Clean up what interrupted uploads and deletions have left, and report what is lost.

    ```fission
    {
      "name": "your-service-storage-sweep",
      "timeout_seconds": 120,
      "timers": {"sweep": {"cron": "*/10 * * * *"}}
    }
    ```
    """
    return by_method(POST=sweep)


def sweep() -> Any:
    """End what has expired, compare each area with the store, and remove areas that are done with."""
    until = time.monotonic() + RUN_SECONDS
    report = SweepReport(expired=expire_uploads())
    report.more = not (remove_files(report, until) and compare_areas(report, until) and remove_areas(report, until))
    if report.lost:
        _log.error("stored files are missing in the store", extra={"file_ids": report.lost})
    return report


def expire_uploads() -> int:
    """Give up announced files that were not completed in time. The row decides between this and complete_file."""
    return execute(
        """
        UPDATE storage_files SET state = 'deleting'
        WHERE id IN (
            SELECT id FROM storage_files
            WHERE state = 'pending' AND expires_at < now() - make_interval(secs => %(late)s)
            ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        """,
        {"late": LATE_SECONDS, "limit": BATCH_ROWS},
    )


def remove_files(report: SweepReport, until: float) -> bool:
    """Finish deletions; return whether there was time for all of them."""
    rows = fetch_all(
        """
        SELECT f.*, a.bucket FROM storage_files f JOIN storage_areas a ON a.id = f.area_id
        WHERE f.state = 'deleting' ORDER BY f.expires_at LIMIT %(limit)s
        """,
        {"limit": BATCH_ROWS},
    )
    for row in rows:
        if time.monotonic() > until:
            return False
        report.removed += remove_file(row)
    return len(rows) < BATCH_ROWS


def compare_areas(report: SweepReport, until: float) -> bool:
    """Compare all areas, a page of keys at a time, whose turn is longest ago first; return whether there was time.

    An area remembers up to which key it was compared: the next run goes on there, however large it is.
    """
    started = fetch_one("SELECT now()") or {}
    while time.monotonic() < until:
        area = fetch_one(
            """
            SELECT *, now() AS listed_at, now() - make_interval(hours => %(grace)s) AS old FROM storage_areas
            WHERE state <> 'creating' AND swept_at < %(now)s ORDER BY swept_at, id LIMIT 1
            """,
            {"grace": _grace_hours(), **started},
        )
        if area is None:
            return True
        try:
            swept_to = compare_page(area, report)
        except ServiceException as error:
            if error.error_code != "BUCKET_MISSING":
                raise
            report.unreachable.append(area["id"])
            swept_to = ""
        execute(
            """
            UPDATE storage_areas
            SET swept_to = %(swept_to)s, swept_at = CASE WHEN %(swept_to)s = '' THEN now() ELSE swept_at END
            WHERE id = %(id)s
            """,
            {"id": area["id"], "swept_to": swept_to},
        )
    return False


def compare_page(area: Row, report: SweepReport) -> str:
    """Compare the next keys of an area in both directions; return up to which, or '' if these were the last.

    The store is listed first. A row that was stored before must therefore be in the list, and an object whose row was
    written afterwards cannot be in it: nothing that happens meanwhile is taken for a loss or for an orphan.
    """
    listed, more = store.list_objects(area["bucket"], f"{area['id']}/", area["swept_to"], store.PAGE_KEYS)
    swept_to = listed[-1].key if more else ""
    rows = fetch_all(
        """
        SELECT id, key, state, etag, stored_at FROM storage_files
        WHERE area_id = %(id)s AND key > %(after)s AND (%(upto)s = '' OR key <= %(upto)s)
        ORDER BY key LIMIT %(limit)s
        """,
        {"id": area["id"], "after": area["swept_to"], "upto": swept_to, "limit": store.PAGE_KEYS},
    )
    if len(rows) == store.PAGE_KEYS:  # there may be more rows up to there: compare as far as these go
        swept_to = rows[-1]["key"]
        listed = [each for each in listed if each.key <= swept_to]
    objects = {each.key: each for each in listed}
    lost, back = [], []
    for row in rows:
        there = row["key"] in objects and objects[row["key"]].etag == row["etag"]
        if row["state"] == "stored" and not there and row["stored_at"] < area["listed_at"]:
            lost.append(row["id"])
        if row["state"] == "lost" and there:
            back.append(row["id"])
    report.lost += change_state(lost, "stored", "lost")
    report.found += change_state(back, "lost", "stored")
    for key in objects.keys() - {row["key"] for row in rows}:
        if objects[key].changed_at < area["old"]:
            store.remove(area["bucket"], key)
            report.orphans += 1
    return swept_to


def change_state(ids: list[str], before: str, after: str) -> list[str]:
    """Change the state of files, except of those that somebody else has changed meanwhile; return which it were."""
    if not ids:
        return []
    rows = fetch_all(
        """
        UPDATE storage_files SET state = %(after)s
        WHERE id = ANY(%(ids)s::uuid[]) AND state = %(before)s RETURNING id
        """,
        {"ids": ids, "before": before, "after": after},
    )
    return [row["id"] for row in rows]


def remove_areas(report: SweepReport, until: float) -> bool:
    """Remove deleted and half-made areas when they are empty and nobody can upload any more."""
    rows = fetch_all(
        """
        SELECT * FROM storage_areas
        WHERE state <> 'ready' AND changed_at < now() - make_interval(hours => %(grace)s)
              AND NOT EXISTS (SELECT 1 FROM storage_files WHERE area_id = storage_areas.id)
        ORDER BY changed_at LIMIT %(limit)s
        """,
        {"grace": _grace_hours(), "limit": BATCH_ROWS},
    )
    for row in rows:
        if time.monotonic() > until:
            return False
        if not _empty(row):
            continue  # until compare_page has removed what is in it
        if row["kind"] == "bucket" and not store.drop_bucket(row["bucket"]):
            _log.warning("a bucket holds what is not ours", extra={"area_id": row["id"]})
            continue
        report.areas += execute("DELETE FROM storage_areas WHERE id = %(id)s", row)
    return len(rows) < BATCH_ROWS


def _empty(area: Row) -> bool:
    try:
        return not store.list_objects(area["bucket"], f"{area['id']}/", number=1)[0]
    except ServiceException as error:
        if error.error_code != "BUCKET_MISSING":
            raise
        return True


def _grace_hours() -> int:
    try:
        return int(get_config("S3_ORPHAN_GRACE_HOURS") or ORPHAN_GRACE_HOURS)
    except ValueError:
        raise ConfigurationError("configuration S3_ORPHAN_GRACE_HOURS is not a whole number of hours") from None
