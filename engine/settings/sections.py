"""Every setting by its section: what kind of value each takes, and which rules hold between them.

Each description says what is allowed, in the words of the message that a bad value gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.loans.status import BLOCKING_STATUSES
from engine.reconcile.contacts import Column
from engine.reconcile.field_map import SHOW_AS, FieldMap
from engine.settings.kinds import (
    WEB_ADDRESS,
    Clock,
    DatabaseAddress,
    Domains,
    Networks,
    OptionalClock,
    OptionalDay,
    OptionalMailAddress,
    OptionalWebAddress,
    Pairs,
    Secret,
    WebAddress,
    Whole,
    Words,
    Zone,
    choice,
    count,
    is_given,
    is_loopback,
)

Credential = Literal["simulated", "secret", "certificate", "managed_identity", "static_token"]
HttpClient = Literal["aiohttp", "httpx"]
Durability = Literal["full", "normal"]
TextLevel = Literal["full", "number_only", "link_only"]
Mode = Literal["shadow", "read_only", "two_way"]
Delivery = Literal["push", "poll"]
FirstContact = Literal["auto", "list", "import"]
MailSecurity = Literal["starttls", "tls", "none"]
MailLanguage = Literal["en", "fr"]

SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
"""In the place of a directory these let everybody in (Microsoft identity platform, sign-in audiences)."""

KEY_MIN = 32
"""Characters of a key that seals secrets: it is a random text, not a password."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule between several keys of one section that does not hold; the first key is the one to change."""

    keys: tuple[str, ...]
    wanted: str


class Section(BaseModel):
    """A table of the file. Each description says what is allowed, in the words of the message a bad value gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def breaches(self) -> Iterator[Breach]:
        """Yield the rules between keys that do not hold."""
        return iter(())


class DatabaseSettings(Section):
    url: DatabaseAddress = Field(
        default="sqlite:///var/accord.db",
        repr=False,  # it may hold a password
        description="sqlite:///path/to/file or postgresql://user@host/database",
    )
    durability: Durability = choice("full", Durability)


class GraphSettings(Section):
    base_url: WebAddress = Field(default="https://graph.microsoft.com/v1.0", description=WEB_ADDRESS)
    authority: WebAddress = Field(default="https://login.microsoftonline.com", description=WEB_ADDRESS)
    credential: Credential = choice("simulated", Credential)
    token: Secret = Field(default=None, description="a bearer token")
    tenant_id: str = Field(default="", description="the directory's id or domain")
    client_id: str = Field(default="", description="the id of the app registration")
    client_secret: Secret = Field(default=None, description="the secret of the app registration")
    client_secret_file: str = Field(default="", description="the path of a file that holds the secret and nothing else")
    certificate_path: str = Field(default="", description="the path of a PEM or PKCS#12 file with certificate and key")
    credential_expires: OptionalDay = Field(default="", description="a day such as 2027-11-30, or empty")
    closed_mailbox: OptionalMailAddress = Field(default="", description="an e-mail address, or empty for none")
    http_client: HttpClient = choice("aiohttp", HttpClient)
    requests_per_mailbox: Whole = count(3, 1, 4, "requests")
    timeout_seconds: Whole = count(30, 1, 600, "seconds")

    def breaches(self) -> Iterator[Breach]:
        needed = {
            "static_token": ("token",),
            "secret": ("tenant_id", "client_id", "client_secret"),
            "certificate": ("tenant_id", "client_id", "certificate_path"),
        }
        for key in needed.get(self.credential, ()):
            if not is_given(getattr(self, key)):
                yield Breach((key, "credential"), f"is needed by credential = {self.credential!r}")
        if self.credential == "static_token" and not is_loopback(urlsplit(self.base_url).hostname or ""):
            yield Breach(("base_url", "credential"), "must be on loopback with credential = 'static_token'")
        if self.credential == "certificate" and self.certificate_path and not Path(self.certificate_path).is_file():
            yield Breach(("certificate_path",), "must be a file that exists")


class WebSettings(Section):
    host: str = Field(
        default="127.0.0.1", min_length=1, pattern=r"^\S+$", description="a name or address of this machine"
    )
    port: Whole = Field(default=8420, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free")
    public_url: OptionalWebAddress = Field(default="", description=f"{WEB_ADDRESS}, or empty")
    api_token: Secret = Field(default=None, description="a bearer token")

    def public_url_for(self, port: int) -> str:
        """Return the address others reach us at, given the port that was bound in the end; no slash at the end."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class SignInSettings(Section):
    issuer: OptionalWebAddress = Field(default="", description=f"{WEB_ADDRESS}, or empty")
    client_id: str = Field(default="", description="the id of the app registration")
    client_secret: Secret = Field(default=None, description="the secret of the app registration")

    def breaches(self) -> Iterator[Breach]:
        if not self.issuer:
            return
        for key in ("client_id", "client_secret"):
            if not is_given(getattr(self, key)):
                yield Breach((key, "issuer"), "is needed by sign_in.issuer")
        if SHARED_TENANTS & set(urlsplit(self.issuer).path.split("/")):
            yield Breach(("issuer",), "must name one directory: people of every other one could sign in")


