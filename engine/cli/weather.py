"""`simulate ...`, the dark half: faults, receivers' states, subscriptions, and what administrators and delegates do."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.outlook import At, SimulatedOutlook, reach
from engine.cli.output import Format, Output, note, show_json, show_mappings
from engine.errors import Fault, Invalid

Mailbox = Annotated[str, typer.Argument(help="A room or person: name or address.")]
Room = Annotated[str, typer.Argument(help="A room: name or address.")]
Values = Annotated[list[str] | None, typer.Argument(help="NAME=VALUE ...; a value may be JSON.")]


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Receiver(StrEnum):
    OK = "ok"
    SLOW = "slow"
    DROP = "drop"


class Fate(StrEnum):
    """What can befall a subscription."""

    REMOVE = "remove"
    KILL = "kill"
    MISSED = "missed"
    REMOVED = "subscriptionRemoved"
    REAUTHORIZE = "reauthorizationRequired"


class Deed(StrEnum):
    """What an administrator does to a mailbox, a room, or one event in it."""

    ZONE = "zone"
    READDRESS = "readdress"
    RENAME = "rename"
    ATTRIBUTES = "attributes"
    NEW_PLACE_ID = "new-place-id"
    DELETE = "delete"
    LOSE_DELTA = "lose-delta"
    TOUCH = "touch"
    RELEASE = "release"
    CHECK_IN = "check-in"
    DISGUISE = "disguise"
    CHANGE_ORGANIZER = "change-organizer"


OF_ROOMS = frozenset({Deed.ATTRIBUTES, Deed.NEW_PLACE_ID, Deed.DELETE, Deed.CHECK_IN})
OF_EVENTS = frozenset({Deed.TOUCH, Deed.RELEASE, Deed.CHECK_IN, Deed.DISGUISE, Deed.CHANGE_ORGANIZER})


def fault(
    ctx: typer.Context,
    effect: Annotated[str | None, typer.Argument(help="error, drop, delay, lose, late ...; without, list.")] = None,
    method: Annotated[str | None, typer.Option()] = None,
    path: Annotated[str | None, typer.Option(help="A regular expression searched in the path.")] = None,
    mailbox: Annotated[str | None, typer.Option(help="Only this mailbox: id or address.")] = None,
    nth: Annotated[int | None, typer.Option(min=1, help="Only the nth match.")] = None,
    times: Annotated[int | None, typer.Option(min=1, help="At most so often.")] = None,
    probability: Annotated[float | None, typer.Option(min=0.0, max=1.0)] = None,
    status: Annotated[int | None, typer.Option(min=400, max=599)] = None,
    code: Annotated[str | None, typer.Option()] = None,
    retry_after: Annotated[str | None, typer.Option(help="Sent as it is.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.0)] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many items or copies.")] = None,
    storm: Annotated[int | None, typer.Option(min=0, help="Add the mix of faults this number stands for.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take all faults away first.")] = False,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Add a fault to the tenant, or a whole mix of them; or list or clear them."""
    outlook = reach(ctx.obj, at)
    if clear:
        outlook.control("DELETE", "/faults")
    if storm is not None:
        outlook.control("POST", "/faults/storm", {"seed": storm})
    if effect is not None:
        values: dict[str, object | None] = {
            "effect": effect, "method": method, "path": path, "mailbox": mailbox, "nth": nth, "times": times,
            "probability": probability, "status": status, "code": code, "retry_after": retry_after,
            "seconds": seconds, "count": count,
        }  # fmt: skip
        outlook.control("POST", "/faults", {name: value for name, value in values.items() if value is not None})
    show_mappings(outlook.control("GET", "/faults"), output)


