"""What errors look like, wherever they come from."""

from __future__ import annotations

from engine.conformance.check import check, holds, same
from engine.conformance.stage import Stage

NOBODY = "accord.conformance.nobody"


def stranger(stage: Stage) -> str:
    """Return an address of the same domain that nobody has."""
    return f"{NOBODY}@{stage.person.partition('@')[2]}"


@check("Graph: errors")
async def an_error_says_code_message_and_which_request(stage: Stage) -> None:
    """An error has `code`, `message` and `innerError` with `date`, `request-id` and `client-request-id`."""
    answer = await stage.ask("GET", stage.path(stranger(stage)))
    answer.refuse(404)
    inner = answer.error.get("innerError") or answer.error.get("innererror") or {}
    holds("the message is text", isinstance(answer.error.get("message"), str))
    same("names in innerError", sorted({"date", "request-id", "client-request-id"} - set(inner)), [])


@check("Graph: best-practices-concept")
async def every_answer_names_its_request(stage: Stage) -> None:
    """Answers carry `request-id`, and a `client-request-id` that was sent comes back."""
    mine = "0a6e3c6e-2f1c-4f1f-9d6a-0e6f2d6b7c11"
    answer = await stage.ask("GET", stage.path(stage.person), client_request_id=mine)
    answer.expect(200)
    holds("there is a request-id", answer.headers.get("request-id"))
    same("client-request-id", answer.headers.get("client-request-id"), mine)


@check("Graph: errors")
async def an_unknown_user_is_not_found(stage: Stage) -> None:
    """A user nobody has: 404 Request_ResourceNotFound."""
    (await stage.ask("GET", stage.path(stranger(stage)))).refuse(404, "Request_ResourceNotFound")


@check("reported by developers")
async def an_unknown_mailbox_is_another_404(stage: Stage) -> None:
    """The calendar of a user nobody has: 404 ErrorInvalidUser, so that it is never taken for a deleted event."""
    (await stage.ask("GET", stage.path(stranger(stage), tail="/events"))).refuse(
        404, "ErrorInvalidUser", "Request_ResourceNotFound", "ResourceNotFound"
    )


@check("reported by developers")
async def an_unknown_segment_is_refused(stage: Stage) -> None:
    """A path Graph does not know is a 400 or 404 in its usual shape."""
    answer = await stage.ask("GET", stage.path(stage.person, tail="/accordNonsense"))
    answer.expect(400, 404)
    holds("it has a code", answer.error.get("code"))


@check("reported by developers", "B5")
async def a_malformed_id_is_a_400(stage: Stage) -> None:
    """An id that is none: 400 ErrorInvalidIdMalformed, not 404."""
    (await stage.ask("GET", stage.path(stage.person, "nonsense"))).refuse(400, "ErrorInvalidIdMalformed")


@check("reported by developers", "B9")
async def a_deleted_event_is_not_found(stage: Stage) -> None:
    """An event that was deleted: 404 ErrorItemNotFound, for reading, changing and deleting."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    path = stage.path(stage.person, event["id"])
    (await stage.ask("DELETE", path)).expect(204)
    for method, body in (("GET", None), ("PATCH", {"subject": "x"}), ("DELETE", None)):
        (await stage.ask(method, path, body)).refuse(404, "ErrorItemNotFound")


@check("reported by developers", "B5")
async def an_id_is_good_in_its_own_mailbox_only(stage: Stage) -> None:
    """The organizer's id of an event is not found in another mailbox: 404 ErrorItemNotFound."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    (await stage.ask("GET", stage.path(stage.room, event["id"]))).refuse(404, "ErrorItemNotFound")