class RoomsSettings(Section):
    ignored_tags: Words = Field(
        default=("not-bookable",), description='a list of tags, or one string such as "private, lab"'
    )
    import_every_minutes: Whole = count(15, 1, 10080, "minutes")
    time_zone: Zone = Field(default="UTC", description="a time zone by its IANA name, such as Europe/Paris")


class LoansSettings(Section):
    default_store: str = Field(
        default="Main desk", min_length=1, max_length=200, description="a name of 1 to 200 characters"
    )
    default_user: OptionalMailAddress = Field(default="", description="an e-mail address, or empty for none")
    domains: Domains = Field(
        default=(), description='a list of domains, or one string such as "example.org, example.com"'
    )
    approval: bool = Field(default=False, description="true or false")
    text_level: TextLevel = choice("full", TextLevel)


class FieldsSettings(Section):
    title: str = Field(default="#{number} {requester}", max_length=200, description="a template of 1 to 200 characters")
    title_back: bool = Field(default=False, description="true or false")
    body: Words = Field(default=("items", "link"), description="a list of parts, such as items, notes, link")
    location: str = Field(default="", max_length=200, description="a template of at most 200 characters, or empty")
    categories: Words = Field(default=(), description="a list of templates")
    show_as: str = Field(default="busy", description=f"one of {', '.join(SHOW_AS)}")
    custom: Pairs = Field(default=(), description='a table of names and templates, such as { Store = "{store}" }')

    def field_map(self) -> FieldMap:
        return FieldMap(**dict(self))

    def breaches(self) -> Iterator[Breach]:
        for key, wanted in self.field_map().faults():
            yield Breach((key,), wanted)


class ViewSettings(Section):
    stores: Words = Field(default=(), description="a list of names of stores, or empty for all")
    statuses: Words = Field(default=(), description="a list of statuses, or empty for all")
    rooms: Words = Field(default=(), description="a list of names of rooms, or empty for all")
    days_back: Whole = count(0, 0, 365, "days")
    days_ahead: Whole = count(0, 0, 1400, "days")

    def breaches(self) -> Iterator[Breach]:
        known = sorted(status.value for status in BLOCKING_STATUSES)
        if set(self.statuses) - set(known):
            yield Breach(("statuses",), f"may hold {', '.join(known)}")


class ContactsSettings(Section):
    mailbox: OptionalMailAddress = Field(default="", description="an e-mail address, or empty for none")
    folder: str = Field(
        default="Accord requesters", min_length=1, max_length=200, description="a name of 1 to 200 characters"
    )
    columns: Words = Field(default=("email", "phone"), description=f"a list of columns: {', '.join(Column)}")
    stores: Words = Field(default=(), description="a list of names of stores, or empty for all")
    kept_days: Whole = count(0, 0, 3650, "days")
    export_at: OptionalClock = Field(default="", description="a time of day such as 03:30, or empty")

    def breaches(self) -> Iterator[Breach]:
        if set(self.columns) - set(Column):
            yield Breach(("columns",), f"may hold {', '.join(Column)}")
        if self.export_at and not self.mailbox:
            yield Breach(("export_at", "mailbox"), "needs contacts.mailbox")


class SyncSettings(Section):
    mode: Mode = choice("two_way", Mode)
    delivery: Delivery = choice("push", Delivery)
    content: bool = Field(default=True, description="true or false")
    horizon_days: Whole = count(400, 1, 1400, "days")
    history_days: Whole = count(30, 0, 365, "days")
    sweep_every_minutes: Whole = count(480, 1, 10080, "minutes")
    poll_every_seconds: Whole = count(60, 1, 3600, "seconds")
    gather_milliseconds: Whole = count(250, 0, 60000, "milliseconds")
    answer_milliseconds: Whole = count(750, 0, 60000, "milliseconds")
    answer_timeout_minutes: Whole = count(10, 1, 10080, "minutes")
    first_contact: FirstContact = choice("auto", FirstContact)
    compare_at: Clock = Field(default="02:30", description="a time of day such as 02:30")
    compare_reads_per_room: Whole = count(20, 0, 1000, "bookings")
    series_dates_max: Whole = count(500, 1, 5000, "dates")
    mass_cancel_max: Whole = count(25, 0, 100000, "loans")
    mass_cancel_percent: Whole = count(30, 0, 100, "percent")
    workers: Whole = count(8, 1, 64, "passes")
    lease_seconds: Whole = count(60, 5, 3600, "seconds")


