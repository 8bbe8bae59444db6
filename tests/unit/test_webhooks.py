"""Webhooks on paper: signatures that others' libraries accept, addresses, answers, and what is told of whom."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Case, CaseState, Home, ItemKind, Loan, LoanItem, Requester, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.webhooks.answer import answer_error
from engine.webhooks.endpoint import EndpointOrder, find_order_faults, secret_fault
from engine.webhooks.guard import LOOPBACK, destination_fault, parse_networks, refusal_of
from engine.webhooks.payload import build_body, case_data, loan_data
from engine.webhooks.signature import sign_hex, signature_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER = "whsec_c2VjcmV0LW51bWJlci1vbmUtaXMtb2xkZXI="
OWN = "a-secret-of-their-own"
BODY = '{"data":{"title":"Réunion"},"meta":{}}'.encode()


def headers(*secrets: str, body: bytes = BODY, age: timedelta = timedelta(0)) -> dict[str, str]:
    """Return the headers of a message signed *age* ago: the library looks at the clock itself."""
    at = datetime.now(UTC) - age
    return signature_headers("msg_1", at, body, secrets=secrets, header="X-Lapin-Signature")


class TestSignatures:
    @pytest.mark.parametrize("key", [SECRET, OWN.encode()])
    def test_are_taken_by_the_library_of_standard_webhooks(self, key: str | bytes) -> None:
        """A secret that is not of the standard's form counts as the bytes it is written in."""
        secret = key if isinstance(key, str) else key.decode()

        assert Webhook(key).verify(BODY, headers(secret)) == json.loads(BODY)

    @pytest.mark.parametrize("secret", [SECRET, OLDER])
    def test_are_taken_by_who_knows_either_of_two_live_secrets(self, secret: str) -> None:
        assert Webhook(secret).verify(BODY, headers(OLDER, SECRET)) == json.loads(BODY)

    @pytest.mark.parametrize(
        ("body", "minutes", "secret"),
        [(BODY + b" ", 0, SECRET), (BODY, 6, SECRET), (BODY, 0, OLDER)],
        ids=["tampered", "replayed late", "of somebody else"],
    )
    def test_are_refused_by_it_when_they_should_be(self, body: bytes, minutes: float, secret: str) -> None:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, headers(secret, age=timedelta(minutes=minutes)))

    def test_in_hexadecimal_are_those_of_rdv(self) -> None:
        """`printf '{"a":1}' | openssl dgst -sha256 -hmac a-secret-of-their-own`."""
        assert sign_hex(b'{"a":1}', OWN) == "1ade5a7b1e27e755e7794a9aeab60a6e23865a0562d52be86edbbd7cd8af9885"

    def test_in_hexadecimal_keep_the_older_secret_until_it_is_retired(self) -> None:
        both = headers(OLDER, SECRET)

        assert both["X-Lapin-Signature"] == sign_hex(BODY, OLDER)
        assert both["X-Lapin-Signature-Next"] == sign_hex(BODY, SECRET)
        assert "X-Lapin-Signature-Next" not in headers(SECRET)


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::", "192.0.2.1",
            "2001:db8::1", "198.18.0.1", "not an address",
        ],
    )  # fmt: skip
    def test_that_are_not_public_are_refused(self, address: str) -> None:
        assert refusal_of(address, is_secure=True, allowed=()) is not None

    @pytest.mark.parametrize(
        "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]
    )
    def test_that_are_public_are_called_over_https_alone(self, address: str) -> None:
        assert refusal_of(address, is_secure=True, allowed=()) is None
        assert "https" in (refusal_of(address, is_secure=False, allowed=()) or "")

    def test_that_somebody_allowed_are_called_in_plain_too(self) -> None:
        allowed = parse_networks(["10.20.0.0/16"]) + LOOPBACK

        assert refusal_of("10.20.3.4", is_secure=False, allowed=allowed) is None
        assert refusal_of("::1", is_secure=False, allowed=allowed) is None
        assert refusal_of("::ffff:127.0.0.1", is_secure=False, allowed=allowed) is None
        assert refusal_of("10.21.0.1", is_secure=False, allowed=allowed) is not None

    @pytest.mark.parametrize(
        ("url", "known", "code"),
        [
            ("https://10.0.0.1/x", ("10.0.0.1",), "address_not_public"),
            ("https://[fe80::1]/", ("fe80::1",), "address_not_public"),
            ("https://169.254.169.254/latest", ("169.254.169.254",), "address_not_public"),
            ("https://2130706433/", ("127.0.0.1",), "address_not_public"),
            ("https://desk.example.org/", ("10.0.0.1",), "address_not_public"),
            ("https://desk.example.org/", ("8.8.8.8", "10.0.0.1"), "address_not_public"),
            ("http://desk.example.org/", ("8.8.8.8",), "not_https"),
            ("http://desk.example.org/", ("10.20.0.9",), None),
            ("https://desk.example.org/", ("8.8.8.8", "2606:4700::1"), None),
            ("http://desk.example.org/", (), None),
        ],
    )
    def test_say_whether_an_endpoint_would_be_in_vain(self, url: str, known: tuple[str, ...], code: str | None) -> None:
        """As sending does: one address that may not be called is one too many. A name nobody knows now may be known."""
        fault = destination_fault(url, known, allowed=parse_networks(["10.20.0.0/16"]))

        assert (fault.code if fault else None) == code

    def test_of_a_name_are_told_with_the_setting_that_allows_them(self) -> None:
        fault = destination_fault("https://desk.example.org/", ("10.0.0.1",), allowed=())

        assert fault is not None
        assert fault.message == (
            "desk.example.org leads there: 10.0.0.1 is not a public address; webhooks.allowed_networks can allow it"
        )


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_that_are_no_page_count(self, status: int) -> None:
        assert answer_error(status, "application/json", b'{"ok": true}') is None

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("text/html; charset=utf-8", b"anything"),
            ("TEXT/HTML", b""),
            ("", b"<!DOCTYPE html><html>"),
            ("text/plain", b"\n  <html lang=fr>"),
            ("application/json", b"\xef\xbb\xbf<!-- wall --><head>"),
        ],
    )
    def test_that_are_a_page_do_not(self, content_type: str, body: bytes) -> None:
        assert "web page" in (answer_error(200, content_type, body) or "")

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_that_lead_elsewhere_do_not(self, status: int) -> None:
        assert "redirect" in (answer_error(status, "", b"") or "")

    @pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
    def test_that_refuse_do_not(self, status: int) -> None:
        assert answer_error(status, "application/json", b"{}") == f"HTTP {status}"


