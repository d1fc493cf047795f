"""Make rows and objects agree again: a timer calls this function, and several calls at a time do no harm.

A run takes a limited number of each, and what it does is the same however often it is done. It never looks at anything
but what lies below the prefix of an area that it knows, so a bucket may be shared with other programs and stages.

Objects without a row are deleted only after ``S3_ORPHAN_GRACE_HOURS`` (24). That covers clocks that differ, and leaves
you a day to notice that a database was restored from a backup which does not know the newest files.

What the store refuses to remove, for example because it is locked, holds up nothing else: it is logged and counted, and
all others come first in the next run.
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

RUN_SECONDS: Final = 30  # after which a run begins nothing more; each of its three tasks may use a third of it
BATCH_ROWS: Final = 500  # that a run takes of each kind
LATE_SECONDS: Final = 300  # by how much the clocks of database, pod and store may differ
ORPHAN_GRACE_HOURS: Final = 24
LEAST_GRACE_HOURS: Final = 2  # longer than any upload URL is valid, and clocks differ
MOST_GRACE_HOURS: Final = 8_760

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
    started, report = time.monotonic(), SweepReport(expired=expire_uploads())
    give_up_areas()
    tasks = (remove_files, compare_areas, remove_areas)
    done = [task(report, started + RUN_SECONDS * number / len(tasks)) for number, task in enumerate(tasks, 1)]
    report.more = not all(done)
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


def give_up_areas() -> None:
    """Free the names of areas whose bucket was not made in time, because a pod ended; remove_areas does the rest."""
    execute(
        """
        UPDATE storage_areas SET state = 'deleting', changed_at = now()
        WHERE state = 'creating' AND changed_at < now() - make_interval(secs => %(late)s)
        """,
        {"late": LATE_SECONDS},
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
        try:
            report.removed += remove_file(row)
        except ServiceException as error:
            note_failure(report, error, area_id=row["area_id"], file_id=row["id"])
            execute("UPDATE storage_files SET expires_at = now() WHERE id = %(id)s", row)  # behind the others
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
            swept_to = ""
            if error.error_code != "BUCKET_MISSING":
                note_failure(report, error, area_id=area["id"])
            elif area["state"] == "ready":
                report.unreachable.append(area["id"])
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
            try:
                store.remove(area["bucket"], key)
                report.orphans += 1
            except ServiceException as error:
                note_failure(report, error, area_id=area["id"], key=key)
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
    """Remove deleted areas when they are empty and nobody can upload any more; return whether there was time."""
    rows = fetch_all(
        """
        SELECT * FROM storage_areas
        WHERE state = 'deleting' AND changed_at < now() - make_interval(hours => %(grace)s)
              AND NOT EXISTS (SELECT 1 FROM storage_files WHERE area_id = storage_areas.id)
        ORDER BY changed_at LIMIT %(limit)s
        """,
        {"grace": _grace_hours(), "limit": BATCH_ROWS},
    )
    for row in rows:
        if time.monotonic() > until:
            return False
        try:
            report.areas += remove_area(row)
        except ServiceException as error:
            note_failure(report, error, area_id=row["id"])
            execute("UPDATE storage_areas SET changed_at = now() WHERE id = %(id)s", row)  # a grace period later
    return len(rows) < BATCH_ROWS


def remove_area(area: Row) -> int:
    """Remove an area with its own bucket, if it has one; return 0 as long as there is something in it."""
    if not _empty(area):
        return 0  # until compare_page has removed it
    if area["kind"] == "bucket" and not store.drop_bucket(area["bucket"]):
        _log.warning("a bucket holds what is not ours", extra={"area_id": area["id"]})
        return 0
    return execute("DELETE FROM storage_areas WHERE id = %(id)s", area)


def note_failure(report: SweepReport, error: ServiceException, *, area_id: str, **what: str) -> None:
    """Count and log what the store refused, so that the run can go on with the next.

    Raises:
        ServiceException: The store refuses everything or is away; then going on would help nobody.
    """
    try:
        store.list_objects(store.shared_bucket(), f"{area_id}/", number=1)
    except ServiceException as other:
        if other.error_code != "BUCKET_MISSING":  # that is an answer, too
            raise
    report.failed += 1
    _log.error("the store refuses to clean up", extra={"area_id": area_id, **what, "reason": str(error)})


def _empty(area: Row) -> bool:
    try:
        return not store.list_objects(area["bucket"], f"{area['id']}/", number=1)[0]
    except ServiceException as error:
        if error.error_code != "BUCKET_MISSING":
            raise
        return True


def _grace_hours() -> int:
    text = get_config("S3_ORPHAN_GRACE_HOURS") or str(ORPHAN_GRACE_HOURS)
    if not (text.isascii() and text.isdigit() and LEAST_GRACE_HOURS <= int(text[:9]) <= MOST_GRACE_HOURS):
        limits = f"from {LEAST_GRACE_HOURS} to {MOST_GRACE_HOURS}"
        raise ConfigurationError(f"configuration S3_ORPHAN_GRACE_HOURS is not a whole number {limits}")
    return int(text)
