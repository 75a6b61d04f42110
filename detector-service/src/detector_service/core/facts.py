"""A stored event as the rules see it: who did it, where, when, and how often.

Nothing that an emitter wrote is trusted beyond its type: the address unit is made anew from the address, a time in the future is now, a count below
one is one. So no single record can move a window or a bucket further than it should.
"""

from functools import lru_cache
from typing import TypeAlias

import msgspec
from msgspec import Struct

from garita_common.core import activity, addresses, bans
from garita_common.core.addresses import Loopback

MAX_ENTRY_BYTES = 16 * 1024
"""The longest record is a message's with `compose`, under 1 KiB; sixteen times that leaves room for fields of later releases."""
MAX_COUNT = 10_000
"""One record stands for one connection and second; more than this in a second is no truer than this."""
Accounted: TypeAlias = activity.LoggedIn | activity.LoginFailed


class Unreadable(Exception):
    """An entry that holds no event; `reason` is a constant."""

    def __init__(self, reason: str) -> None:
        """Args: reason: such as "no_field"."""
        self.reason = reason
        super().__init__(reason)


class Fact(Struct, frozen=True):
    """One event. `unit` is the subject of its address (empty: none, or one that is not counted); `user`, `device` and `account` are subjects too, or empty.

    `at_ms` is when it happened, never after `seen_ms`, when the detector took it in.
    """

    id: int
    at_ms: int
    seen_ms: int
    event: activity.Event
    count: int
    unit: str
    user: str
    device: str
    account: str


def decode(data: bytes | None) -> activity.Event:
    """The event of a stream entry.

    Raises:
        Unreadable: it is missing, too long, or no event.
    """
    if data is None:
        raise Unreadable("no_field")
    if len(data) > MAX_ENTRY_BYTES:
        raise Unreadable("too_long")
    try:
        event: activity.Event = activity.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise Unreadable("undecodable") from exc
    return event


def subjects_of(event: activity.Event) -> tuple[str, str, str, str]:
    """Address unit, user, device and account of an event as subjects, each empty where it has none. An address is named here even if it is not counted."""
    account = event.account if isinstance(event, Accounted) else ""
    return (
        _place_of(event.ip)[1],
        bans.user_subject(event.user) if event.user else "",
        bans.device_subject(event.device) if event.device else "",
        account_subject(account) if account else "",
    )


def account_subject(account: str) -> str:
    """The subject of an account, by the keyed hash that the auth service gives it."""
    return f"account:{account}"


def happened_ms(event: activity.Event, seen_ms: int) -> int:
    """When the event happened: its own stamp, but never before 1970 or after it was seen."""
    return min(max(event.ts_ms, 0), seen_ms)


def fact_of(number: int, event: activity.Event, seen_ms: int, loopback: Loopback) -> Fact:
    """The event as a fact. Args: number: its row."""
    unit, user, device, account = subjects_of(event)
    address, _ = _place_of(event.ip)
    return Fact(
        id=number,
        at_ms=happened_ms(event, seen_ms),
        seen_ms=seen_ms,
        event=event,
        count=min(max(event.count, 1), MAX_COUNT),
        unit=unit if address is not None and addresses.is_counted(address, loopback) else "",
        user=user,
        device=device,
        account=account,
    )


@lru_cache(addresses.REMEMBERED)
def _place_of(ip: str) -> tuple[addresses.Address | None, str]:
    """An address and the subject of its unit; nothing where there is none. Kept by its text: to hash an address takes longer than all else here."""
    try:
        address = addresses.parse(ip) if ip else None
    except ValueError:
        address = None
    return address, bans.address_subject(addresses.unit(address)) if address else ""
