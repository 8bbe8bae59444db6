"""What a process that only serves pages and the API tells others: it goes by what other processes have changed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from engine.app.office import Office
from engine.app.run_time import RunTimeSettings
from engine.database.tables import metadata
from engine.ids import Address
from engine.loans.loan import Requester, TextLevel
from engine.loans.status import LoanAction
from engine.settings import MailSettings
from engine.web.pages.parts.settings import SettingKey
from engine.webhooks.endpoint import EndpointOrder
from tests.web.visitors import NOW, open_house

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


def test_what_the_settings_keep_to_themselves_is_in_no_webhook(tmp_path: Path) -> None:
    """Where no mail is sent, nobody asks for settings there but who writes a webhook's message."""
    now = [NOW]
    with open_house(tmp_path) as house, Office(house.office.settings, now=lambda: now[0]) as office:
        order = EndpointOrder(url="https://receiver.example.org/hook", personal=True)
        office.webhooks.add(order, secret=None, actor="app:test")
        loan = house.book(GUEST, title="Tea with the mayor")
        RunTimeSettings(house.office).set_value(SettingKey.TEXT_LEVEL, TextLevel.NUMBER_ONLY, actor="app:test")

        now[0] += timedelta(seconds=2)
        office.desk.act(loan.number, LoanAction.CANCEL, actor="app:test")

        with office.database.read() as transaction:
            *_, message = transaction.connection.execute(metadata.tables["outbox"].select()).all()
        assert f'"number":{loan.number}' in message.body.replace(" ", "")
        assert "mayor" not in message.body
