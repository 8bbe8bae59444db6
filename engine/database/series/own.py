"""Series of ours that a room shows before we know that they are made: known by the marker of the write that is open.

That is so while the answer to the creation is on its way; and after a backup was restored from before it, when the
event may have been changed since. Whatever it looks like, it is not somebody's own series.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from engine.database.series.dates import keep_series
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import ICalUid
from engine.reconcile.series.writes import SeriesWriteKind
from engine.rooms.event import EventCopy
from engine.rooms.series import split_key

_series = metadata.tables["series"]
_loan = metadata.tables["loan"]
_write = metadata.tables["series_write"]

_IS_CREATE = _write.c.kind == SeriesWriteKind.CREATE.value
_CREATES = Prepared(select(_write.c.series_id, _write.c.payload).where(_IS_CREATE))
_CREATE_OF_UID = Prepared(
    select(_write.c.id)
    .join(_series, _series.c.id == _write.c.series_id)
    .where(_IS_CREATE, _series.c.uid == bindparam("of_uid"))
    .limit(1)
)
_OF_UID = Prepared(select(_series.c.id, _series.c.version).where(_series.c.uid == bindparam("of_uid")))
_UID_OF = Prepared(select(_series.c.uid, _series.c.zone).where(_series.c.id == bindparam("of_id")))
_KNOW_UID = Prepared(update(_series).where(_series.c.id == bindparam("of_id")))


def give_uid(transaction: Transaction, series_id: int, uid: ICalUid) -> None:
    """Give a series of the app the uid of its event; what a room showed of that before is the same series."""
    connection = transaction.connection
    was = _UID_OF.run(connection, {"of_id": series_id}).one()
    if was.uid == uid:
        return
    values: dict[str, object] = {"of_id": series_id, "uid": uid}
    stray = _OF_UID.run(connection, {"of_uid": uid}).first()
    if stray is not None:
        connection.execute(update(_loan).where(_loan.c.series == str(stray.id)).values(series=str(series_id)))
        connection.execute(_series.delete().where(_series.c.id == stray.id))
        values["version"] = stray.version
    _KNOW_UID.run(connection, values)
    if was.uid is not None:
        keep_series(transaction, {was.uid: was.zone})  # made again elsewhere: rooms may show the first one still


def recognise(transaction: Transaction, master: EventCopy, uid: ICalUid) -> None:
    """Give the series of the app that is being made and whose event *master* is that event's *uid*; there is none where
    it is somebody's own."""
    if master.transaction_id is None:
        return
    for row in _CREATES.run(transaction.connection):
        if row.payload["marker"] == master.transaction_id:
            give_uid(transaction, row.series_id, uid)
            return


def is_being_made(transaction: Transaction, key: str) -> bool:
    """Tell whether the series whose date *key* names is one of the app's that is being made."""
    parts = split_key(key)
    return parts is not None and _CREATE_OF_UID.run(transaction.connection, {"of_uid": parts[0]}).first() is not None
