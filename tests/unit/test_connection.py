"""What a tenant must know of us and permit; and how long our secret holds."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.app.connection import connection_of, warn_of_expiry
from engine.ids import Address
from engine.rooms.connection import Connection, Use, expiry_of
from engine.settings import load_settings

TODAY = date(2026, 11, 20)
BACK = "https://accord.example.org/welcome/consented"


def ending_in(days: int) -> Connection:
    return Connection(credential="secret", expires_on=TODAY + timedelta(days=days))


class TestConsent:
    def test_asks_the_directory_for_all_permissions_of_the_application(self) -> None:
        """Entra docs: v2-oauth2-client-creds-grant-flow, admin consent."""
        known = Connection(tenant="contoso.example", client="0e4b-6a4c")
        assert known.consent_address(BACK) == (
            "https://login.microsoftonline.com/contoso.example/adminconsent"
            "?client_id=0e4b-6a4c&redirect_uri=https%3A%2F%2Faccord.example.org%2Fwelcome%2Fconsented"
        )

    @pytest.mark.parametrize("known", [Connection(), Connection(tenant="x"), Connection(client="x")])
    def test_has_no_address_until_both_ids_are_known(self, known: Connection) -> None:
        assert known.consent_address(BACK) is None


class TestTheCommands:
    def test_name_the_application_and_the_mailbox_that_must_stay_closed(self) -> None:
        known = Connection(client="0e4b", closed_mailbox=Address("boss@example.org"))
        lines = "\n".join(known.scoping_commands())
        assert "New-ServicePrincipal -AppId 0e4b -ObjectId <object id>" in lines
        assert lines.endswith("-Identity 0e4b -Resource boss@example.org")

    def test_grant_contacts_only_to_who_wants_them(self) -> None:
        assert "Contacts" not in "\n".join(Connection().scoping_commands())
        wanted = Connection(uses=frozenset(Use))
        assert '"Application Contacts.ReadWrite"' in "\n".join(wanted.scoping_commands())
        assert [each.name for each in wanted.permissions][-1] == "Contacts.ReadWrite"


class TestTheEnd:
    @pytest.mark.parametrize(
        ("days", "step", "told"),
        [
            (61, None, False),
            (60, 60, True),
            (59, 60, False),
            (31, 60, False),
            (30, 30, True),
            (8, 30, False),
            (7, 7, True),
            (6, 7, True),
            (0, 7, True),
            (-1, 0, True),
        ],
    )
    def test_is_said_louder_at_each_step(self, days: int, step: int | None, told: bool) -> None:
        found = expiry_of(ending_in(days), TODAY)
        assert found is not None
        assert (found.days, found.step, found.is_told_today) == (days, step, told)

    def test_is_not_spoken_of_when_nobody_knows_it(self) -> None:
        assert expiry_of(Connection(credential="secret"), TODAY) is None

    def test_goes_into_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        def now() -> datetime:
            return datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

        with caplog.at_level(logging.WARNING):
            assert warn_of_expiry(ending_in(45), now) is None
            warn_of_expiry(ending_in(45), now, at_start=True)
            warn_of_expiry(ending_in(7), now)
            warn_of_expiry(ending_in(-1), now)

        said = [(record.levelname, record.getMessage()) for record in caplog.records]
        assert [level for level, _ in said] == ["WARNING", "WARNING", "ERROR"]
        assert "in 45 days, on 2027-01-04" in said[0][1]
        assert "ended on 2026-11-19" in said[2][1]


class TestTheSettings:
    def environ(self, **more: str) -> dict[str, str]:
        named = {"TENANT_ID": "t", "CLIENT_ID": "c", **more}
        return {f"ENGINE_GRAPH__{name}": value for name, value in named.items()}

    def test_tell_the_last_day_of_a_secret(self) -> None:
        environ = self.environ(CREDENTIAL="secret", CLIENT_SECRET="s", CREDENTIAL_EXPIRES="2027-11-30")
        assert connection_of(load_settings(None, environ)).expires_on == date(2027, 11, 30)

    def test_take_a_day_as_toml_writes_it(self, tmp_path: Path) -> None:
        file = tmp_path / "settings.toml"
        file.write_text("[graph]\ncredential_expires = 2027-11-30\n")
        assert load_settings(file, {}).graph.credential_expires == "2027-11-30"

    def test_need_none_where_a_certificate_says_it(self, tmp_path: Path) -> None:
        path = tmp_path / "accord.pem"
        path.write_bytes(certificate_until(datetime(2027, 6, 1, tzinfo=UTC)))
        environ = self.environ(CREDENTIAL="certificate", CERTIFICATE_PATH=str(path))
        assert connection_of(load_settings(None, environ)).expires_on == date(2027, 6, 1)

    def test_know_nothing_of_a_file_that_is_no_certificate(self, tmp_path: Path) -> None:
        path = tmp_path / "accord.pem"
        path.write_text("nothing of the kind")
        environ = self.environ(CREDENTIAL="certificate", CERTIFICATE_PATH=str(path))
        assert connection_of(load_settings(None, environ)).expires_on is None


def certificate_until(end: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accord")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - timedelta(days=365))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
