"""What rooms still show of events of ours that have ended: `reconcile/freeing.py` says what that means."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import BookableId, LoanNumber
from engine.reconcile.freeing import Shown

copy_table = metadata.tables["room_copy"]
link_table = metadata.tables["link"]

_SHOWN = Prepared(
    select(copy_table.c.room_id, link_table.c.written_at)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid)
    .where(
        link_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        link_table.c.state == "ended",
        copy_table.c.live,
        ~copy_table.c.doubt,
    )
)


def load_shown(transaction: Transaction, numbers: Iterable[LoanNumber]) -> list[Shown]:
    """Return what rooms show, beyond doubt, of the former events of these loans."""
    rows = _SHOWN.run(transaction.connection, {"numbers": sorted(numbers)})
    return [Shown(BookableId(row.room_id), row.written_at) for row in rows]
