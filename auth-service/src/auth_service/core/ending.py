"""Who may end whose session at once.

An intruder with the password is somebody on a device that nobody confirmed. He may end what is of his own kind; the sessions of mature devices are asked first, for a
day, so that the owner who is logged in somewhere learns of it and stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .recovery.facts import HOUR_MS

ASKED_MS = 24 * HOUR_MS
"""Long enough for somebody to look at one of their devices, short enough for an owner who lost one and has no code at hand."""


@dataclass(frozen=True, slots=True)
class Target:
    """A session that is to end, and the device it is on."""

    session: str
    device: str


@dataclass(frozen=True, slots=True)
class Split:
    """Which sessions end now, and which are asked first."""

    now: list[str]
    asked: list[str]


def split(targets: Iterable[Target], own_device: str, mature: frozenset[str], *, is_confirmed: bool) -> Split:
    """Parts the sessions that somebody wants to end.

    Args: own_device: who asks; mature: the account's mature devices; is_confirmed: a mature factor, or a code to a mature contact, was given on own_device.
    """
    found = Split([], [])
    for target in targets:
        is_asked = not is_confirmed and target.device != own_device and target.device in mature
        (found.asked if is_asked else found.now).append(target.session)
    return found
