"""
What happens in an invited mailbox: the calendar attendant places the request, the booking attendant answers it.

Two visible stages (Set-CalendarProcessing; observed by developers, docs-contrib issue 3877): the request lies on the
calendar tentatively with its own subject, then it is judged, and only an accepted one is rewritten. Every stage changes
the copy and is notified. Messages carry no content: each stage looks at the organizer's copy as it is by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from msgspec.structs import replace

from engine.simulator.answering.answers import Answers
from engine.simulator.answering.claims import Claims
from engine.simulator.answering.placing import Placing
from engine.simulator.answering.processing import (
    USER_PROCESSING,
    CalendarProcessing,
    MeetingRequest,
    Verdict,
    judge,
    last_bookable_day,
    parse_processing,
)
from engine.simulator.answering.replies import reply_text
from engine.simulator.answering.steps import Steps
from engine.simulator.calendars.mailbox import is_blocking
from engine.simulator.calendars.records import Event, Mailbox
from engine.simulator.calendars.recurrence import cut
from engine.simulator.letters import Letter
from engine.simulator.times import find_zone
from engine.simulator.world import World

ANSWERS = {Verdict.ACCEPT: "accepted", Verdict.DECLINE: "declined", Verdict.PENDING: "tentativelyAccepted"}


class Attendant:
    """The attendants of all mailboxes of one tenant."""

    def __init__(self, world: World, steps: Steps) -> None:
        self._world = world
        self._steps = steps
        self._placing = Placing(world)
        self._parsed: dict[str, CalendarProcessing] = {}
        self.claims = Claims(world, steps)
        steps.on("request", self._arrive)
        steps.on("decide", self._decide)
        steps.on("cancellation", self._cancellation)
        steps.on("sweep", self._sweep)
        steps.on("answer", Answers(world).arrive)
        steps.on("touch", self._touch)

    # -- sending

    def invite(self, organizer_copy: Event, address: str) -> None:
        """Send the meeting to *address*; mail to nobody we host leaves the tenant and is only counted."""
        self._send("request", organizer_copy, address)

    def uninvite(self, organizer_copy: Event, address: str) -> None:
        """Send a cancellation to *address*."""
        self._send("cancellation", organizer_copy, address)

    def respond(self, copy: Event, response: str, reason: str = "") -> None:
        """Send the answer of the owner of *copy* to the organizer; *reason* is told in the mail only."""
        owner = self._world.mailboxes[copy.mailbox]
        self._write("answer", owner.address, copy.organizer_address, copy, self._reply(owner, copy, response, reason))
        self._steps.schedule(
            "answer", self._delay(), mailbox=copy.organizer_mailbox, ical_uid=copy.ical_uid,
            attendee=copy.mailbox, response=response, sequence=copy.sequence, sent=self._world.now().isoformat(),
        )  # fmt: skip

    def options_of(self, mailbox: Mailbox) -> CalendarProcessing:
        """Return the processing options of *mailbox*."""
        options = self._parsed.get(mailbox.id)
        if options is None:
            plain = USER_PROCESSING if mailbox.kind in ("user", "external") else CalendarProcessing()
            options = parse_processing(mailbox.processing) if mailbox.processing else plain
            self._parsed[mailbox.id] = options
        return options

    def configure(self, mailbox: Mailbox, values: dict[str, object]) -> CalendarProcessing:
        """Change some options of *mailbox*, as Set-CalendarProcessing does; raises ValueError for an unknown name."""
        parse_processing(values)
        mailbox.processing = {**mailbox.processing, **values}
        self._parsed.pop(mailbox.id, None)
        self._world.save_mailbox(mailbox)
        return self.options_of(mailbox)

    def answer_for(self, copy: Event, verdict: Verdict, *, send: bool = True) -> None:
        """Answer as the owner or as a delegate who settles a waiting request; only rooms' copies are rewritten."""
        self._apply(copy, verdict, "", send=send)

    def _send(self, kind: str, organizer_copy: Event, address: str) -> None:
        self._write(kind, organizer_copy.organizer_address, address, organizer_copy)
        mailbox = self._world.find_mailbox(address)
        if mailbox is None or mailbox.state != "active" or mailbox.kind == "external":
            return
        if mailbox.id == organizer_copy.mailbox:
            return
        self._steps.schedule(
            kind, self._delay(), mailbox=mailbox.id, organizer=organizer_copy.mailbox, ical_uid=organizer_copy.ical_uid
        )

    def _write(self, kind: str, sender: str, to: str, about: Event, text: str = "") -> None:
        self._world.post(Letter(self._world.now(), kind, sender, to, about.subject, text))

    def _reply(self, owner: Mailbox, copy: Event, response: str, reason: str) -> str:
        rivals = self._rivals(copy) if reason == "conflict" else ()
        names = tuple(sorted({item.organizer_name for item in rivals}))
        return reply_text(self.options_of(owner), response, reason, names)

    def _delay(self) -> float:
        return self._world.between(self._world.options.attendant_delay)

    # -- stage one: the calendar attendant

    def _arrive(self, mailbox: str, organizer: str, ical_uid: str) -> None:
        owner = self._world.mailboxes[mailbox]
        meeting = self._world.calendars[organizer].by_ical(ical_uid)
        options = self.options_of(owner)
        if (
            meeting is None
            or not self._placing.is_invited(owner, meeting)
            or not self._is_processed(owner, meeting, options)
        ):
            return
        copy = self._world.calendars[mailbox].by_ical(ical_uid)
        if copy is None and not options.add_new_requests_tentatively:
            return
        self._placing.place(owner, meeting)
        if options.automate_processing == "AutoAccept" and self._may_answer(meeting, options):
            self._steps.schedule(
                "decide", self._delay(), mailbox=mailbox, organizer=organizer, ical_uid=ical_uid,
                sequence=meeting.sequence,
            )  # fmt: skip

    def _is_processed(self, owner: Mailbox, meeting: Event, options: CalendarProcessing) -> bool:
        """Say whether the calendar attendant places the request at all."""
        if owner.state != "active" or options.automate_processing == "None":
            return False
        return self._may_answer(meeting, options) or self._world.options.external_left_tentative

    def _may_answer(self, meeting: Event, options: CalendarProcessing) -> bool:
        """Requests from outside are skipped by default (Set-CalendarProcessing: ProcessExternalMeetingMessages)."""
        outside = self._world.mailboxes[meeting.mailbox].kind == "external"
        return options.process_external_meeting_messages or not outside

    # -- stage two: the booking attendant

    def _decide(self, mailbox: str, organizer: str, ical_uid: str, sequence: int) -> None:
        copy = self._world.calendars[mailbox].by_ical(ical_uid)
        if copy is None or copy.sequence != sequence or copy.is_cancelled:
            return
        owner = self._world.mailboxes[mailbox]
        if copy.response in ("accepted", "tentativelyAccepted"):
            self._confirm(owner, copy)
            return
        options = self.options_of(owner)
        request = self._request(owner, copy, options)
        verdict, reason = judge(request, options, now=self._world.now())
        if verdict is Verdict.IGNORE:
            return
        self._apply(copy, verdict, reason)
        if verdict is Verdict.ACCEPT and copy.recurrence is not None:
            self._limit_series(copy, request, options)

    def _limit_series(self, copy: Event, request: MeetingRequest, options: CalendarProcessing) -> None:
        """Cut an accepted series at the horizon; decline the dates in conflict one by one (Set-CalendarProcessing)."""
        last_day = last_bookable_day(request.zone, options, self._world.now())
        if request.ends_at is None or request.ends_at.astimezone(find_zone(request.zone)).date() > last_day:
            assert copy.recurrence is not None
            copy.recurrence = cut(copy.recurrence, last_day)
            self._world.write(copy, "updated")
        if options.allow_conflicts:
            return
        for item in self._bookable(copy, request.zone, options):
            if self._has_conflict(item):
                self._apply(item, Verdict.DECLINE, "conflict")

    def _bookable(self, copy: Event, zone: str, options: CalendarProcessing) -> list[Event]:
        """Return what of *copy* the attendant looks at: itself, or the dates of a series up to the booking window."""
        if copy.recurrence is None:
            return [copy]
        now, day = self._world.now(), last_bookable_day(zone, options, self._world.now()) + timedelta(days=1)
        horizon = datetime.combine(day, time.min, find_zone(zone)).astimezone(UTC)
        series = self._world.calendars[copy.mailbox].series[copy.key]
        return [item for item in series.window(now, horizon) if item.end <= horizon] if horizon > now else []

    def _request(self, owner: Mailbox, copy: Event, options: CalendarProcessing) -> MeetingRequest:
        place = self._world.place_of(owner)
        sender = self._world.mailboxes[copy.organizer_mailbox]
        dates = self._bookable(copy, owner.zone, options)
        series = self._world.calendars[copy.mailbox].series.get(copy.key)
        invited = (self._world.find_mailbox(item.address) for item in copy.attendees)
        kinds = ["user" if box is None or box.kind == "external" else box.kind for box in invited]
        return MeetingRequest(
            start=copy.start, end=copy.end, addresses=self._world.addresses_of(sender),
            people=self._seats(owner, copy), capacity=place.attributes.get("capacity") if place else None,
            conflicts=sum(self._has_conflict(item) for item in dates), zone=owner.zone, work_start=owner.work_start,
            work_end=owner.work_end, work_days=tuple(owner.work_days), is_recurring=series is not None,
            ends_at=series.end if series else copy.end,
            dates=tuple((item.start, item.end) for item in dates), is_workspace=owner.kind == "workspace",
            resources=len(kinds) - kinds.count("user"), workspaces=kinds.count("workspace"),
        )  # fmt: skip

    def _has_conflict(self, copy: Event) -> bool:
        return any(True for _ in self._rivals(copy))

    def _rivals(self, copy: Event) -> Iterator[Event]:
        """Yield what takes the room at the time of *copy*."""
        own = copy.series or copy.key
        others = self._world.calendars[copy.mailbox].window(copy.start, copy.end)
        return (other for other in others if (other.series or other.key) != own and is_blocking(other))

    def _seats(self, owner: Mailbox, copy: Event) -> int:
        """Count the people of *copy*; in a workspace also those who sit there at the time (Support: RBA logs)."""
        if owner.kind != "workspace":
            return len(copy.attendees)
        return sum(seats(item) for item in (copy, *self._rivals(copy)))

    def _apply(self, copy: Event, verdict: Verdict, reason: str, *, send: bool = True) -> None:
        """Carry out *verdict* and answer; a declined request leaves the calendar (Graph docs: user-post-events)."""
        copy.responded_at = self._world.now()
        copy.response = ANSWERS[verdict]
        copy.pending_reason = reason if verdict is Verdict.PENDING else ""
        self._placing.set_own_status(copy)
        if verdict is Verdict.DECLINE:
            self._decline_exceptions(copy, reason, send=send)
            self._world.erase(copy)
        elif verdict is Verdict.PENDING:
            self._keep_pending(copy)
        else:
            copy.show_as = copy.intended_show_as
            self._world.write(copy, "updated")
            self._rewrite(copy)
            self._touch_later(copy)
            self._expect(copy)
        if send:
            self.respond(copy, copy.response, reason)

    def _decline_exceptions(self, copy: Event, reason: str, *, send: bool) -> None:
        """A declined series takes its exceptions along, and the dates that were accepted by themselves before it came:
        each was a request of its own, so each has its answer."""
        if copy.recurrence is None or not send:
            return
        series = self._world.calendars[copy.mailbox].series[copy.key]
        for item in (*series.exceptions.values(), *self._accepted_alone(copy)):
            self.respond(item, ANSWERS[Verdict.DECLINE], reason)

    def _accepted_alone(self, copy: Event) -> Iterator[Event]:
        """Yield the dates that are like every other of the series *copy*, and of which the organizer has a yes."""
        owner, organizer = (self._world.mailboxes[each] for each in (copy.mailbox, copy.organizer_mailbox))
        series = self._world.calendars[owner.id].series[copy.key]
        meeting = self._world.calendars[organizer.id].by_ical(copy.ical_uid)
        if meeting is None or meeting.recurrence is None:
            return
        for day, asked in self._world.calendars[organizer.id].series[meeting.key].exceptions.items():
            date = series.at(day) if day not in series.exceptions else None
            if date is not None and self._placing.answer(owner, asked) == "accepted":
                yield replace(date, sequence=asked.sequence)

    def _expect(self, copy: Event) -> None:
        """Where somebody has to check in, give the room back when nobody does."""
        owner = self._world.mailboxes[copy.mailbox]
        options = self.options_of(owner)
        if options.enable_auto_release:
            for item in self._bookable(copy, owner.zone, options):
                self.claims.watch(item, options)

    def _keep_pending(self, copy: Event) -> None:
        """
        A waiting request shows Tentative, or Free, and is passed to the delegates, if there are any.

        Source: Set-CalendarProcessing (TentativePendingApproval, ForwardRequestsToDelegates, ResourceDelegates).
        """
        owner = self._world.mailboxes[copy.mailbox]
        options = self.options_of(owner)
        if options.forward_requests_to_delegates:
            for delegate in options.resource_delegates:
                self._write("approval", owner.address, delegate, copy)
        copy.show_as = "tentative" if options.tentative_pending_approval else "free"
        self._world.write(copy, "updated")

    def _confirm(self, owner: Mailbox, copy: Event) -> None:
        """Treat an update that leaves the time alone: rewrite again, keep the answer, answer again."""
        if copy.response == "accepted":
            self._rewrite(copy)
        if self.options_of(owner).automate_processing == "AutoAccept":
            self.respond(copy, copy.response)

    def _rewrite(self, copy: Event) -> None:
        """Post-process an accepted request (Set-CalendarProcessing; Support: calendar-shows-organizer-name)."""
        options = self.options_of(self._world.mailboxes[copy.mailbox])
        if options.automate_processing != "AutoAccept":
            return
        before = (copy.subject, copy.body, copy.sensitivity, copy.has_attachments)
        if options.delete_subject:
            copy.subject = copy.organizer_name if options.add_organizer_to_subject else ""
        elif options.add_organizer_to_subject:
            copy.subject = f"{copy.organizer_name} {copy.subject}".strip()
        if options.delete_comments:
            copy.body = ""
        if options.delete_attachments:
            copy.has_attachments = False
        if options.remove_private_property:
            copy.sensitivity = "normal"
        if before != (copy.subject, copy.body, copy.sensitivity, copy.has_attachments):
            self._world.write(copy, "updated")

    def _touch_later(self, copy: Event) -> None:
        for _ in range(self._world.rng.randint(0, self._world.options.extra_touches)):
            self._steps.schedule("touch", self._delay(), mailbox=copy.mailbox, key=copy.key)

    def _touch(self, mailbox: str, key: str) -> None:
        """A background assistant saves the item again with nothing changed (Support: calendar diagnostic logs)."""
        event = self._world.calendars[mailbox].find(key)
        if event is not None:
            self._world.write(self._world.master_of(event), "updated")

    # -- cancellations and answers

    def _cancellation(self, mailbox: str, organizer: str, ical_uid: str) -> None:
        calendar = self._world.calendars[mailbox]
        copy = calendar.by_ical(ical_uid)
        owner = self._world.mailboxes[mailbox]
        options = self.options_of(owner)
        meeting = self._world.calendars[organizer].by_ical(ical_uid)
        if options.automate_processing == "None" or (meeting and self._placing.is_invited(owner, meeting)):
            return
        for item in (*([copy] if copy else []), *calendar.loose_dates(ical_uid)):
            if not item.is_cancelled and not item.is_organizer:
                self._call_off(item, options)
        if not options.remove_canceled_meetings:
            self._ask_again(owner, organizer, ical_uid)

    def _call_off(self, copy: Event, options: CalendarProcessing) -> None:
        copy.is_cancelled = True
        copy.subject = f"Canceled: {copy.subject}"
        copy.show_as = "free"
        series = self._world.calendars[copy.mailbox].series.get(copy.key)
        for item in series.exceptions.values() if series else ():
            item.show_as = "free"
        self._world.write(copy, "updated")
        if options.remove_canceled_meetings:
            self._steps.schedule("sweep", self._delay(), mailbox=copy.mailbox, key=copy.key)

    def _ask_again(self, owner: Mailbox, organizer: str, ical_uid: str) -> None:
        """Who is no longer invited to a series, but still to some of its exceptions, has a request for each."""
        meeting = self._world.calendars[organizer].by_ical(ical_uid)
        series = self._world.calendars[organizer].series.get(meeting.key) if meeting else None
        for item in series.exceptions.values() if series else ():
            if self._placing.is_invited(owner, item):
                self.invite(item, owner.address)

    def _sweep(self, mailbox: str, key: str) -> None:
        """Delete a cancelled copy (Set-CalendarProcessing: RemoveCanceledMeetings)."""
        copy = self._world.calendars[mailbox].find(key)
        if copy is not None and copy.is_cancelled:
            self._world.erase(copy)
            self._ask_again(self._world.mailboxes[mailbox], copy.organizer_mailbox, copy.ical_uid)


def seats(event: Event) -> int:
    """Count the people of a meeting: its organizer and everybody invited who is no resource."""
    return 1 + sum(item.type != "resource" for item in event.attendees)
