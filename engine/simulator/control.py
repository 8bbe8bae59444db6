"""
The control room: `/sim/...`, for people and for the command line. No part of Graph; needs no token.

    GET  /sim                          what there is: counts, waiting steps and notices, mails sent
    GET  /sim/people, /sim/rooms       who and what
    GET  /sim/calendars/{mailbox}      every copy in one calendar, in short: singles, masters, exceptions
    POST /sim/people {address, name, zone?, aliases?}        POST /sim/people/{who}/rename {name}
    POST /sim/people/{who}/revoke                                    what they let programs do in their mailbox
    POST /sim/mailboxes/{who}/state {state, after?}                  active, disabled, removed or denied
    POST /sim/mailboxes/{who}/readdress {address, keep_alias?}
    POST /sim/mailboxes/{who}/lose-delta {gone?}
    POST /sim/mailboxes/{who}/zone {zone, custom?}
    POST /sim/mailboxes/{who}/disguise {ical_uid, start?, end?, start_zone?, end_zone?}      odd times and zone names
    POST /sim/mailboxes/{who}/touch | release {ical_uid}     POST .../change-organizer {ical_uid, new}
    POST /sim/rooms {address, name, capacity?, tags?, ...}   DELETE /sim/rooms/{room}
    POST /sim/rooms/{room}/rename {name}                     POST /sim/rooms/{room}/attributes {tags, hidden, ...}
    POST /sim/rooms/{room}/processing {AllowConflicts, ...}  GET the same: the options in force
    POST /sim/rooms/{room}/new-place-id
    GET  /sim/rooms/{room}/pending                           POST .../approve | reject {ical_uid, by?, send?}
    POST /sim/rooms/{room}/check-in {ical_uid}
    GET  /sim/mails                                          the last messages, reasons of refusals included
    POST /sim/outside {sender, name, event}                  a request from another organisation
    GET  /sim/faults    POST /sim/faults {effect, ...}       DELETE /sim/faults, /sim/faults/{id}
    POST /sim/faults/storm {seed, count?}                    a mix of faults, the same for the same seed
    GET  /sim/endpoints                 POST the same {host, state}: ok, slow or drop
    GET  /sim/subscriptions                                  with client states
    POST /sim/subscriptions/{id}/remove {notice?} | kill | lifecycle {event}
    GET  /sim/permissions               POST the same {granted?, scoped?}: what the application may do
    GET  /sim/stats                                          POST /sim/stats/reset
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from engine.simulator.answering.attendant import Attendant
from engine.simulator.answering.steps import Steps
from engine.simulator.calendars.records import Event, Mailbox
from engine.simulator.graph.places import render_place
from engine.simulator.notices.courier import Courier
from engine.simulator.notices.subscriptions import Subscriptions
from engine.simulator.notices.subscriptions import render as render_subscription
from engine.simulator.office import Office, Unknown
from engine.simulator.sign_in.delegated import Delegated
from engine.simulator.sign_in.permissions import Permissions
from engine.simulator.times import render_instant
from engine.simulator.weather.faults import Faults
from engine.simulator.weather.storm import raise_storm
from engine.simulator.wire import GraphError, Request, Response, decode_json, json_response
from engine.simulator.world import World, render_id

Body = dict[str, Any]


class Controlled(Protocol):
    """What of a tenant the control room takes hold of."""

    world: World
    office: Office
    attendant: Attendant
    steps: Steps
    faults: Faults
    subscriptions: Subscriptions
    courier: Courier
    delegated: Delegated
    permissions: Permissions
    requests: Counter[tuple[str, str, str]]

    def stats(self) -> Body: ...

    def reset_stats(self) -> None: ...


class Control:
    """Answers /sim."""

    def __init__(self, tenant: Controlled) -> None:
        self._tenant = tenant
        self._things: dict[str, Callable[[str, list[str], Body], Any]] = {
            "people": self._people,
            "mailboxes": self._mailboxes,
            "rooms": self._rooms,
            "calendars": self._calendars,
            "outside": self._outside,
            "faults": self._faults,
            "endpoints": self._endpoints,
            "subscriptions": self._subscriptions,
            "mails": self._mails,
            "permissions": self._permissions,
            "stats": self._stats,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request under /sim; errors are JSON with a `message`."""
        rest = [part for part in request.segments[1:] if part]
        try:
            body: Body = decode_json(request.body) if request.body.strip() else {}
            found = self._summary() if not rest else self._thing(rest[0])(request.method, rest[1:], body)
        except Unknown as error:
            return json_response(404, {"message": str(error)})
        except ValueError as error:
            return json_response(400, {"message": str(error)})
        except (TypeError, KeyError, RecursionError) as error:
            return json_response(400, {"message": f"{type(error).__name__}: {error}"})
        except GraphError as error:
            return json_response(error.status, {"message": str(error)})
        return json_response(200, found)

    def _thing(self, name: str) -> Callable[[str, list[str], Body], Any]:
        if name not in self._things:
            raise Unknown(f"there is no /sim/{name}; there are {', '.join(sorted(self._things))}")
        return self._things[name]

    def _summary(self) -> Body:
        tenant = self._tenant
        kinds = [mailbox.kind for mailbox in tenant.world.mailboxes.values()]
        return {
            "now": render_instant(tenant.world.now()),
            "people": kinds.count("user"),
            "rooms": sum(1 for place in tenant.world.places.values() if place.kind == "room"),
            "events": sum(len(calendar.events) for calendar in tenant.world.calendars.values()),
            "subscriptions": len(tenant.subscriptions.all),
            "faults": len(tenant.faults.rules),
            "waiting_steps": tenant.steps.waiting,
            "waiting_notices": tenant.courier.waiting,
            "mails": tenant.world.mails,
            "requests": sum(tenant.requests.values()),
        }

    # -- people and mailboxes

    def _people(self, method: str, rest: list[str], body: Body) -> Any:
        office = self._tenant.office
        if method == "GET":
            return [
                self._person(item)
                for item in self._tenant.world.mailboxes.values()
                if item.kind in ("user", "external")
            ]
        if not rest:
            return self._person(office.add_person(**_tuples(body)))
        if rest[1:] == ["revoke"]:
            self._tenant.delegated.revoke(office.find(rest[0]).address)
            return {}
        if rest[1:] == ["rename"]:
            return self._person(office.rename(rest[0], body["name"]))
        raise Unknown("a person can be added or renamed, and what they allowed be revoked")

    def _person(self, mailbox: Mailbox) -> Body:
        return {
            "id": mailbox.id, "address": mailbox.address, "name": mailbox.display_name, "kind": mailbox.kind,
            "state": mailbox.state, "aliases": mailbox.aliases, "zone": mailbox.zone,
        }  # fmt: skip

    def _mailboxes(self, method: str, rest: list[str], body: Body) -> Any:
        office = self._tenant.office
        who, verb = [*rest, "", ""][:2]
        verbs: dict[str, Callable[..., Any]] = {
            "state": office.set_state, "readdress": office.readdress, "lose-delta": office.lose_delta,
            "zone": office.set_zone, "disguise": office.disguise, "touch": office.touch, "release": office.release,
            "change-organizer": office.change_organizer,
        }  # fmt: skip
        if verb not in verbs:
            raise Unknown(f"a mailbox knows {', '.join(verbs)}")
        verbs[verb](who, **body)
        return self._person(office.find(who if verb != "readdress" else body["address"])) if verb != "state" else {}

    def _calendars(self, method: str, rest: list[str], body: Body) -> Any:
        mailbox = self._tenant.office.find(rest[0] if rest else "")
        return [_brief(event) for event in self._tenant.world.calendars[mailbox.id].everything()]

    def _outside(self, method: str, rest: list[str], body: Body) -> Any:
        return _brief(self._tenant.office.request_from_outside(body["sender"], body["name"], body["event"]))

    # -- rooms

    def _rooms(self, method: str, rest: list[str], body: Body) -> Any:
        office, world = self._tenant.office, self._tenant.world
        if not rest and method == "GET":
            return [
                {**render_place(item), "hidden": item.hidden} for item in world.places.values() if item.kind == "room"
            ]
        if not rest:
            return render_place(office.add_room(**_tuples(body)))
        if len(rest) == 1 and method == "DELETE":
            office.remove_room(rest[0])
            return {}
        return self._room_verb(rest[0], rest[1] if len(rest) > 1 else "", method, body)

    def _room_verb(self, room: str, verb: str, method: str, body: Body) -> Any:
        office = self._tenant.office
        match verb:
            case "rename":
                return self._person(office.rename(room, body["name"]))
            case "attributes":
                return render_place(office.change_place(room, **body))
            case "processing" if method == "GET":
                return asdict(self._tenant.attendant.options_of(office.find(room)))
            case "processing":
                return asdict(office.set_processing(room, **body))
            case "new-place-id":
                return render_place(office.renew_place_id(room))
            case "pending":
                return [_brief(event) for event in office.pending(room)]
            case "approve" | "reject":
                office.settle(room, approve=verb == "approve", **body)
                return {}
            case "check-in":
                return {"expected": office.check_in(room, body["ical_uid"])}
        raise Unknown(f"a room does not know {verb!r}")

    # -- faults, subscriptions, counters

    def _faults(self, method: str, rest: list[str], body: Body) -> Any:
        faults = self._tenant.faults
        if rest == ["storm"]:
            return [rule.as_document() for rule in raise_storm(faults, **body)]
        if method == "POST":
            return faults.add(**body).as_document()
        if method == "DELETE" and rest:
            return {"removed": faults.remove(int(rest[0]))}
        if method == "DELETE":
            faults.clear()
        return [rule.as_document() for rule in faults.rules]

    def _endpoints(self, method: str, rest: list[str], body: Body) -> Any:
        endpoints = self._tenant.courier.endpoints
        if method == "POST":
            endpoints.force(body["host"], body["state"])
        return endpoints.listing()

    def _subscriptions(self, method: str, rest: list[str], body: Body) -> Any:
        subscriptions = self._tenant.subscriptions
        if not rest:
            return [render_subscription(item) for item in subscriptions.all.values()]
        found = subscriptions.all.get(rest[0])
        if found is None:
            raise Unknown(f"no subscription {rest[0]!r}")
        verb = rest[1] if len(rest) > 1 else ""
        if verb == "remove":
            if body.get("notice", True):
                self._tenant.courier.lifecycle(found, "subscriptionRemoved")
            subscriptions.remove(found)
        elif verb == "kill":
            found.dead = True
        elif verb == "lifecycle":
            self._tenant.courier.lifecycle(found, body["event"])
        else:
            raise Unknown("a subscription knows remove, kill and lifecycle")
        return render_subscription(found)

    def _mails(self, method: str, rest: list[str], body: Body) -> Any:
        return [{**letter._asdict(), "at": render_instant(letter.at)} for letter in self._tenant.world.letters]

    def _permissions(self, method: str, rest: list[str], body: Body) -> Any:
        permissions = self._tenant.permissions
        if method == "POST":
            permissions.set(body.get("granted"), body.get("scoped"))
        return permissions.describe()

    def _stats(self, method: str, rest: list[str], body: Body) -> Any:
        if rest == ["reset"]:
            self._tenant.reset_stats()
        return self._tenant.stats()


def _tuples(body: Body) -> Body:
    return {name: tuple(value) if name == "aliases" else value for name, value in body.items()}


def _brief(event: Event) -> Body:
    return {
        "id": render_id(event.key, immutable=False), "ical_uid": event.ical_uid, "subject": event.subject,
        "start": render_instant(event.start), "end": render_instant(event.end), "organizer": event.organizer_address,
        "is_organizer": event.is_organizer, "is_cancelled": event.is_cancelled, "response": event.response,
        "show_as": event.show_as, "pending_reason": event.pending_reason, "type": event.type,
        "attendees": [{"address": item.address, "response": item.response} for item in event.attendees],
    }  # fmt: skip
