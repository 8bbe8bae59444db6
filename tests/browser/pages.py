"""Every page, for the checks that all pages must pass. A page that is added has its line here."""

from __future__ import annotations

from typing import NamedTuple

TUESDAY = "2026-11-24"


class Look(NamedTuple):
    """One page as one role sees it; `status` is what the server answers."""

    name: str
    path: str
    role: str = "staff"
    status: int = 200


PAGES = (
    Look("sign-in", "/sign-in", role=""),
    Look("board-day", f"/board?view=day&day={TUESDAY}"),
    Look("board-week", f"/board?view=week&day={TUESDAY}"),
    Look("board-list", f"/board?view=list&day={TUESDAY}"),
    Look("board-nothing-fits", f"/board?view=day&day={TUESDAY}&people=9999"),
    Look("board-viewer", f"/board?view=day&day={TUESDAY}", role="viewer"),
    Look("loans", "/loans"),
    Look("loans-found", "/loans?q=dupuis%20saule"),
    Look("loans-nothing", "/loans?q=nobody&show=over", role="viewer"),
    Look("loan", "/loans/1"),
    Look("mine", "/mine", role="requester"),
    Look("mine-over", "/mine?show=over", role="requester"),
    Look("loan-private", "/loans/3"),
    Look("book", f"/book?day={TUESDAY}&start=14:00&people=12"),
    Look("book-taken", f"/book?day={TUESDAY}&start=09:00&end=10:00&item=1&item=3&people=30"),
    Look("book-own", f"/book?day={TUESDAY}&start=14:00&item=2", role="requester"),
    Look("book-backwards", f"/book?day={TUESDAY}&start=14:00&end=13:00"),
    Look("book-viewer", "/book", role="viewer", status=403),
    Look("cases", "/cases"),
    Look("cases-viewer", "/cases?topic=both", role="viewer"),
    Look("cases-settled", "/cases?shelf=settled"),
    Look("cases-gone", "/cases?shelf=gone"),
    Look("cases-nothing-fits", "/cases?topic=mass"),
    Look("case", "/cases/1"),
    Look("rooms", "/rooms", role="admin"),
    Look("rooms-left-alone", "/rooms?show=left-out", role="viewer"),
    Look("room", "/rooms/2", role="admin"),
    Look("room-viewer", "/rooms/2", role="viewer"),
    Look("book-series", f"/book?day={TUESDAY}&start=14:00&item=2&repeat=weekly&count=4"),
    Look("series", "/series/1"),
    Look("loan-of-series", "/loans/6"),
    Look("change", "/loans/2/change"),
    Look("change-series", "/loans/7/change"),
    Look("find", f"/find?day={TUESDAY}&start=10:15&people=8&feature=projector"),
    Look("find-nothing", f"/find?day={TUESDAY}&start=10:00&people=5000"),
    Look("find-over", "/find?day=2026-11-02&start=10:00"),
    Look("find-viewer", f"/find?day={TUESDAY}&start=10:00", role="viewer"),
    Look("why", "/why"),
    Look("why-booked", f"/why?room=1&day={TUESDAY}&at=09:30"),
    Look("why-private", f"/why?room=2&day={TUESDAY}&at=14:15", role="viewer"),
    Look("why-free", f"/why?room=3&day={TUESDAY}&at=12:00"),
    Look("calendars", "/calendars"),
    Look("calendars-requester", "/calendars", role="requester"),
    Look("calendars-all", "/calendars/all", role="admin"),
    Look("stores", "/stores", role="admin"),
    Look("store", "/stores/1", role="admin"),
    Look("store-viewer", "/stores/1", role="viewer"),
    Look("asset", "/assets/5", role="admin"),
    Look("asset-viewer", "/assets/5", role="viewer"),
    Look("outlook", f"/outlook?day={TUESDAY}"),
    Look("outlook-new", f"/outlook?day={TUESDAY}&new=1"),
    Look("outlook-room", f"/outlook?day={TUESDAY}&who=saule@example.org", role="viewer"),
    Look("settings", "/settings", role="admin"),
    Look("fields", "/fields", role="admin"),
    Look(
        "fields-tried",
        "/fields?tried=true&title=%23{number}%20{title}&body=title,items,link&custom=Store={store}",
        role="admin",
    ),
    Look("settings-not-yours", "/settings", role="staff", status=403),
    Look("activity", "/activity", role="admin"),
    Look("activity-viewer", "/activity", role="viewer"),
    Look("webhooks", "/webhooks", role="admin"),
    Look("webhook", "/webhooks/1", role="admin"),
    Look("outbox", "/outbox", role="admin"),
    Look("message", "/outbox/1", role="admin"),
    Look("backfills", "/backfills", role="admin"),
    Look("backfill", "/backfills/1", role="admin"),
    Look("backfill-viewer", "/backfills/1?step=create", role="viewer"),
    Look("welcome", "/welcome", role="admin"),
    Look("account", "/account"),
    Look("own-calendar", "/account/outlook?said=refused", role="requester"),
    Look("keepers", "/keepers", role="admin"),
    Look("not-found", "/loans/9999", status=404),
    Look("not-for-your-role", "/loans/1", role="requester", status=403),
)
