"""What the daily clearing takes away, as the settings have it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app.office import Office
from engine.app.timetable import clear_away
from engine.ids import Address, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Requester
from engine.loans.register import ItemRef, LoanOrder
from engine.loans.status import LoanAction
from engine.settings import DatabaseSettings, Settings
from engine.settings.sections import PrivacySettings
from tests.templates import put_database

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
ZOE = Requester(Address("zoe@elsewhere.org"), "Zoé Ñandú")


@pytest.mark.parametrize(("kept_days", "days", "is_nobodys"), [(730, 729, False), (730, 732, True), (0, 9000, False)])
def test_a_loan_becomes_nobodys_when_it_is_old_enough(
    tmp_path: Path, kept_days: int, days: int, is_nobodys: bool
) -> None:
    now = [NOW]
    settings = Settings(
        database=DatabaseSettings(url=put_database(tmp_path / "accord.db")),
        privacy=PrivacySettings(retention_days=kept_days),
    )
    with Office(settings, now=lambda: now[0]) as office:
        store = office.inventory.add_store("Main desk", actor="app:test")
        thing = office.desk.add_asset("Projector", store=store.name, description="", actor="app:test")
        times = Interval(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
        loan = office.desk.book(LoanOrder(ZOE, times, (ItemRef(ItemKind.ASSET, thing.id),)), actor="app:test")
        office.desk.act(loan.number, LoanAction.CANCEL, actor="app:test")
        now[0] = NOW + timedelta(days=days)

        clear_away(office)

        assert (office.desk.find(LoanNumber(1)).requester != ZOE) is is_nobodys
