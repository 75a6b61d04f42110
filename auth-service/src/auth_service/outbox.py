"""Messages to people: written in the transaction of what they tell, sealed while they lie, delivered by `courier.py` once they are stored.

Two queues. `post` takes codes, which a stranger can cause, and holds them to the caps; `tell` takes security notices, which no cap holds back. In demo mode
nothing is sent: whoever holds the key of the outbox reads both there.
"""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import msgspec
import phonenumbers
from msgspec import Struct

from garita_common.config import Mode

from . import store_accounts, store_outbox
from .core import caps, texts
from .core.answers import Delivery
from .core.identifiers import ContactKind
from .core.parcels import Parcel
from .core.retrying import Queue
from .parts import Caller, Parts
from .store import Db
from .store_outbox import Posted, Sending

SHOWN = 200
"""As many as a page or a test looks at; older ones stay until their day is over."""


class _Body(Struct, frozen=True):
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who caused a message. `caller` None: nobody that has an address; `user` '' where there is no account yet; `known`: it is asked for in a known context (caps.py).
    `prefix`: the mark of the caller's prefix, for what is sent after its caller has gone.
    """

    caller: Caller | None = None
    user: str = ""
    known: bool = False
    prefix: bytes = b""


NOBODY_KNOWN = Asked()


class Outbox:
    """Takes messages in, and shows them in demo mode."""

    def __init__(self, parts: Parts, ways: Collection[ContactKind] = ()) -> None:
        """Args: parts: the shared parts; ways: how messages are delivered here."""
        self._parts = parts
        self._is_demo = parts.config.mode is Mode.DEMO
        self._ways = frozenset(ways)
        self._host = "" if is_address(parts.config.own_host) else parts.config.own_host

    @property
    def delivers(self) -> bool:
        """Whether any message reaches anybody."""
        return self._is_demo or bool(self._ways)

    def reaches(self, kind: ContactKind) -> bool:
        """Whether a message of this kind reaches anybody."""
        return self._is_demo or kind in self._ways

    async def post(
        self,
        tx: Db,
        kind: ContactKind,
        to: str,
        text: str,
        *,
        code: str | None = None,
        asked: Asked = NOBODY_KNOWN,
        good_for_ms: int | None = None,
    ) -> bool:
        """Takes a code or another message that a stranger may have caused, in the transaction that it belongs to; False if a cap holds it back, which nobody
        is told. A message within a minute of the last one to the same contact waits until that is over.

        Args: code: the code in it; good_for_ms: after this it is of no use any more; a day at most.
        """
        now_ms, mark = self._parts.now_ms(), self._mark(kind, to)
        sending = self._sending(kind, to, mark, asked)
        cap = await self._cap(tx, sending, now_ms)
        if cap is not None:
            self._parts.metrics.limits.labels(cap.value).inc()
            return False
        due_ms = caps.due_ms(now_ms, await store_outbox.last_due_ms(tx, mark, now_ms))
        await store_outbox.count(tx, sending, due_ms)
        if code is not None and kind is ContactKind.PHONE and self._host:
            text = texts.bound(text, self._host, code)
        kept_ms = min(good_for_ms or Queue.CODES.kept_ms, Queue.CODES.kept_ms)
        await self._put(tx, kind, Queue.CODES, to, text, due_ms, now_ms + kept_ms)
        return True

    async def tell(self, tx: Db, kind: ContactKind, to: str, text: str) -> None:
        """Takes a security notice, in the transaction of what it tells. No cap holds it back."""
        now_ms = self._parts.now_ms()
        await self._put(tx, kind, Queue.NOTICES, to, text, now_ms, now_ms + Queue.NOTICES.kept_ms)

    def prefix_mark(self, caller: Caller) -> bytes:
        """What messages are counted by of where they were asked for; empty where that is not counted."""
        return self._parts.seals.mark("prefix", caller.unit) if caller.counted else b""

    async def confirmed(self, tx: Db, kind: ContactKind, to: str) -> None:
        """A code that was sent there was typed in: for the ratio by which pumped countries are closed."""
        await store_outbox.confirm(tx, self._mark(kind, to))

    def parcel(self, row: Posted) -> Parcel:
        """A stored message, opened.

        Raises:
            SealBroken: it was not sealed by this service's key.
        """
        body = self._opened(row)
        return Parcel(body.to, body.text, row.queue, row.message_id, row.at_ms)

    def opened(self, contact: store_accounts.StoredContact) -> str:
        """A contact's address."""
        return self._parts.seals.open("contact", contact.id, contact.sealed_value).decode()

    async def newest(self) -> list[Delivery]:
        """The newest messages, newest last."""
        shown = []
        for row in await store_outbox.newest(self._parts.store.reading, SHOWN):
            body = self._opened(row)
            kind: Literal["sms", "email"] = "email" if row.kind is ContactKind.EMAIL else "sms"
            shown.append(Delivery(kind=kind, to=body.to, text=body.text, at=row.at_ms))
        return shown

    async def _put(
        self, tx: Db, kind: ContactKind, queue: Queue, to: str, text: str, due_ms: int, until_ms: int
    ) -> None:
        now_ms = self._parts.now_ms()
        sealed = self._parts.seal("outbox", str(now_ms), msgspec.json.encode(_Body(to, text)))
        message_id, mark = self._parts.new_id(), self._mark(kind, to)
        await store_outbox.post(tx, Posted(0, kind, queue, mark, message_id, sealed, now_ms, due_ms, until_ms))

    def _opened(self, row: Posted) -> _Body:
        return msgspec.json.decode(self._parts.seals.open("outbox", str(row.at_ms), row.sealed_body), type=_Body)

    async def _cap(self, tx: Db, sending: Sending, now_ms: int) -> caps.Cap | None:
        if sending.kind is ContactKind.EMAIL:
            return caps.judge_mail(await store_outbox.to_contact(tx, sending.contact_mark, now_ms), known=sending.known)
        seen = await store_outbox.texts(tx, sending, now_ms)
        return caps.judge_text(
            seen, None if self._is_demo else self._parts.config.spending(), sending.country, known=sending.known
        )

    def _sending(self, kind: ContactKind, to: str, mark: bytes, asked: Asked) -> Sending:
        caller = asked.caller
        prefix = asked.prefix if caller is None else self.prefix_mark(caller)
        country = country_of(to) if kind is ContactKind.PHONE else ""
        return Sending(kind, mark, asked.user, prefix, country, asked.known)

    def _mark(self, kind: ContactKind, to: str) -> bytes:
        """The contact's blind index, as `identifiers` makes its key."""
        key = "email:" + to.casefold() if kind is ContactKind.EMAIL else "phone:" + to
        return self._parts.seals.mark("contact", key)


def country_of(number: str) -> str:
    """The two letters of a number's country; '' if it has none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def is_address(host: str) -> bool:
    """Whether a host is an IP address, which no code can be bound to."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
