"""Mails of a process that only serves pages and the API: they go by what other processes have changed."""

from __future__ import annotations

from pathlib import Path

from engine.app.office import Office
from engine.database.tables import metadata
from engine.ids import Address
from engine.loans.loan import Requester, TextLevel
from engine.settings import MailSettings
from tests.web.visitors import open_house

GUEST = Requester(Address("guest@elsewhere.example"), "Guest")
MAIL = MailSettings(host="mail.example.org", sender="desk@example.org")


def test_what_a_store_keeps_to_itself_is_in_no_mail(tmp_path: Path) -> None:
    """Nobody asks for stores there but who writes a mail, in a transaction, where nothing is read again."""
    with open_house(tmp_path, mail=MAIL) as house:
        with Office(house.office.settings, now=house.office.now) as other:
            (store,) = other.desk.list_stores()
            level = TextLevel.NUMBER_ONLY
            other.inventory.change_store(store.id, name=store.name, approval=False, text_level=level, actor="app:test")

        loan = house.book(GUEST, title="Tea with the mayor")

        with house.office.database.read() as transaction:
            (message,) = transaction.connection.execute(metadata.tables["outbox"].select()).all()
        assert f"#{loan.number}" in message.body
        assert "mayor" not in message.body