class WebhooksSettings(Section):
    timeout_seconds: Whole = count(10, 1, 60, "seconds")
    allowed_networks: Networks = Field(
        default=(), description='a list of networks such as "10.20.0.0/16" or "127.0.0.1/32"'
    )


class MailSettings(Section):
    host: str = Field(default="", pattern=r"^\S*$", description="the name of a mail server, or empty for no mail")
    port: Whole = Field(default=587, ge=1, le=65535, description="a port from 1 to 65535")
    security: MailSecurity = choice("starttls", MailSecurity)
    username: str = Field(default="", description="a name, or empty to send without signing in")
    password: Secret = Field(default=None, description="the password of username")
    sender: OptionalMailAddress = Field(default="", description="an e-mail address, or empty for none")
    sender_name: str = Field(default="Accord", max_length=200, description="a name of at most 200 characters")
    language: MailLanguage = choice("en", MailLanguage)
    timeout_seconds: Whole = count(30, 1, 600, "seconds")

    def breaches(self) -> Iterator[Breach]:
        if self.host and not self.sender:
            yield Breach(("sender", "host"), "is needed by mail.host: mails come from somebody")
        if self.username and not is_given(self.password):
            yield Breach(("password", "username"), "is needed by mail.username")
        if self.username and self.security == "none" and not is_loopback(self.host):
            yield Breach(("security", "username"), "must be 'starttls' or 'tls': a password is sent in clear otherwise")


class PrivacySettings(Section):
    retention_days: Whole = count(730, 0, 36500, "days")


class OwnCalendarsSettings(Section):
    tenant_id: str = Field(default="", description="the directory's id or domain, or empty for that of graph")
    client_id: str = Field(default="", description="the id of the app registration, or empty")
    client_secret: Secret = Field(default=None, description="the secret of the app registration")
    key: Secret = Field(default=None, description="a random text of 32 characters or more")

    def breaches(self) -> Iterator[Breach]:
        for key in ("client_secret", "key"):
            if self.client_id and not is_given(getattr(self, key)):
                yield Breach((key, "client_id"), "is needed by own_calendars.client_id")
        if self.key is not None and any(len(each.strip()) < KEY_MIN for each in self.key.get_secret_value().split(",")):
            yield Breach(("key",), f"must have {KEY_MIN} characters or more")


class SimulatorSettings(Section):
    port: Whole = Field(default=8421, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free")
    seed: Whole = Field(default=1, ge=0, le=2**31 - 1, description="a whole number from 0 to 2147483647")
    demo: bool = Field(default=True, description="true or false")
    state_file: str = Field(
        default="var/tenant.db", description="the path of a file, or empty to keep everything in memory"
    )


class Settings(BaseSettings):
    """Every setting of one run. Frozen: who wants to change one at run time keeps that elsewhere."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    database: DatabaseSettings = DatabaseSettings()
    graph: GraphSettings = GraphSettings()
    web: WebSettings = WebSettings()
    sign_in: SignInSettings = SignInSettings()
    rooms: RoomsSettings = RoomsSettings()
    loans: LoansSettings = LoansSettings()
    sync: SyncSettings = SyncSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    contacts: ContactsSettings = ContactsSettings()
    fields: FieldsSettings = FieldsSettings()
    view: ViewSettings = ViewSettings()
    mail: MailSettings = MailSettings()
    privacy: PrivacySettings = PrivacySettings()
    own_calendars: OwnCalendarsSettings = OwnCalendarsSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    @property
    def simulated(self) -> bool:
        """Whether the simulated tenant is to start: only when no other credential was asked for."""
        return self.graph.credential == "simulated"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` hands over and look nowhere else: `Settings()` is the defaults anywhere."""
        return (init_settings,)


SECTIONS: Mapping[str, Section] = {name: field.default for name, field in Settings.model_fields.items()}
SECRETS = frozenset(
    {
        ("graph", "client_secret"),
        ("graph", "token"),
        ("mail", "password"),
        ("own_calendars", "client_secret"),
        ("own_calendars", "key"),
        ("sign_in", "client_secret"),
        ("web", "api_token"),
    }
)


def parse_value(section: str, key: str, value: object) -> object:
    """Return *value*, as a person gave it, as the setting holds it. Raises ValueError with what is allowed."""
    kind = type(SECTIONS[section])
    try:
        return getattr(kind(**{key: value}), key)
    except ValidationError as error:
        raise ValueError(f"must be {kind.model_fields[key].description}") from error
