"""Reading Outlook's side of one loan: its link, and the rooms' copies of its meeting."""

from __future__ import annotations

from sqlalchemy import String, bindparam, cast, exists, func, select

from engine.database.loans.told import IS_WRITING
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Home
from engine.loans.sides import OutlookSide, RoomSide, one_per_room, standing_of

_loan = metadata.tables["loan"]
_link = metadata.tables["link"]
_decision = metadata.tables["decision"]
_copy = metadata.tables["room_copy"]
_room = metadata.tables["room"]
_series = metadata.tables["series"]

_LINK = (
    select(
        _link.c.state,
        _loan.c.home,
        _link.c.ical_uid,
        _link.c.written_at,
        func.coalesce(_link.c.organizer_mailbox, _series.c.organizer_mailbox).label("organizer"),
        func.coalesce(_link.c.web_link, _series.c.web_link).label("web_link"),
        IS_WRITING.label("is_writing"),
        _link.c.refused,
        exists()
        .where(_decision.c.loan_number == _link.c.loan_number, _decision.c.code == "cancelled_in_outlook")
        .label("is_cancelled"),
    )
    .join(_loan, _loan.c.number == _link.c.loan_number)
    .outerjoin(_series, cast(_series.c.id, String) == _loan.c.series)
    .where(_link.c.loan_number == bindparam("number"))
    .order_by(_link.c.generation.desc())
    .limit(1)
)
_COPIES = (
    select(_room.c.name, _copy.c.start_at, _copy.c.end_at, _copy.c.live)
    .join(_room, _room.c.id == _copy.c.room_id)
    .where(_copy.c.ical_uid == bindparam("ical_uid"), _copy.c.start_at < _copy.c.end_at)
)


class Sides:
    """Implements `SideShelf`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def outlook_side(self, number: LoanNumber) -> OutlookSide | None:
        """Return Outlook's side of a loan; None when it never had any."""
        with self._database.read() as transaction:
            link = transaction.connection.execute(_LINK, {"number": number}).one_or_none()
            if link is None:
                return None
            # What our own deletion does to the rooms' copies is not read any more: they would show what was.
            is_followed = link.ical_uid and link.state != "ended"
            rows = transaction.connection.execute(_COPIES, {"ical_uid": link.ical_uid}).all() if is_followed else ()
        # What Outlook ended is followed, since somebody may bring it back; until then it has ended.
        is_over = link.home == Home.APP.value or link.is_cancelled
        is_gone = link.state == "left" and is_over and not any(row.live for row in rows)
        return OutlookSide(
            standing=standing_of(
                "ended" if is_gone else link.state, is_writing=link.is_writing, is_refused=link.refused
            ),
            organizer=Address(link.organizer) if link.organizer else None,
            web_link=link.web_link,
            written_at=link.written_at,
            rooms=one_per_room([RoomSide(row.name, Interval(row.start_at, row.end_at), row.live) for row in rows]),
        )
