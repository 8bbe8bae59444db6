"""What Graph's answers mean to the engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from engine import errors
from engine.errors import (
    AccessDenied,
    CredentialsRevoked,
    EngineError,
    MailboxClosed,
    Malformed,
    OutcomeUnknown,
    Refused,
    ResyncRequired,
    Stale,
    Throttled,
    Unmatched,
    Unreachable,
)
from engine.graph.errors import (
    BadRequest,
    DuplicateSubscription,
    DuplicateTransaction,
    Target,
    parse_retry_after,
    translate,
    unreadable,
)

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)

ON_AN_EVENT: list[tuple[int, str, type[EngineError], type[EngineError]]] = [
    # status, code, what a read means, what a write means
    (400, "ErrorInvalidIdMalformed", Malformed, Malformed),
    (400, "ErrorOccurrenceCrossingBoundary", BadRequest, Refused),
    (400, "ErrorInvalidRequest", BadRequest, Refused),
    (400, "RequestBroker--ParseUri", BadRequest, Refused),
    (400, "ErrorInvalidUrlQuery", BadRequest, Refused),
    (400, "ErrorPropertyValidationFailure", BadRequest, Refused),
    (400, "ErrorInvalidParameter", BadRequest, Refused),
    (400, "ErrorDuplicateTransactionId", DuplicateTransaction, DuplicateTransaction),
    (409, "ErrorDuplicateTransactionId", DuplicateTransaction, DuplicateTransaction),
    (401, "InvalidAuthenticationToken", CredentialsRevoked, CredentialsRevoked),
    (403, "ErrorAccessDenied", AccessDenied, AccessDenied),
    (403, "Authorization_RequestDenied", AccessDenied, AccessDenied),
    (404, "ErrorItemNotFound", Unmatched, Unmatched),
    (404, "ErrorInvalidUser", MailboxClosed, MailboxClosed),
    (404, "Request_ResourceNotFound", MailboxClosed, MailboxClosed),
    (404, "ResourceNotFound", MailboxClosed, MailboxClosed),
    (404, "MailboxNotEnabledForRESTAPI", MailboxClosed, MailboxClosed),
    (410, "syncStateNotFound", ResyncRequired, ResyncRequired),
    (410, "SyncStateInvalid", ResyncRequired, ResyncRequired),
    (410, "resyncRequired", ResyncRequired, ResyncRequired),
    (400, "syncStateNotFound", ResyncRequired, ResyncRequired),
    (404, "SyncStateInvalid", ResyncRequired, ResyncRequired),
    (410, "SomethingNew", ResyncRequired, ResyncRequired),
    (412, "ErrorIrresolvableConflict", Stale, Stale),
    (409, "ConcurrentItemSave", Unreachable, Unreachable),
    (503, "ConcurrentItemSave", Unreachable, Unreachable),
    (400, "ExtensionError", BadRequest, Refused),
    (400, "ValidationError", BadRequest, Refused),
    (429, "TooManyRequests", Throttled, Throttled),
    (429, "ApplicationThrottled", Throttled, Throttled),
    (429, "activityLimitReached", Throttled, Throttled),
    (503, "activityLimitReached", Throttled, Throttled),
    (500, "ErrorInternalServerTransientError", Unreachable, OutcomeUnknown),
    (503, "serviceNotAvailable", Unreachable, OutcomeUnknown),
    (504, "UnknownError", Unreachable, OutcomeUnknown),
]

BY_STATUS: list[tuple[int, type[EngineError], type[EngineError]]] = [
    (302, Malformed, Malformed),
    (400, BadRequest, Refused),
    (401, CredentialsRevoked, CredentialsRevoked),
    (403, AccessDenied, AccessDenied),
    (404, Unmatched, Unmatched),
    (405, Refused, Refused),
    (408, Unreachable, Unreachable),
    (409, Stale, Stale),
    (410, ResyncRequired, ResyncRequired),
    (412, Stale, Stale),
    (413, Refused, Refused),
    (415, Refused, Refused),
    (422, Refused, Refused),
    (423, Unreachable, Unreachable),
    (424, Unreachable, Unreachable),
    (429, Throttled, Throttled),
    (500, Unreachable, OutcomeUnknown),
    (502, Unreachable, OutcomeUnknown),
    (503, Unreachable, OutcomeUnknown),
    (504, Unreachable, OutcomeUnknown),
    (507, Refused, Refused),
    (509, Throttled, Throttled),
]


def body(code: str, **more: object) -> bytes:
    return json.dumps({"error": {"code": code, "message": "No.", **more}}).encode()


def means(
    status: int,
    data: bytes,
    *,
    target: Target = Target.ITEM,
    is_write: bool = False,
    **headers: str,
) -> EngineError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return translate(
        status, named, data, what="read event in aula@example.org", target=target, is_write=is_write, now=NOW
    )


class TestKnownCodes:
    @pytest.mark.parametrize(("status", "code", "on_read", "on_write"), ON_AN_EVENT)
    def test_every_documented_pair_has_its_meaning(
        self, status: int, code: str, on_read: type[EngineError], on_write: type[EngineError]
    ) -> None:
        """Each (status, code) that Graph is known to send says what to do next, for reads and for writes."""
        assert type(means(status, body(code))) is on_read
        assert type(means(status, body(code), is_write=True)) is on_write

    def test_codes_are_matched_without_regard_to_case(self) -> None:
        """Graph's pages spell one code in several cases."""
        assert type(means(404, body("erroritemnotfound"))) is Unmatched

    @pytest.mark.parametrize("inner", ["innerError", "innererror"])
    def test_the_most_specific_code_known_decides(self, inner: str) -> None:
        """Codes nest; the innermost known one decides, whichever way the property is spelled."""
        data = body("BadRequest", **{inner: {"code": "syncStateNotFound"}})

        assert type(means(400, data)) is ResyncRequired


