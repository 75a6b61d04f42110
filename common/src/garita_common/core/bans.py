"""Bans as every service reads them: the record in the hash `bans`, and the book that answers "is this one banned now?".

The detector alone writes. A `ban:push` names the subjects that changed and carries no ban itself: readers fetch those fields, so a forged push bans
nobody. No `bans:generation` in Redis means unknown, not empty: a reader keeps what it has and is not ready before its first snapshot.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from . import addresses


class Ban(Struct, frozen=True, gc=False):
    """One ban. `reason` is a constant, `sentence` is for people, `appeal` the id to appeal with, `decision` the detector's row; times are Unix ms."""

    subject: str
    since_ms: int
    until_ms: int
    reason: str
    sentence: str
    appeal: str
    decision: int = 0


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Ban).decode
encode_push = msgspec.json.Encoder().encode
decode_push = msgspec.json.Decoder(list[str]).decode


def address_subject(unit: str) -> str:
    """The subject of an address unit or a wider network: `addr:203.0.113.7/32`."""
    return f"addr:{unit}"


def user_subject(user: str) -> str:
    """The subject of a user."""
    return f"user:{user}"


def device_subject(device: str) -> str:
    """The subject of a device."""
    return f"device:{device}"


def challenge_subject(user: str) -> str:
    """The subject of a challenge: an entry beside the bans, of a user who may not write until somebody has looked or listened."""
    return f"challenge:{user}"


def challenged_user(subject: str) -> str | None:
    """Who is challenged, where the subject is a challenge's."""
    kind, _, user = subject.partition(":")
    return user if kind == "challenge" else None


_USER = user_subject("")


class BanBook:
    """The bans in force, by subject. `loaded` is false until the first snapshot."""

    def __init__(self) -> None:
        """An empty book that knows nothing yet."""
        self._bans: dict[str, Ban] = {}
        self._users: dict[str, Ban] = {}
        self._appeals: dict[str, Ban] | None = None
        self.loaded = False

    def __len__(self) -> int:
        """How many bans are held, ended ones not yet dropped included."""
        return len(self._bans)

    def replace(self, bans: Iterable[Ban], now_ms: int) -> list[Ban]:
        """Takes a whole snapshot; returns the bans that were not known before."""
        fresh = {ban.subject: ban for ban in bans if ban.until_ms > now_ms}
        new = [ban for subject, ban in fresh.items() if self._bans.get(subject) != ban]
        self._bans = fresh
        self._users = {subject: ban for subject, ban in fresh.items() if subject.startswith(_USER)}
        self._appeals = None
        self.loaded = True
        return new

    def update(self, changed: Mapping[str, Ban | None], now_ms: int) -> list[Ban]:
        """Takes some subjects' new state (None: no longer banned); returns the bans that were not known before."""
        new = []
        self._appeals = None
        for subject, ban in changed.items():
            if ban is None or ban.until_ms <= now_ms:
                self._bans.pop(subject, None)
                self._users.pop(subject, None)
            elif self._bans.get(subject) != ban:
                self._bans[subject] = ban
                if subject.startswith(_USER):
                    self._users[subject] = ban
                new.append(ban)
        return new

    def of_address(self, address: addresses.Address, now_ms: int) -> Ban | None:
        """The ban that covers an address: its unit's, or its tier's."""
        return self._of(now_ms, address_subject(addresses.unit(address)), address_subject(addresses.tier(address)))

    def of_person(self, user: str, device: str, now_ms: int) -> Ban | None:
        """The ban of a user or of a device."""
        return self._of(now_ms, user_subject(user), device_subject(device))

    def of_appeal(self, appeal: str, now_ms: int) -> Ban | None:
        """The ban with this appeal id. Asked seldom, and by one service: what it takes is made when it is asked, and kept until bans change."""
        if self._appeals is None:
            self._appeals = {ban.appeal: ban for subject, ban in self._bans.items() if challenged_user(subject) is None}
        ban = self._appeals.get(appeal)
        return ban if ban is not None and ban.until_ms > now_ms else None

    def of_users(self, now_ms: int) -> dict[str, Ban]:
        """The bans of users, by user id."""
        return {subject.removeprefix(_USER): ban for subject, ban in self._users.items() if ban.until_ms > now_ms}

    def challenge_of(self, user: str, now_ms: int) -> Ban | None:
        """The challenge of a user."""
        return self._of(now_ms, challenge_subject(user))

    def _of(self, now_ms: int, *subjects: str) -> Ban | None:
        for subject in subjects:
            ban = self._bans.get(subject)
            if ban is not None and ban.until_ms > now_ms:
                return ban
        return None
