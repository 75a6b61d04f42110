"""Ended sessions, as far back as an access token can still be valid (330 s).

The auth service writes each to the sorted set `auth:revoked:recent` (score: Unix ms when it was written) and says it on `auth:revoked`; gateways read
the set again at each (re)subscription and every 30 s. One name less than a key per session, and readable in one call.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from .channels import REVOKED_KEEP_S


class Revocation(Struct, frozen=True, gc=False):
    """`sid` set: that session has ended. `sid` empty: every session of `sub` whose token has an epoch below `min_epoch`."""

    sub: str
    sid: str
    min_epoch: int
    at_ms: int


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Revocation).decode


class RevocationBook:
    """The revocations of the last 330 s."""

    def __init__(self) -> None:
        """An empty book."""
        self._sessions: dict[str, int] = {}
        self._epochs: dict[str, tuple[int, int]] = {}

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Takes some in; order and repeats do not matter."""
        for revocation in revocations:
            if revocation.sid:
                self._sessions[revocation.sid] = revocation.at_ms
            else:
                epoch, at_ms = self._epochs.get(revocation.sub, (0, 0))
                self._epochs[revocation.sub] = (max(epoch, revocation.min_epoch), max(at_ms, revocation.at_ms))

    def covers(self, sub: str, sid: str, epoch: int) -> bool:
        """Whether a token of this user, session and epoch is revoked."""
        return sid in self._sessions or epoch < self._epochs.get(sub, (0, 0))[0]

    def forget(self, now_ms: int) -> None:
        """Drops those that no living token can be under."""
        horizon = now_ms - REVOKED_KEEP_S * 1000
        self._sessions = {sid: at for sid, at in self._sessions.items() if at > horizon}
        self._epochs = {sub: row for sub, row in self._epochs.items() if row[1] > horizon}
