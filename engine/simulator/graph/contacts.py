"""
Contacts of a mailbox and the folders they lie in.

Sources: Graph docs, user-post-contactfolders, contactfolder-post-contacts, contact-update, contact-delete; extended
properties are shown only when asked for with a filtered `$expand` (singlevaluelegacyextendedproperty-get).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec import field

from engine.simulator.calendars.records import Mailbox
from engine.simulator.graph.places import next_link
from engine.simulator.times import render_instant
from engine.simulator.wire import (
    GraphError,
    Request,
    Response,
    bad_request,
    item_not_found,
    json_response,
    parse_count,
)
from engine.simulator.world import World

FIELDS = (
    "givenName", "surname", "displayName", "emailAddresses", "businessPhones", "mobilePhone", "companyName", "jobTitle",
    "personalNotes", "categories", "birthday", "businessAddress", "homeAddress", "fileAs",
)  # fmt: skip
"""What may be written of a contact, as far as it is imitated (Graph docs: contact)."""

_BY_LOWER = {name.lower(): name for name in FIELDS}
_DEFAULTS: dict[str, Any] = {
    "emailAddresses": [], "businessPhones": [], "categories": [], "businessAddress": {}, "homeAddress": {},
}  # fmt: skip
_LISTS: dict[str, type] = {"emailAddresses": dict, "businessPhones": str, "categories": str}
_ADDRESS = frozenset({"street", "city", "state", "countryOrRegion", "postalCode"})
_EXPAND = re.compile(r"singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*id\s+eq\s+'([^']+)'", re.IGNORECASE)


class Contact(msgspec.Struct, kw_only=True):
    id: str
    folder: str
    version: int
    created: str
    modified: str
    values: dict[str, Any] = field(default_factory=dict)
    extended: dict[str, str] = field(default_factory=dict)


class Folder(msgspec.Struct, kw_only=True):
    id: str
    name: str


class Cabinet(msgspec.Struct, kw_only=True):
    """What one mailbox keeps of contacts: one document."""

    mailbox: str
    folders: list[Folder] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)


class Contacts:
    """The calls on `/users/{id}/contactFolders` and what lies below."""

    def __init__(self, world: World) -> None:
        self._world = world
        found = (msgspec.json.decode(raw, type=Cabinet) for raw in world.store.load("contacts"))
        self._cabinets = {cabinet.mailbox: cabinet for cabinet in found}

    def cabinet(self, mailbox: Mailbox) -> Cabinet:
        """Return what a mailbox keeps."""
        return self._cabinets.setdefault(mailbox.id, Cabinet(mailbox=mailbox.id))

    def answer(self, mailbox: Mailbox, rest: list[str], request: Request) -> Response:
        """Answer what follows /users/{id}; *rest* begins with contactFolders."""
        cabinet = self.cabinet(mailbox)
        answer = self._answer(cabinet, rest[1:], request)
        if request.method != "GET":
            self._world.store.put(f"contacts/{mailbox.id}", cabinet)
        return answer

    def _answer(self, cabinet: Cabinet, rest: list[str], request: Request) -> Response:
        if not rest:
            return (
                self._list_folders(cabinet, request) if request.method == "GET" else self._add_folder(cabinet, request)
            )
        folder = next((each for each in cabinet.folders if each.id == rest[0]), None)
        if folder is None:
            raise item_not_found()
        match request.method, [part.lower() for part in rest[1:2]], rest[2:]:
            case "GET", [], []:
                return json_response(200, _show_folder(folder))
            case "DELETE", [], []:
                cabinet.folders.remove(folder)
                cabinet.contacts = [each for each in cabinet.contacts if each.folder != folder.id]
                return Response(204)
            case "GET", ["contacts"], []:
                return self._list(cabinet, folder, request)
            case "POST", ["contacts"], []:
                return self._create(cabinet, folder, request)
            case method, ["contacts"], [contact_id]:
                return self._on_one(cabinet, folder, contact_id, method, request)
        raise bad_request(f"Resource not found for the segment '{rest[-1]}'.", code="BadRequest")

    # -- folders

    def _list_folders(self, cabinet: Cabinet, request: Request) -> Response:
        return _page(request, cabinet.folders, _show_folder, "contactFolders")

    def _add_folder(self, cabinet: Cabinet, request: Request) -> Response:
        name = str(request.json.get("displayName") or "").strip()
        if not name:
            raise bad_request("The DisplayName is required.", code="ErrorInvalidRequest")
        if any(each.name.lower() == name.lower() for each in cabinet.folders):
            raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        folder = Folder(id=f"AAMkADF{self._world.new_key()}", name=name)
        cabinet.folders.append(folder)
        return json_response(201, _show_folder(folder))

    # -- contacts

    def _list(self, cabinet: Cabinet, folder: Folder, request: Request) -> Response:
        inside = [each for each in cabinet.contacts if each.folder == folder.id]
        return _page(request, inside, lambda each: _show(each, request), "contacts")

    def _create(self, cabinet: Cabinet, folder: Folder, request: Request) -> Response:
        now = render_instant(self._world.now())
        made = Contact(id=f"AAMkADC{self._world.new_key()}", folder=folder.id, version=0, created=now, modified=now)
        self._write(made, request)
        cabinet.contacts.append(made)
        return json_response(201, _show(made, request))

    def _on_one(self, cabinet: Cabinet, folder: Folder, contact_id: str, method: str, request: Request) -> Response:
        found = next((each for each in cabinet.contacts if (each.id, each.folder) == (contact_id, folder.id)), None)
        if found is None:
            raise item_not_found()
        match method:
            case "GET":
                return json_response(200, _show(found, request))
            case "PATCH":
                self._write(found, request)
                return json_response(200, _show(found, request))
            case "DELETE":
                cabinet.contacts.remove(found)
                return Response(204)
        raise bad_request("The method is not allowed here.", code="BadRequest")

    def _write(self, contact: Contact, request: Request) -> None:
        body = request.json
        for name, value in body.items():
            if name == "singleValueExtendedProperties":
                for each in value:
                    contact.extended[str(each["id"])] = str(each["value"])
            elif name.lower() in _BY_LOWER:
                contact.values[_BY_LOWER[name.lower()]] = _checked(_BY_LOWER[name.lower()], value)
            elif not name.startswith("@"):
                raise bad_request(f"The property '{name}' does not exist on type 'microsoft.graph.contact'.")
        contact.version = self._world.next_number()
        contact.modified = render_instant(self._world.now())


def _checked(name: str, value: Any) -> Any:
    """Return a value as it is kept. Graph reads every property by its type, and refuses what is of another."""
    if name in _LISTS and not (isinstance(value, list) and all(isinstance(each, _LISTS[name]) for each in value)):
        raise bad_request(f"A collection was expected for the property '{name}'.", code="RequestBodyRead")
    if name in ("businessAddress", "homeAddress"):
        if value is not None and not (isinstance(value, dict) and set(value) <= _ADDRESS):
            raise bad_request(f"The property '{name}' is of type 'physicalAddress'.", code="RequestBodyRead")
        return {key: text for key, text in (value or {}).items() if text}
    if name == "birthday":
        return None if value is None else _instant(value)
    if name not in _LISTS and value is not None and not isinstance(value, str):
        raise bad_request(f"The property '{name}' is of type 'Edm.String'.", code="RequestBodyRead")
    return value


def _instant(value: Any) -> str:
    """Return a DateTimeOffset in UTC; a day alone is none."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.utcoffset() is None:
        raise bad_request(f"Cannot convert the literal '{value}' to the expected type 'Edm.DateTimeOffset'.")
    return render_instant(found)


