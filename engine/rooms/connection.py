"""What a tenant must know of us, and permit: permissions, the address of consent, commands that limit it, an expiry.

Sources: Graph docs, permissions-reference (names and ids); Entra docs, v2-oauth2-client-creds-grant-flow (admin
consent); Exchange docs, application-rbac (roles and scopes).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from engine.ids import Address


class Where(StrEnum):
    """Where a permission is granted best."""

    ENTRA = "entra"
    """By consent in the directory: Exchange has no role for it."""
    EXCHANGE = "exchange"
    """By a role in Exchange, for some mailboxes only. Consent in the directory opens all of them."""


class Use(StrEnum):
    """What of the engine needs a permission."""

    ROOMS = "rooms"
    """The whole of it."""
    CONTACTS = "contacts"
    """Exporting requesters from outside to a folder of contacts; only who wants that."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An application permission of Microsoft Graph. `id` is the same in every tenant."""

    name: str
    id: str
    where: Where
    use: Use = Use.ROOMS


PERMISSIONS = (
    Permission("Place.Read.All", "913b9306-0ce1-42b8-9137-6a7df690a760", Where.ENTRA),
    Permission("Calendars.ReadWrite", "ef54d2bf-783f-4e0f-bca1-3210c0444d99", Where.EXCHANGE),
    Permission("Contacts.ReadWrite", "6918b873-d17a-4dc1-b314-35f528134491", Where.EXCHANGE, Use.CONTACTS),
)
"""Everything asked for, and nothing beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """
    How we are known to the tenant; no secret is in it.

    Args:
        credential: `simulated`, `secret`, `certificate`, `managed_identity` or `static_token`.
        tenant: the directory's id or domain, "" when nobody said.
        client: the application's id, or "".
        authority: where the directory signs in, without a slash at the end.
        expires_on: the last day of the secret or certificate; None when nobody said.
        closed_mailbox: a mailbox that we must not be able to read; None: none was named.
        uses: what is wanted of the tenant.
    """

    credential: str = "simulated"
    tenant: str = ""
    client: str = ""
    authority: str = "https://login.microsoftonline.com"
    expires_on: date | None = None
    closed_mailbox: Address | None = None
    uses: frozenset[Use] = frozenset({Use.ROOMS})

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What must be granted for what is wanted."""
        return tuple(each for each in PERMISSIONS if each.use in self.uses)

    def consent_address(self, redirect: str) -> str | None:
        """
        Return where an administrator grants the application's permissions; None while tenant or client is unknown.

        Args:
            redirect: where the directory sends the administrator back to; must be one of the registration's
                redirect addresses.
        """
        if not self.tenant or not self.client:
            return None
        query = urlencode({"client_id": self.client, "redirect_uri": redirect})
        return f"{self.authority}/{self.tenant}/adminconsent?{query}"

    def scoping_commands(self) -> tuple[str, ...]:
        """
        Return the commands for Exchange Online PowerShell that open the marked mailboxes to us, and no other.

        The object id is that of the enterprise application, not of the registration (Exchange docs, application-rbac).
        """
        client = self.client or "<application id>"
        scope = '-CustomResourceScope "Accord mailboxes"'
        roles = (each.name for each in self.permissions if each.where is Where.EXCHANGE)
        return (
            "Connect-ExchangeOnline",
            "Get-EXOMailbox -RecipientTypeDetails RoomMailbox"
            " | ForEach-Object { Set-Mailbox $_.Identity -CustomAttribute1 accord }",
            f"New-ServicePrincipal -AppId {client} -ObjectId <object id> -DisplayName Accord",
            'New-ManagementScope -Name "Accord mailboxes"'
            " -RecipientRestrictionFilter \"CustomAttribute1 -eq 'accord'\"",
            *(f'New-ManagementRoleAssignment -App {client} -Role "Application {role}" {scope}' for role in roles),
            f"Test-ServicePrincipalAuthorization -Identity {client} -Resource <a room>",
            f"Test-ServicePrincipalAuthorization -Identity {client}"
            f" -Resource {self.closed_mailbox or '<somebody else>'}",
        )


# --- the end of a secret or certificate

WARN_DAYS = (60, 30, 7)
"""How many days before the end it is said, each time louder."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long the secret or certificate still holds, on some day."""

    on: date
    days: int
    """Days left; 0 on the last day, negative afterwards."""

    @property
    def step(self) -> int | None:
        """The smallest of `WARN_DAYS` that the days left are within; None while there is time. Past the end: 0."""
        if self.days < 0:
            return 0
        return min((step for step in WARN_DAYS if self.days <= step), default=None)

    @property
    def is_told_today(self) -> bool:
        """Whether the log says it on this day: when a step is reached, and daily from the last one on."""
        return self.days in WARN_DAYS or self.days <= WARN_DAYS[-1]


def expiry_of(connection: Connection, today: date) -> Expiry | None:
    """Return how long the secret or certificate still holds; None when its end is unknown."""
    end = connection.expires_on
    return None if end is None else Expiry(end, (end - today).days)
