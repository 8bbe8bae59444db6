"""Notifications that bring their event, encrypted (Graph docs: change-notifications-with-resource-data)."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.simulator.test_booking import AULA, ELEVEN, TEN, book
from tests.simulator.virtual import SimulatedWorld

FIELDS = "id,changeKey,iCalUId,start,end"


@cache
def rsa_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certify(key: Any) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, made, made + timedelta(days=700))
    return b64encode(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)).decode()


def wish(**more: Any) -> dict[str, Any]:
    return {
        "resource": f"/users/{AULA}/events?$select={FIELDS}",
        "includeResourceData": True,
        "encryptionCertificate": certify(rsa_key()),
        "encryptionCertificateId": "first",
        **more,
    }


def subscribe(world: SimulatedWorld, **more: Any) -> str:
    until = f"{world.loop.now() + timedelta(minutes=1430):%Y-%m-%dT%H:%M:%SZ}"
    return world.subscribe(AULA, **{"expirationDateTime": until, **wish(**more)})


def decrypt(content: dict[str, str]) -> dict[str, Any]:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    key, data = rsa_key().decrypt(b64decode(content["dataKey"]), oaep), b64decode(content["data"])
    assert hmac.digest(key, data, sha256) == b64decode(content["dataSignature"])
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    found: dict[str, Any] = json.loads(padded[: -padded[-1]])
    return found


def contents(world: SimulatedWorld) -> list[dict[str, str]]:
    return [item["encryptedContent"] for body in world.receiver.posts for item in body["value"]]


class TestContent:
    def test_is_the_event_as_the_subscription_selects_it(self, world: SimulatedWorld) -> None:
        subscribe(world)
        event = book(world)
        world.settle()

        found = [decrypt(content) for content in contents(world)]
        assert {each["iCalUId"] for each in found} == {event["iCalUId"]}
        assert set(found[-1]) == {"@odata.etag", *FIELDS.split(",")}
        assert len({each["changeKey"] for each in found}) == len(found)  # each as of its own change

    def test_names_its_certificate(self, world: SimulatedWorld) -> None:
        subscribe(world)
        book(world)
        world.settle()

        thumbprint = x509.load_der_x509_certificate(b64decode(certify(rsa_key()))).fingerprint(hashes.SHA1()).hex()
        (named,) = {each["encryptionCertificateId"] for each in contents(world)}
        assert named == "first"
        assert len(contents(world)[0]["encryptionCertificateThumbprint"]) == len(thumbprint)

    def test_does_not_come_with_a_deletion(self, world: SimulatedWorld) -> None:
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        event = book(world)
        world.settle()
        subscribe(world)
        world.run(world.alex.cancel(event["id"]))
        world.settle()

        told = {item["changeType"]: item for body in world.receiver.posts for item in body["value"]}
        assert "encryptedContent" in told["updated"]
        assert "encryptedContent" not in told["deleted"]

    def test_can_be_refused(self, world: SimulatedWorld) -> None:
        """The subscription is not made; one that brings no events is."""
        world.tenant.faults.add(effect="refuse_content")
        with pytest.raises(AssertionError, match="Including resource data"):
            subscribe(world)

    def test_can_be_garbled_on_the_way(self, world: SimulatedWorld) -> None:
        subscribe(world)
        world.tenant.faults.add(effect="garble_content", nth=1)
        book(world)
        world.settle()

        key = rsa_key().decrypt(
            b64decode(contents(world)[0]["dataKey"]), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        )
        signature = hmac.digest(key, b64decode(contents(world)[0]["data"]), sha256)
        assert signature != b64decode(contents(world)[0]["dataSignature"])
        assert decrypt(contents(world)[1])

    def test_can_be_cut_on_the_way(self, world: SimulatedWorld) -> None:
        subscribe(world)
        world.tenant.faults.add(effect="cut_content", nth=1)
        book(world)
        world.settle()

        cut, whole = (len(b64decode(content["data"])) for content in contents(world)[:2])
        assert cut < 0.6 * whole
        assert decrypt(contents(world)[1])

    def test_can_be_for_a_certificate_that_nobody_has(self, world: SimulatedWorld) -> None:
        subscribe(world)
        world.tenant.faults.add(effect="unknown_key", nth=1)
        book(world)
        world.settle()

        unknown, known = (content["encryptionCertificateId"] for content in contents(world)[:2])
        assert unknown != known


class TestToken:
    def test_tells_who_sent_it_and_to_whom(self, world: SimulatedWorld) -> None:
        subscribe(world)
        book(world)
        world.settle()

        (token,) = world.receiver.posts[0]["validationTokens"]
        head, claims, signature = token.split(".")
        answer = world.run(world.tenant.handle("GET", "https://login.example/common/discovery/v2.0/keys", {}))
        (key,) = answer.json()["keys"]
        modulus = int.from_bytes(urlsafe_b64decode(key["n"] + "=="), "big")
        public = rsa.RSAPublicNumbers(65537, modulus).public_key()
        public.verify(
            urlsafe_b64decode(signature + "=="), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        told = json.loads(urlsafe_b64decode(claims + "=="))
        assert told["azp"] == "0bf30f3b-4a52-48df-9a82-234910c4a086"
        assert told["aud"] == world.tenant.options.client_id
        assert told["iss"].endswith(f"/{world.tenant.options.tenant_id}/v2.0")

    def test_comes_with_contents_only(self, world: SimulatedWorld) -> None:
        world.subscribe(AULA)
        book(world)
        world.settle()

        assert all("validationTokens" not in body for body in world.receiver.posts)


class TestSubscription:
    @pytest.mark.parametrize(
        "fault",
        [
            {"resource": f"/users/{AULA}/events"},
            {"encryptionCertificate": None},
            {"encryptionCertificate": "bm90aGluZw=="},
            {"encryptionCertificate": certify(ec.generate_private_key(ec.SECP256R1()))},
            {"encryptionCertificateId": None},
            {"encryptionCertificateId": "x" * 129},
        ],
    )
    def test_needs_a_selection_and_a_certificate(self, world: SimulatedWorld, fault: dict[str, Any]) -> None:
        until = f"{world.loop.now() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        more = {"changeType": "updated", "notificationUrl": "https://x.example.org/n", "expirationDateTime": until}
        assert world.call("POST", "/subscriptions", {**more, **wish(**fault)}).status == 400
        assert world.get("/subscriptions")["value"] == []

    def test_lives_a_day_at_most(self, world: SimulatedWorld) -> None:
        until = f"{world.loop.now() + timedelta(minutes=1441):%Y-%m-%dT%H:%M:%SZ}"
        more = {"changeType": "updated", "notificationUrl": "https://x.example.org/n", "expirationDateTime": until}
        assert world.call("POST", "/subscriptions", {**more, **wish()}).status == 400
        mine = subscribe(world)
        assert world.call("PATCH", f"/subscriptions/{mine}", {"expirationDateTime": until}).status == 400

    def test_tells_which_certificate_it_uses(self, world: SimulatedWorld) -> None:
        found = world.get(f"/subscriptions/{subscribe(world)}")
        assert (found["includeResourceData"], found["encryptionCertificateId"]) == (True, "first")
        assert found["encryptionCertificate"] is None

    def test_goes_on_bringing_events_after_a_move(self, world: SimulatedWorld) -> None:
        subscribe(world)
        event = book(world)
        world.settle()
        world.run(world.alex.move(event["id"], TEN, ELEVEN))
        world.settle()

        assert decrypt(contents(world)[-1])["start"]["dateTime"].startswith(f"{TEN:%Y-%m-%dT%H:%M}")