def _page(request: Request, items: list[Any], show: Any, kind: str) -> Response:
    top = parse_count(request, "$top", 10, low=1, high=1000)
    skip = parse_count(request, "$skip", 0, low=0, high=10**9)
    body: dict[str, Any] = {"@odata.context": f"{request.base}/v1.0/$metadata#{kind}"}
    if skip + top < len(items):
        body["@odata.nextLink"] = next_link(request, skip + top)
    body["value"] = [show(each) for each in items[skip : skip + top]]
    return json_response(200, body)


def _show_folder(folder: Folder) -> dict[str, Any]:
    return {"id": folder.id, "displayName": folder.name, "parentFolderId": "root"}


def _show(contact: Contact, request: Request) -> dict[str, Any]:
    etag = f"EQAAABYAAAD{contact.version:08x}"
    shown = {
        "id": contact.id,
        "createdDateTime": contact.created,
        "lastModifiedDateTime": contact.modified,
        "parentFolderId": contact.folder,
        **{name: contact.values.get(name, _DEFAULTS.get(name)) for name in FIELDS},
    }
    select = request.query.get("$select")
    wanted = {name.strip().lower() for name in select.split(",")} if select else None
    full = {name: value for name, value in shown.items() if wanted is None or name.lower() in wanted}
    full |= {"@odata.etag": f'W/"{etag}"'}
    expand = _EXPAND.search(request.query.get("$expand", ""))
    value = contact.extended.get(expand[1]) if expand else None
    if expand is not None and value is not None:
        full["singleValueExtendedProperties"] = [{"id": expand[1], "value": value}]
    return full