class TestUnknownCodes:
    @pytest.mark.parametrize(("status", "on_read", "on_write"), BY_STATUS)
    def test_the_status_decides(self, status: int, on_read: type[EngineError], on_write: type[EngineError]) -> None:
        """A code nobody has seen yet is decided by its status."""
        assert type(means(status, body("SomethingNew"))) is on_read
        assert type(means(status, body("SomethingNew"), is_write=True)) is on_write

    @pytest.mark.parametrize("status", range(300, 600))
    @pytest.mark.parametrize("target", Target)
    def test_every_status_means_something(self, status: int, target: Target) -> None:
        """Whatever the status, the target and the body, an error of the engine's own family comes out."""
        for data in (b"", b"<html>", b"[1]", b'{"error": 3}', b"\xff", body("X"), body("")):
            for is_write in (False, True):
                error = means(status, data, target=target, is_write=is_write)

                assert isinstance(error, errors.Transient | errors.Permanent | errors.Fatal)


class TestWhatARefusalIsAbout:
    def test_a_mailbox_that_is_closed_is_not_an_engine_that_may_not(self) -> None:
        """403 on a mailbox closes that mailbox; 403 on places is a missing permission."""
        assert type(means(403, body("ErrorAccessDenied"), target=Target.MAILBOX)) is AccessDenied
        assert issubclass(AccessDenied, MailboxClosed)
        assert type(means(403, body("Authorization_RequestDenied"), target=Target.TENANT)) is Refused

    @pytest.mark.parametrize("code", ["ErrorItemNotFound", "MailboxNotEnabledForRESTAPI", "SomethingNew"])
    def test_a_collection_that_is_not_found_is_a_closed_mailbox(self, code: str) -> None:
        """When no item was named, 404 cannot mean that an item is gone."""
        assert type(means(404, body(code), target=Target.MAILBOX)) is MailboxClosed

    def test_a_subscription_that_is_not_found_is_gone(self) -> None:
        """404 on a subscription: it no longer exists (Graph docs: subscription-update)."""
        assert type(means(404, body("ResourceNotFound"), target=Target.TENANT)) is Unmatched

    def test_a_subscription_that_exists_already(self) -> None:
        """409 on subscriptions: one to the same resource exists."""
        assert type(means(409, body("SomethingNew"), target=Target.TENANT, is_write=True)) is DuplicateSubscription

    @pytest.mark.parametrize("code", ["ValidationError", "InvalidRequest"])
    def test_an_address_that_did_not_answer_may_answer_later(self, code: str) -> None:
        """400 because our receiver was not reached: tried again soon, not given up; another 400 is given up."""
        failed = "Subscription validation request failed. Notification endpoint must respond with 200 OK."
        within = f"Operation: Create; Exception: [Status Code: BadRequest; Reason: {failed}]"
        for sentence in (failed, "Subscription validation request timed out.", within):
            data = json.dumps({"error": {"code": code, "message": sentence}}).encode()
            assert type(means(400, data, target=Target.TENANT, is_write=True)) is Unreachable
        data = json.dumps({"error": {"code": code, "message": "Property changeType is invalid."}}).encode()
        assert type(means(400, data, target=Target.TENANT, is_write=True)) is Refused

    @pytest.mark.parametrize("data", [b"", b"<html>not here</html>", b'{"detail":"Not Found"}'])
    @pytest.mark.parametrize("status", [404, 410])
    def test_a_proxy_that_finds_nothing_proves_nothing(self, status: int, data: bytes) -> None:
        """A 404 without Graph's error body came from something in between: no event is gone because of it."""
        assert type(means(status, data)) is Unreachable