def endpoint(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Argument(help="Host and port of a receiver; without, list them.")] = None,
    state: Annotated[Receiver | None, typer.Argument(help="slow: notices come late; drop: they are lost.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Show how receivers of notifications are doing; or put one into a state."""
    outlook = reach(ctx.obj, at)
    if host is not None and state is None:
        raise Invalid(Fault("state", "state_missing", "name the state: ok, slow or drop"))
    body = None if host is None else {"host": host, "state": state}
    show_mappings(outlook.control("GET" if body is None else "POST", "/endpoints", body), output)


def subscriptions(
    ctx: typer.Context,
    subscription: Annotated[str | None, typer.Argument(help="Its id; without, list them.")] = None,
    fate: Annotated[Fate | None, typer.Argument(help="What befalls it; kill: it stays and is deaf.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """List the tenant's subscriptions; or end one, deafen it, or send it a lifecycle notification."""
    outlook = reach(ctx.obj, at)
    if subscription is not None and fate is not None:
        if fate in (Fate.REMOVE, Fate.KILL):
            outlook.control("POST", f"/subscriptions/{subscription}/{fate}", {})
        else:
            outlook.control("POST", f"/subscriptions/{subscription}/lifecycle", {"event": fate})
    shown = ("id", "resource", "changeType", "expirationDateTime", "notificationUrl", "lifecycleNotificationUrl")
    found = outlook.control("GET", "/subscriptions")
    wanted = [item for item in found if subscription in (None, item["id"])]
    show_mappings([{name: item[name] for name in shown} for item in wanted], output)


def processing(
    ctx: typer.Context, room: Room, values: Values = None, at: At = "", output: Output = Format.TABLE
) -> None:
    """Show a room's booking options; or set some: AllowConflicts=true BookingWindowInDays=30."""
    outlook = reach(ctx.obj, at)
    path = f"/rooms/{quote(outlook.room_address(room), safe='@')}/processing"
    found = outlook.control("POST", path, read_values(values)) if values else outlook.control("GET", path)
    if output is Format.JSON:
        show_json(found)
    else:
        show_mappings([{"option": name, "value": json.dumps(value)} for name, value in found.items()], output)


def settle(
    ctx: typer.Context,
    verdict: Verdict,
    room: Room,
    event: Annotated[str, typer.Argument(help="The waiting request: its subject, id or iCalUId.")],
    by: Annotated[str, typer.Option(help="The delegate's address.")] = "",
    silent: Annotated[bool, typer.Option("--silent", help="The organizer hears nothing.")] = False,
    at: At = "",
) -> None:
    """Approve or reject a request that waits for a delegate of a room."""
    outlook = reach(ctx.obj, at)
    address = outlook.room_address(room)
    body = {"ical_uid": outlook.find_event(address, event)["ical_uid"], "by": by, "send": not silent}
    outlook.control("POST", f"/rooms/{quote(address, safe='@')}/{verdict}", body)
    note(f"{address} has settled it: {verdict}")


def forward(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="Who forwards it: name or address.")],
    event: Annotated[str, typer.Argument(help="The event: its subject, id or iCalUId.")],
    to: Annotated[list[str], typer.Option(help="An address; may be repeated.")],
    at: At = "",
) -> None:
    """Forward a meeting, as an invited person may."""
    outlook = reach(ctx.obj, at)
    address = outlook.mailbox_address(who)
    outlook.forward(address, outlook.find_event(address, event)["id"], to)
    note(f"forwarded to {', '.join(to)}")


def mails(ctx: typer.Context, at: At = "", output: Output = Format.TABLE) -> None:
    """List the last messages people and rooms were sent; a room's reasons are told nowhere else."""
    show_mappings(reach(ctx.obj, at).control("GET", "/mails"), output)


def admin(
    ctx: typer.Context,
    deed: Deed,
    mailbox: Mailbox,
    values: Values = None,
    event: Annotated[
        str | None,
        typer.Option(help="The event: its id, iCalUId, or subject in that mailbox (in a room: its organizer's name)."),
    ] = None,
    at: At = "",
) -> None:
    """Do as an administrator: admin readdress Aula address=hall@example.org, admin touch Aula --event "Alex Doe"."""
    outlook = reach(ctx.obj, at)
    address = outlook.mailbox_address(mailbox)
    body = read_values(values)
    if (event is None) is (deed in OF_EVENTS):
        text = f"name the event with --event: {deed} is about one" if event is None else f"{deed} is about no event"
        raise Invalid(Fault("event", "event_missing" if event is None else "event_superfluous", text))
    if event is not None:
        body["ical_uid"] = outlook.find_event(address, event)["ical_uid"]
    _do(outlook, deed, quote(address, safe="@"), body)
    note(f"{address}: {deed} is done")


def _do(outlook: SimulatedOutlook, deed: Deed, address: str, body: dict[str, Any]) -> None:
    if deed is Deed.DELETE:
        outlook.control("DELETE", f"/rooms/{address}")
    elif deed is Deed.RENAME:
        outlook.control("POST", f"/people/{address}/rename", body)
    else:
        outlook.control("POST", f"/{'rooms' if deed in OF_ROOMS else 'mailboxes'}/{address}/{deed}", body)


def read_values(words: list[str] | None) -> dict[str, Any]:
    """Read NAME=VALUE ...: JSON where it is JSON (`true`, `30`, `["a"]`), else the text itself. Raises Invalid."""
    found: dict[str, Any] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Invalid(Fault("values", "value_malformed", f"{word!r} is no NAME=VALUE"))
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = {"true": True, "false": False}.get(value.lower(), value)
    return found


def permissions(
    ctx: typer.Context,
    grant: Annotated[
        list[str] | None, typer.Option(help="What the application may do in every mailbox; nothing else then.")
    ] = None,
    scoped: Annotated[
        list[str] | None, typer.Option(help="PERMISSION=ADDRESS: what it may do in one mailbox besides.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Permit everything again.")] = False,
    at: At = "",
) -> None:
    """Show what the application may do in the tenant; or let it do this and nothing else."""
    outlook = reach(ctx.obj, at)
    if everything:
        outlook.control("POST", "/permissions", {})
    elif grant is not None or scoped is not None:
        limited: dict[str, list[str]] = {}
        for text in scoped or ():
            name, _, address = text.partition("=")
            limited.setdefault(name, []).append(address)
        outlook.control("POST", "/permissions", {"granted": grant or [], "scoped": limited})
    show_json(outlook.control("GET", "/permissions"))


def register(app: typer.Typer) -> None:
    """Add these commands to `simulate`."""
    for command in (fault, endpoint, subscriptions, permissions, processing, settle, forward, mails, admin):
        app.command()(command)
