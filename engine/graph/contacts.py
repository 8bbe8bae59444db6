"""
Contacts of one mailbox over Microsoft Graph.

Sources: Graph docs, user-list-contactfolders, user-post-contactfolders, contactfolder-list-contacts, contact-update,
contact-delete; singlevaluelegacyextendedproperty-get (ours are shown only with a filtered `$expand`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from engine.errors import Malformed, Unmatched
from engine.graph.errors import Target
from engine.graph.gateway import Call, Gateway
from engine.graph.payloads import ContactItem, FolderItem, PostalAddress, value_of
from engine.graph.render import MARKER_ID
from engine.graph.urls import show_property
from engine.loans.details import ContactDetails
from engine.reconcile.contacts import Card, FoundCard

CONTACT_MARKER_ID = MARKER_ID.replace("AccordLoan", "AccordPerson")
"""The extended property that marks a contact as ours, and says whose it is."""

FOLDERS_PER_PAGE, CONTACTS_PER_PAGE = 100, 250

_FIELDS = (
    "id", "givenName", "surname", "displayName", "emailAddresses", "categories", "personalNotes", "businessPhones",
    "birthday", "companyName", "jobTitle", "businessAddress",
)  # fmt: skip

BIRTHDAY_HOUR = "T11:59:00Z"
"""A birthday is an instant to Graph (contact: birthday, in UTC); near noon it is the same day nearly everywhere."""

_encode = msgspec.json.Encoder().encode


class GraphContacts:
    """`ContactBook` over Graph."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._urls = gateway.urls

    async def find_folder(self, mailbox: str, name: str) -> str | None:
        """Return the id of a folder directly below the contacts, by its name."""
        url = f"{self._urls.contact_folders(mailbox)}?$top={FOLDERS_PER_PAGE}"
        call = Call(kind="list contact folders", method="GET", url=url, mailbox=mailbox, target=Target.MAILBOX)
        async for page in self._gateway.pages(call, FolderItem):
            for item in page.items:
                if item.id and (item.display_name or "").strip().casefold() == name.strip().casefold():
                    return item.id
        return None

    async def create_folder(self, mailbox: str, name: str) -> str:
        """Make a folder. A repeated request is refused by its name, so nothing is made twice."""
        made = await self._write("create contact folder", "POST", mailbox, self._urls.contact_folders(mailbox), {
            "displayName": name
        })  # fmt: skip
        folder = msgspec.json.decode(made, type=FolderItem)
        if not folder.id:
            raise Malformed(f"create contact folder in {mailbox}: the answer names no id")
        return folder.id

    async def fetch_contacts(self, mailbox: str, folder: str) -> AsyncIterator[tuple[FoundCard, ...]]:
        """Yield the contacts of a folder with our marks."""
        marks = show_property(CONTACT_MARKER_ID)
        query = {"$top": str(CONTACTS_PER_PAGE), "$select": ",".join(_FIELDS), "$expand": marks}
        url = self._urls.contacts(mailbox, folder, query)
        call = Call(kind="list contacts", method="GET", url=url, mailbox=mailbox, target=Target.MAILBOX)
        async for page in self._gateway.pages(call, ContactItem):
            yield tuple(_parse(item) for item in page.items if item.id)

    async def create_contact(self, mailbox: str, folder: str, card: Card) -> None:
        """Make a contact that carries our mark."""
        marks = [{"id": CONTACT_MARKER_ID, "value": card.key}]
        body = {**_render(card), "singleValueExtendedProperties": marks}
        await self._write("create contact", "POST", mailbox, self._urls.contacts(mailbox, folder), body)

    async def change_contact(self, mailbox: str, folder: str, contact_id: str, card: Card) -> None:
        """Write every field of a card; who deleted the contact meanwhile gets it back with the next export."""
        url = self._urls.contact(mailbox, folder, contact_id)
        try:
            await self._write("change contact", "PATCH", mailbox, url, _render(card), is_repeatable=True)
        except Unmatched:
            return

    async def delete_contact(self, mailbox: str, folder: str, contact_id: str) -> None:
        """Delete a contact; it goes to the mailbox's deleted items."""
        url = self._urls.contact(mailbox, folder, contact_id)
        try:
            await self._write("delete contact", "DELETE", mailbox, url, None, is_repeatable=True)
        except Unmatched:
            return

    async def _write(
        self,
        kind: str,
        method: str,
        mailbox: str,
        url: str,
        body: dict[str, Any] | None,
        *,
        is_repeatable: bool = False,
    ) -> bytes:
        call = Call(
            kind=kind,
            method=method,
            url=url,
            mailbox=mailbox,
            target=Target.ITEM if is_repeatable else Target.MAILBOX,
            body=b"" if body is None else _encode(body),
            is_repeatable=is_repeatable,
        )
        return await self._gateway.run(call, bytes)


def _render(card: Card) -> dict[str, Any]:
    """Return a contact's body (Graph docs: contact, physicalAddress). What is not known is emptied."""
    known = card.details.known()
    return {
        "givenName": card.given,
        "surname": card.family,
        "displayName": card.display,
        "emailAddresses": [{"address": address, "name": card.display} for address in card.addresses],
        "categories": list(card.categories),
        "personalNotes": card.notes,
        "businessPhones": [known["phone"]] if "phone" in known else [],
        "birthday": known["birth_date"] + BIRTHDAY_HOUR if "birth_date" in known else None,
        "companyName": known.get("company", ""),
        "jobTitle": known.get("job_title", ""),
        "businessAddress": {
            "street": known.get("street", ""), "postalCode": known.get("postcode", ""), "city": known.get("town", ""),
        },
    }  # fmt: skip


def _parse_details(item: ContactItem) -> ContactDetails:
    address = item.business_address or PostalAddress()
    return ContactDetails(
        phone=", ".join(item.business_phones or ()) or None,
        birth_date=(item.birthday or "")[:10] or None,
        company=item.company_name or None,
        job_title=item.job_title or None,
        street=address.street or None,
        postcode=address.postal_code or None,
        town=address.city or None,
    )


def _parse(item: ContactItem) -> FoundCard:
    card = Card(
        key=value_of(item.extended, CONTACT_MARKER_ID),
        given=item.given_name or "",
        family=item.surname or "",
        display=item.display_name or "",
        addresses=tuple(each.address for each in item.email_addresses or () if each.address),
        categories=tuple(item.categories or ()),
        notes=(item.personal_notes or "").replace("\r\n", "\n"),
        details=_parse_details(item),
    )
    return FoundCard(item.id or "", card)