class TestHowLongToWait:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("10", 10.0),
            ("2.128", 2.128),
            ("0", 0.0),
            ("-3", 0.0),
            ("99999999999999999", 86400.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86400.0),
            ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
            ("Mon, 23 Nov 2026 07:00:30 GMT", 30.0),
            ("Mon, 23 Nov 2026 06:00:00 GMT", 0.0),
            ("soon", None),
            ("nan", None),
            ("inf", None),
            ("", None),
            (None, None),
        ],
    )
    def test_retry_after_is_read(self, value: str | None, seconds: float | None) -> None:
        """Whole seconds, decimal seconds and HTTP dates are understood; anything else counts as not said."""
        assert parse_retry_after(value, NOW) == seconds

    def test_throttled_says_how_long(self) -> None:
        """The wait asked for travels with the error."""
        error = means(429, body("TooManyRequests"), retry_after="2.128")

        assert isinstance(error, Throttled)
        assert error.retry_after == 2.128

    def test_a_service_that_is_down_says_how_long_too(self) -> None:
        """503 may carry Retry-After as well (Graph docs: errors)."""
        error = means(503, body("serviceNotAvailable"), retry_after="7")

        assert isinstance(error, Unreachable)
        assert error.retry_after == 7.0


class TestMessages:
    def test_they_say_what_on_what_and_what_came_back(self) -> None:
        """A message names the attempt, the mailbox, the status and code, and what a person can do."""
        text = str(means(403, body("ErrorAccessDenied")))

        assert text.startswith("read event in aula@example.org: 403 ErrorAccessDenied: No.")
        assert "check that the mailbox exists" in text

    def test_a_web_page_is_named_as_one(self) -> None:
        """A proxy's error page is no JSON and is said to be a page."""
        assert "web page" in str(means(502, b"<!DOCTYPE html><html>..."))


class TestSuccessesThatCannotBeRead:
    @pytest.mark.parametrize("data", [b"<html>sign in</html>", b"  <!DOCTYPE html>", b""])
    def test_a_page_or_nothing_where_json_belongs(self, data: bytes) -> None:
        """Something in between answered, or the answer was cut: a read may be repeated, a write may have happened."""
        assert type(unreadable(data, what="x", is_write=False)) is Unreachable
        assert type(unreadable(data, what="x", is_write=True)) is OutcomeUnknown

    def test_json_that_stops_in_the_middle(self) -> None:
        """An answer cut short is the connection's doing."""
        error = ValueError("Input data was truncated")

        assert type(unreadable(b'{"a', what="x", is_write=False, error=error)) is Unreachable

    def test_json_of_another_shape(self) -> None:
        """A whole answer of the wrong shape makes no sense, and trying again will not give it any."""
        assert type(unreadable(b"[]", what="x", is_write=False, error=ValueError("Expected object"))) is Malformed
