"""The members of a large room as sockets: those that nothing is in the way of are written to without a look at their connection.

Of what a message costs a member, a good part is fetching what belongs to it from memory: connection, method, transport. Here it is the transport alone. An audience
holds as long as nobody comes, goes or gets into another way of writing; whoever owns it drops it then (`Hub`).
"""

import asyncio
from collections.abc import Iterable

from .connection import Connection

WIDE = 20
"""Members from which on an audience is kept; for fewer it would cost more than it saves."""

Failed = list[tuple[Connection, Exception]]


class Audience:
    """Members at one time. `changes`: of their feed, then."""

    __slots__ = ("_others", "_straight", "changes")

    def __init__(self, members: Iterable[Connection], changes: int) -> None:
        """Args: changes: how often their feed's members had changed."""
        self.changes = changes
        self._straight: tuple[list[asyncio.Transport], list[asyncio.Transport]] = ([], [])
        self._others: list[Connection] = []
        for member in members:
            if member.is_straight:
                self._straight[member.slot].append(member.transport)
            else:
                self._others.append(member)

    def write(self, framed: tuple[bytes, bytes], members: Iterable[Connection]) -> Failed:
        """Writes to all of them, in their transport's form. Args: members: the same ones, to tell which of them failed."""
        failed = write_each(framed, self._others)
        for data, transports in zip(framed, self._straight, strict=True):
            for transport in transports:
                try:
                    transport.write(data)
                except Exception as exc:  # noqa: BLE001 - the edge: one connection's fault must not reach the other members
                    failed += [(member, exc) for member in members if member.transport is transport]
        return failed


def write_each(framed: tuple[bytes, bytes], members: Iterable[Connection]) -> Failed:
    """Writes to each member the way it is written to now."""
    failed: Failed = []
    for member in members:
        try:
            member.enqueue(framed[member.slot])
        except Exception as exc:  # noqa: BLE001 - as above
            failed.append((member, exc))
    return failed
