"""Changes that rest on a version: If-Match."""

from __future__ import annotations

from engine.conformance.check import check, same
from engine.conformance.stage import Stage

REPORTED = "reported by developers; on no page of Graph"


async def changed_since(stage: Stage) -> tuple[str, str, str]:
    """Return the path of an event, its etag before a change, and its etag now."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    path = stage.path(stage.person, event["id"])
    changed = (await stage.ask("PATCH", path, {"subject": "Accord conformance, changed"})).expect(200)
    return path, event["@odata.etag"], changed["@odata.etag"]


@check(REPORTED)
async def a_change_of_an_old_version_is_refused(stage: Stage) -> None:
    """PATCH with an older etag in `If-Match`: 412 ErrorIrresolvableConflict, and nothing is changed."""
    path, old, _ = await changed_since(stage)
    (await stage.ask("PATCH", path, {"subject": "too late"}, If_Match=old)).refuse(412, "ErrorIrresolvableConflict")
    same("subject", (await stage.ask("GET", path)).expect(200)["subject"], "Accord conformance, changed")


@check(REPORTED)
async def a_deletion_of_an_old_version_is_refused(stage: Stage) -> None:
    """DELETE with an older etag: 412, and the event stays."""
    path, old, _ = await changed_since(stage)
    (await stage.ask("DELETE", path, If_Match=old)).refuse(412, "ErrorIrresolvableConflict")
    (await stage.ask("GET", path)).expect(200)


@check(REPORTED)
async def a_change_of_the_newest_version_is_made(stage: Stage) -> None:
    """PATCH with the newest etag is carried out."""
    path, _, new = await changed_since(stage)
    same(
        "subject",
        (await stage.ask("PATCH", path, {"subject": "in time"}, If_Match=new)).expect(200)["subject"],
        "in time",
    )


@check(REPORTED)
async def a_deletion_of_the_newest_version_is_made(stage: Stage) -> None:
    """DELETE with the newest etag is carried out."""
    path, _, new = await changed_since(stage)
    (await stage.ask("DELETE", path, If_Match=new)).expect(204)


@check(REPORTED)
async def any_version_is_a_star(stage: Stage) -> None:
    """`If-Match: *` is no condition."""
    path, _, _ = await changed_since(stage)
    (await stage.ask("PATCH", path, {"subject": "whatever"}, If_Match="*")).expect(200)


@check(REPORTED)
async def reading_gives_no_new_version(stage: Stage) -> None:
    """Two readings show one etag."""
    path, _, new = await changed_since(stage)
    for _ in range(2):
        same("etag", (await stage.ask("GET", path)).expect(200)["@odata.etag"], new)
