"""Notifications that bring their event: who opens them, and with what (decision 0029)."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from engine.app.office import Office
from engine.database.inbox.content_keys import ContentKeys, MakeCertificate
from engine.database.inbox.contents import Contents
from engine.graph.certificate import make_certificate
from engine.graph.content import load_private_key, open_content, parse_content
from engine.rooms.event import EventCopy
from engine.settings import Settings
from engine.web.notice_tokens import FetchKeys, NoticeTokens, fetch_keys

log = logging.getLogger(__name__)

ISSUERS = ("https://login.microsoftonline.com/{tenant}/v2.0", "https://sts.windows.net/{tenant}/")
"""What a tenant is called in tokens of the second and the first version (Entra docs: access-token-claims-reference)."""

OF_ANOTHER_KIND = "kind"
"""Why most of what is not used is not: it is a series, or a date of one."""


class Opener:
    """Opens what notifications bring: a `ContentReader`."""

    def __init__(
        self, keys: ContentKeys, tokens: NoticeTokens, *, load: Callable[[str], Any] = load_private_key
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._load = load
        self._private: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        """How many were opened, or why not."""

    def read(self, sealed: Mapping[str, Any], tokens: Sequence[str], *, event_id: str) -> EventCopy | None:
        """Return the copy; None unless it is beyond doubt Graph's, of that event, and complete."""
        outcome, copy = self._read(sealed, tokens, event_id)
        self.counts[outcome] += 1
        if copy is None and outcome != OF_ANOTHER_KIND:
            log.info("what a notification brings is not used", extra={"reason": outcome})
        return copy

    def _read(self, sealed: Mapping[str, Any], tokens: Sequence[str], event_id: str) -> tuple[str, EventCopy | None]:
        if not any(self._tokens.believes(token) for token in tokens):
            return "sender", None
        private_key = self._find(sealed.get("encryptionCertificateId"))
        if private_key is None:
            return "certificate", None
        content = open_content(sealed, private_key)
        if content is None:
            return "garbled", None
        copy = parse_content(content, event_id)
        return ("opened" if copy is not None else OF_ANOTHER_KIND), copy

    def _find(self, key_id: object) -> Any:
        if not isinstance(key_id, str):
            return None
        if key_id not in self._private:
            found = self._keys.find_private(key_id)
            if found is None:
                return None
            self._private[key_id] = self._load(found)
        return self._private[key_id]


def open_contents(
    office: Office,
    *,
    audience: str,
    tenant_id: str,
    authority: str,
    fetch: FetchKeys,
    make: MakeCertificate = make_certificate,
    load: Callable[[str], Any] = load_private_key,
    start: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """
    Have *office* take over what notifications bring, and subscribe with a certificate of ours.

    Args:
        office: where notifications arrive.
        audience: our client id, as tokens name us.
        tenant_id: the directory's id.
        authority: where tokens are issued.
        fetch: fetches the keys they are signed with.
        make: makes a certificate.
        load: returns the private key that a text (PEM) holds.
        start: has something done meanwhile; None: in a thread.
    """
    issuers = [issuer.format(tenant=tenant_id) for issuer in ISSUERS] + [f"{authority}/{tenant_id}/v2.0"]
    tokens = NoticeTokens(audience, issuers, fetch=fetch, now=office.now, start=start or _start_thread)
    tokens.prepare()
    keys = ContentKeys(office.database, make=make)
    reader = Opener(keys, tokens, load=load)
    office.inbox.contents = Contents(office.cache, office.rules.sync, reader=reader, gather=office.gather)
    office.subscriptions.certificate = lambda: keys.current().id
    office.certificate = keys.current


def _start_thread(task: Callable[[], None]) -> None:
    threading.Thread(target=task, name="keys of notifications", daemon=True).start()


def open_contents_of(settings: Settings, office: Office, base_url: str) -> None:
    """Have *office* take over what notifications bring, of the tenant at *base_url* as *settings* name it."""
    if settings.simulated:
        from engine.simulator import TenantOptions

        options, parts = TenantOptions(), urlsplit(base_url)
        client_id, tenant_id, authority = options.client_id, options.tenant_id, f"{parts.scheme}://{parts.netloc}"
    else:
        graph = settings.graph
        client_id, tenant_id, authority = graph.client_id, graph.tenant_id, graph.authority
    open_contents(
        office, audience=client_id, tenant_id=tenant_id, authority=authority, fetch=partial(fetch_keys, authority)
    )