START = datetime(2026, 11, 23, 9, 7, tzinfo=UTC)
LOAN = Loan(
    number=LoanNumber(12),
    status=LoanStatus.NEW,
    home=Home.APP,
    requester=Requester(Address("alex@example.org"), "Alex Doe"),
    interval=Interval(START, START + timedelta(hours=1)),
    items=(LoanItem(ItemKind.ROOM, BookableId(1), "Tilleul", ItemState.ACCEPTED, Address("tilleul@example.org")),),
    store_id=StoreId(1),
    store="Main desk",
    version=3,
    title="Dismissal of Sam Roe",
    notes="Bring tissues",
)
WORDS = ("Alex", "alex@", "Dismissal", "tissues")


class TestWhatIsToldOfALoan:
    @pytest.mark.parametrize(("level", "personal", "private"), list(product(TextLevel, [True, False], [True, False])))
    def test_names_people_only_where_everybody_agrees(self, level: TextLevel, personal: bool, private: bool) -> None:
        """The store's level, the endpoint and the booking itself: one "no" is enough."""
        said = json.dumps(loan_data(replace(LOAN, private=private), "https://x/loans/12", level, personal=personal))

        agreed = level is TextLevel.FULL and personal and not private
        assert [word in said for word in WORDS] == [agreed] * len(WORDS)

    def test_reads_as_the_api_does(self) -> None:
        data = loan_data(LOAN, "https://x/loans/12", TextLevel.FULL, personal=True)

        assert data["start"] == "2026-11-23T09:07:00Z"
        assert (data["blocked_start"], data["blocked_end"]) == ("2026-11-23T09:00:00Z", "2026-11-23T10:15:00Z")
        assert data["requester"] == {"name": "Alex Doe", "address": "alex@example.org"}

    def test_of_a_store_that_tells_nothing_is_a_link(self) -> None:
        data = loan_data(LOAN, "https://x/loans/12", TextLevel.LINK_ONLY, personal=True)

        assert data == {"number": 12, "link": "https://x/loans/12", "version": 3}

    def test_is_one_line_with_the_reason(self) -> None:
        body = build_body("loan", "updated", "user", START, loan_data(LOAN, "l", TextLevel.FULL, personal=True))

        assert "\n" not in body
        assert json.loads(body)["meta"] == {
            "model": "loan", "event": "updated", "webhook_reason": "user", "timestamp": "2026-11-23T09:07:00Z",
        }  # fmt: skip

    def test_of_a_case_keeps_people_out_too(self) -> None:
        facts: dict[str, object] = {"organizer": "alex@example.org", "item": "Tilleul", "item_id": 1}
        case = Case(4, "item_unavailable", facts, CaseState.OPEN, START)

        assert case_data(case, {"en": "Alex ..."}, personal=False)["facts"] == {"item": "Tilleul", "item_id": 1}
        assert case_data(case, {"en": "Alex ..."}, personal=False)["text"] == {}
        assert case_data(case, {"en": "Alex ..."}, personal=True)["facts"] == facts


class TestOrders:
    @pytest.mark.parametrize(
        ("order", "field"),
        [
            (EndpointOrder(url="ftp://example.org"), "url"),
            (EndpointOrder(url="https://"), "url"),
            (EndpointOrder(url="https://user:pw@example.org/"), "url"),
            (EndpointOrder(url="https://example.org:99999/"), "url"),
            (EndpointOrder(url="https://example.org/#part"), "url"),
            (EndpointOrder(url="https://example.org/a b"), "url"),
            (EndpointOrder(url="https://example.org/\r\nX: y"), "url"),
            (EndpointOrder(url="https://[::1/"), "url"),
            (EndpointOrder(models=()), "models"),
            (EndpointOrder(models=("loan", "slot")), "models"),
            (EndpointOrder(header="Content-Type"), "header"),
            (EndpointOrder(header="webhook-id"), "header"),
            (EndpointOrder(header="X: y"), "header"),
            (EndpointOrder(name=" "), "name"),
        ],
    )
    def test_that_cannot_be_are_refused(self, order: EndpointOrder, field: str) -> None:
        assert [fault.field for fault in find_order_faults(order)] == [field]

    @pytest.mark.parametrize(
        "secret", ["short", "with a space in it, long", "whsec_!!!!!!!!!!!!!!!!", "accentué-et-assez-long"]
    )
    def test_with_a_weak_secret_are_refused(self, secret: str) -> None:
        assert secret_fault(secret) is not None

    @pytest.mark.parametrize("secret", [SECRET, OWN])
    def test_with_a_secret_of_their_own_are_taken(self, secret: str) -> None:
        assert secret_fault(secret) is None
