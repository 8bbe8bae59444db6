"""What only a judge may see of a world: what both sides hold, and what nobody could have been told."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from engine.database.sql.connection import Database
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.loan import Case, Loan
from engine.prove.world import glance
from engine.prove.world.doors import Doors
from engine.prove.world.virtual import START
from engine.reconcile.markers import parse_marker
from engine.rooms.series import day_of, lone_key
from engine.settings import Settings
from engine.simulator.calendars.records import Event
from engine.simulator.graph.render import Style, render_event
from engine.simulator.people import Refused, event_path

YES = ("accepted", "tentativelyAccepted")
"""The answers of a room that shows the meeting."""


class Sight(Doors):
    """A world whose calendars and tables can be looked at from behind the doors. For judges; nobody acts by it."""

    settings: Settings
    database: Database
    _first_rooms: set[BookableId]

    def _rows(self, statement: str, **values: object) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.connection.execute(text(statement), values).all())

    def is_kept(self, number: int) -> bool:
        """Tell whether somebody decided that a loan stays although its meeting was cancelled."""
        return bool(self._rows("SELECT 1 FROM link WHERE loan_number = :number AND hold = 'rejected'", number=number))

    def is_held_alone(self, number: int) -> bool:
        """Tell whether a loan is kept so, and a case says that the meeting which its organizer still has is in none of
        its rooms: both go their own ways until it is."""
        told = (
            "SELECT 1 FROM \"case\" WHERE loan_number = :number AND code = 'kept_against_outlook' AND state != 'closed'"
        )
        return self.is_kept(number) and bool(self._rows(told, number=number))

    def links(self) -> dict[int, str | None]:
        """Return the meeting of each loan: of its newest generation."""
        return glance.meetings_of_loans(self.database)

    def names_of(self, number: int) -> list[str]:
        """Return every meeting that a loan ever had."""
        rows = self._rows("SELECT ical_uid FROM link WHERE loan_number = :number", number=number)
        return [row.ical_uid for row in rows if row.ical_uid]

    def linked_uids(self) -> list[str]:
        return [row.ical_uid for row in self._rows("SELECT ical_uid FROM link WHERE state = 'linked'") if row.ical_uid]

    def loan_of(self, ical_uid: str) -> int | None:
        return glance.loan_of(self.database, ical_uid)

    def tell(self, loan: Loan) -> str:
        """Return a loan and its history in one line, for whoever has to find out what happened."""
        steps = "; ".join(
            f"{(decision.at - START).total_seconds():.2f} {decision.code} {decision.facts}"
            for decision in self.office.desk.history(loan.number)
        )
        items = ", ".join(f"{item.name} {item.state}" for item in loan.items)
        return f"loan {loan.number} {loan.home} {loan.status} {loan.interval.start:%d %H:%M} [{items}]: {steps}"

    def all_cases(self) -> list[Case]:
        """Return every case there ever was."""
        return list(self.office.desk.list_cases(state=None, after=None, limit=10_000))

    def all_case_facts(self) -> list[dict[str, Any]]:
        return [case.facts for case in self.office.desk.list_cases(state=None, after=None, limit=10_000)]

    def cases_of(self, number: int) -> set[str]:
        return glance.codes_of(self.database, number)

    def loans_of_meeting(self, ical_uid: str) -> list[int]:
        """Return every loan that a meeting is, or was before it lost its rooms."""
        rows = self._rows("SELECT DISTINCT loan_number FROM decision WHERE ical_uid = :uid", uid=ical_uid)
        return [row.loan_number for row in rows if row.loan_number is not None]

    def cases_of_meeting(self, ical_uid: str) -> set[str]:
        """Return of what kinds the cases are of every loan that a meeting is, or was."""
        return {code for number in self.loans_of_meeting(ical_uid) for code in self.cases_of(number)}

    def is_told(self, loan: Loan) -> bool:
        """Tell whether a case says what became of *loan*; a series that is refused whole has one for all its dates."""
        series = [each.number for each in self.loans if loan.series is not None and each.series == loan.series]
        return any(self.cases_of(number) for number in {loan.number, *series})

    def is_explained(self, ical_uid: str, *, is_from_outside: bool = False) -> bool:
        """
        Tell whether a case, a decision or a plan says why this meeting is no loan (any more); a case that somebody
        chose to ignore does.

        That the desk cancelled it is no reason, nor that it was made anew for somebody else: its rooms were freed. But
        an organizer outside, whose meeting could only be declined, may ask them anew; and who was given a meeting at
        that moment may keep it.
        """
        if ical_uid in self.untold.left_by_plan or self._is_from_before_its_room(ical_uid):
            return True
        rows = self._rows(
            "SELECT 1 FROM \"case\" WHERE ical_uid = :uid AND (state = 'open' OR settlement = 'ignore')", uid=ical_uid
        )
        ended = self._rows(
            "SELECT 1 FROM link JOIN decision ON decision.loan_number = link.loan_number WHERE link.ical_uid = :uid "
            "AND decision.code IN ('no_room_left', 'all_rooms_released', :declined, :cancelled, :replaced)",
            uid=ical_uid,
            declined="declined_for_room" if is_from_outside else "",
            cancelled="cancelled_in_app" if ical_uid in self.untold.handed_over else "",
            replaced="former_event_deleted" if ical_uid in self.untold.handed_over else "",
        )
        return bool(rows or ended)

    def _is_from_before_its_room(self, ical_uid: str) -> bool:
        """Tell whether a meeting was found when its room was read first, which is a new one here: set up anew, and
        given another address, before the list of rooms was read again (decision 0004)."""
        statement = "SELECT room_id FROM room_copy WHERE ical_uid = :uid AND live AND listed"
        return any(row.room_id not in self._first_rooms for row in self._rows(statement, uid=ical_uid))

    def is_out_of_sight(self, loan: Loan) -> bool:
        """Tell whether a loan's meeting left its rooms while nobody could be asked for it: it had been given to
        somebody else before a room told of that, or its organizer's mailbox was closed (B52): that of its requester, or
        of whom the desk has given it away from since."""
        told = "SELECT ical_uid FROM decision WHERE loan_number = :number AND code = 'cancelled_in_outlook'"
        uids = {(row.ical_uid or "").partition("@")[0] for row in self._rows(told, number=loan.number)}
        rows = self._rows("SELECT organizer_mailbox FROM link WHERE loan_number = :number", number=loan.number)
        mailboxes = {loan.requester.address.casefold(), *((row.organizer_mailbox or "").casefold() for row in rows)}
        is_closed = not mailboxes.isdisjoint(self.untold.closed)
        return bool(uids) and (is_closed or not uids.isdisjoint(self.untold.handed_over))

    def is_untold(self, room: int, ical_uid: str) -> bool:
        """Tell whether a room had a meeting only in a calendar that was deleted before anybody could read it there, or
        had been forwarded it and dropped it by then, or is asked for a date behind those it takes of an endless series:
        who is told of meetings by rooms knows nothing of it. That it had left the room before is known; but not why it
        did while its organizer's mailbox was closed."""
        found = self.office.rooms.room_book().by_address(self.room_addresses[room - 1])
        emptied_at = self.untold.emptied.get((room, ical_uid))
        if (room, ical_uid) in self.untold.dropped_unasked:
            return True
        if found is None or not (emptied_at or self._is_cut_off(room, ical_uid)):
            return False
        statement = "SELECT live, observed_at FROM room_copy WHERE room_id = :room AND ical_uid = :uid"
        copies = self._rows(statement, room=found.id, uid=ical_uid)
        return not any(
            copy.live or emptied_at is None or datetime.fromisoformat(str(copy.observed_at)) >= emptied_at
            for copy in copies
        )

    def _is_cut_off(self, room: int, key: str) -> bool:
        """Tell whether a room has the series of a date, but ends it before (AllowRecurringMeetings, BookingWindow)."""
        day, box = day_of(key), self.tenant.office.find(self.room_addresses[room - 1]).id
        copies = self.tenant.world.calendars[box].all_by_ical(key.partition("@")[0])
        ends = [
            copy.recurrence.end_date for copy in copies if copy.recurrence and copy.recurrence.range_kind == "endDate"
        ]
        return day is not None and bool(ends) and max(ends) < day

    def is_outside(self, address: str) -> bool:
        """Tell whether *address* is nobody's of ours: neither a person's nor a room's."""
        return address.casefold() not in self.people and self.room_number(address.casefold()) is None

    def all_events(self) -> list[dict[str, Any]]:
        """Return everybody's own events: the organizers' copies, of a series its dates under their own names."""
        found = []
        for person in range(1, len(self.people) + 1):
            own = [event for event in self.run(self.person(person).events()) if event["isOrganizer"]]
            found += [event for event in own if event["type"] != "seriesMaster"]
            for master in own:
                found += self.dates(person, master["id"]) if master["type"] == "seriesMaster" else []
        return found + self._events_of_nobody()

    def _events_of_nobody(self) -> list[dict[str, Any]]:
        """Return what has no person of ours as its organizer: somebody outside, or the room itself."""
        calendars = self.tenant.world.calendars
        outside = [box for box in self.tenant.world.mailboxes.values() if box.kind == "external"]
        found = [render_event(event, Style()) for box in outside for event in calendars[box.id].events.values()]
        for number in range(1, len(self.room_addresses) + 1):
            found += [event for event in self.run(self.room(number).events()) if event["isOrganizer"]]
        return found

    def times_of(
        self, event: dict[str, Any], shown: Container[int] | None = None, unheard: Collection[int] = ()
    ) -> Interval | None:
        """
        Return an event's times. Whole days last from the first midnight to the last one where its rooms lie that have
        not said no (decision 16).

        Args:
            event: the organizer's copy.
            shown: the rooms that show it: one that said yes and does not has dropped it. None: whatever they show.
            unheard: rooms that it names without anybody here being able to know.

        None where it has no length: an hour that the clock skips.
        """
        start, end = (datetime.fromisoformat(event[name]["dateTime"][:19]) for name in ("start", "end"))
        if not event["isAllDay"]:
            return Interval(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) if start < end else None
        book, cache = self.office.rooms.room_book(), self.office.cache
        invited = self.invited(event)
        dropped = {room for room, said in invited.items() if said in YES and shown is not None and room not in shown}
        holding = {room for room, said in invited.items() if said != "declined"} - dropped - set(unheard)
        rooms = [book.by_address(address) for address in self.addresses(holding or invited)]
        zones = {cache.zone_of(room.id) for room in rooms if room is not None} or {cache.default_zone}
        return Interval(
            min(start.replace(tzinfo=zone) for zone in zones), max(end.replace(tzinfo=zone) for zone in zones)
        )

    def creations(self) -> list[str]:
        """
        Return the transaction id of every organizer's event that was made with one, once for each event.

        One in a mailbox that was closed is told apart: when the answer to a creation is lost and the mailbox closes
        before it can be repeated, nobody can know of the event, and the default user's calendar stands in (B52).
        """
        return [f"{event.transaction_id} {closed}" for event, closed in self._created_events()]

    def is_said_unheard(self, number: int, interval: Interval) -> bool:
        """Tell whether only an event of a loan that nobody can know of, see `creations`, says *interval*: whoever moved
        it there did so in vain."""
        instance, names = self.office.instance, self.names_of(number)
        return any(
            closed
            and (marker := parse_marker(instance, event.transaction_id)) is not None
            and marker.number == number
            and event.ical_uid not in names
            and self.times_of(render_event(event, Style())) == interval
            for event, closed in self._created_events()
        )

    def _created_events(self) -> list[tuple[Event, str]]:
        """Return the organizers' events that were made with a transaction id, each with its mailbox if that was ever
        closed, else ""."""
        calendars = self.tenant.world.calendars
        closed = {self.tenant.office.find(address).id for address in self.untold.closed}
        return [
            (event, box if box in closed else "")
            for box, calendar in calendars.items()
            for event in calendar.events.values()
            if event.transaction_id and event.is_organizer
        ]

    def judged(self) -> tuple[datetime, datetime]:
        """Return the stretch in which both sides are looked at: more than the engine reads, which is its horizon."""
        now = self.loop.now()
        return now - timedelta(days=60), now + timedelta(days=self.settings.sync.horizon_days + 60)

    def is_beyond(self, start: datetime) -> bool:
        """Tell whether what starts then may lie beyond the horizon, which slides: Outlook is not read so far ahead."""
        return start > self.loop.now() + timedelta(days=self.settings.sync.horizon_days - 5)

    def room_answers(self) -> dict[str, dict[int, str]]:
        """Return what rooms' own calendars say: the answer of each room's copy, by meeting or date of a series."""
        found: dict[str, dict[int, str]] = {}
        for number in range(1, len(self.room_addresses) + 1):
            for name, answer in self.answers_of(number).items():
                found.setdefault(name, {})[number] = answer
        return found

    def answers_of(self, room: int) -> dict[str, str]:
        """Return what the copies in one room's own calendar say, by meeting or date of a series."""
        return {
            name: "accepted" if event["isOrganizer"] else event["responseStatus"]["response"]
            for name, event in self.copies_of(room).items()
        }

    def copies_of(self, room: int) -> dict[str, dict[str, Any]]:
        """Return the copies in one room's own calendar that were not cancelled, by meeting or date of a series."""
        shown = self.run(self.room(room).view(*self.judged()))
        return {name_of_copy(event): event for event in shown if not event["isCancelled"]}

    def invited(self, event: dict[str, Any]) -> dict[int, str]:
        """Return the rooms an event invites, by their numbers, with what it says of their answers; a room that
        organizes it has accepted."""
        said = {each["emailAddress"]["address"]: each["status"]["response"] for each in event["attendees"]}
        said[event["organizer"]["emailAddress"]["address"]] = "accepted"
        rooms = {self.room_number(address): response for address, response in said.items()}
        return {room: response for room, response in rooms.items() if room is not None}

    def dates_by_name(self, person: int, master_id: str) -> dict[str, dict[str, Any]]:
        """Return the dates of a series that its organizer's calendar shows; none when the series is gone."""
        try:
            return {str(event["iCalUId"]): event for event in self.dates(person, master_id)}
        except Refused:
            return {}

    def dates(self, person: int, master_id: str) -> list[dict[str, Any]]:
        """Return the dates of a series in its organizer's calendar, by start, each under the name it has here."""
        since, until = self.judged()
        query = urlencode({"startDateTime": since.isoformat(), "endDateTime": until.isoformat()})
        tail = f"{event_path(master_id)}/instances?{query}&$top=1000"
        found = self.run(self.person(person).call("GET", tail))["value"]
        named = [{**event, "iCalUId": name_of_copy(event)} for event in found]
        return sorted(named, key=lambda event: str(event["start"]["dateTime"]))


def name_of_copy(event: dict[str, Any]) -> str:
    """Return what names a copy's meeting here: of a date of a series, the date."""
    return lone_key(event["iCalUId"]) or str(event["iCalUId"])
