"""Challenges: users whom the detector wants to be people before they write on.

They stand as entries beside the bans (`challenge:{user}`), so they come by the same feed and survive a reconnect. While one holds, every connection of its user is
CHALLENGED: messages are refused, reading goes on. A `clear` of the auth service, redeemed there once, ends it here at once; everywhere else it ends when the
detector, which hears who passed, takes the entry away.
"""

from collections.abc import Iterable

from garita_common.core import bans, pushes
from garita_common.core.bans import Ban, BanBook
from garita_common.core.errors import Busy, ChallengeRequired
from garita_common.core.frames import Clear

from .chat_link import Gone
from .clock import Clock
from .connection import Connection
from .core.session import PING
from .errands import Errands
from .metrics import Metrics
from .people import People
from .renewing import Introspection

NO_GOOD = "This clear is used, over, or of another session. Please solve another challenge."


class Challenges:
    """Asks for challenges and takes clears."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        people: People,
        book: BanBook,
        errands: Errands,
        introspection: Introspection | None,
    ) -> None:
        """Args: book: holds the entries; introspection: redeems clears; None: nobody does, and a challenge lasts until its end."""
        self._clock = clock
        self._metrics = metrics
        self._people = people
        self._book = book
        self._errands = errands
        self._introspection = introspection
        self._held: set[str] = set()
        self._solved: dict[str, int] = {}

    def asked(self, new: Iterable[Ban]) -> None:
        """New entries have come."""
        for user in filter(None, (bans.challenged_user(ban.subject) for ban in new)):
            for connection in self._people.of(user):
                self.look(connection)

    def look(self, connection: Connection) -> None:
        """Asks a connection for its user's challenge, if there is one."""
        entry = self._of(connection.user)
        now_s = self._clock.monotonic()
        if entry is None or not connection.session.challenged(now_s):
            return
        self._held.add(connection.user)
        self._metrics.challenges.labels("asked").inc()
        connection.send_json(pushes.push("challenge", {"until": entry.until_ms}))
        connection.send_json(PING)
        connection.reschedule()

    def sweep(self) -> None:
        """Ends those that are over, or that the detector took away."""
        for user in [user for user in self._held if self._of(user) is None]:
            self._end(user)
        now_ms = self._clock.unix_ms()
        for user in [user for user in self._solved if self._book.challenge_of(user, now_ms) is None]:
            del self._solved[user]

    def redeem(self, connection: Connection, op: Clear) -> None:
        """Takes a clear, after the auth service was asked."""
        try:
            if self._introspection is None:
                raise Busy
            self._errands.start("clear", self._redeem(self._introspection, connection, op), connection)
        except Busy as exc:
            connection.fault(op.id, exc)

    async def _redeem(self, introspection: Introspection, connection: Connection, op: Clear) -> None:
        try:
            whose = await introspection.whose(op.clear)
        except Busy as exc:
            if not connection.closed:
                connection.fault(op.id, exc)
            return
        claims = connection.claims
        if connection.closed or claims is None:
            raise Gone
        if whose != (claims.sub, claims.sid, claims.did):
            self._metrics.challenges.labels("refused").inc()
            connection.fault(op.id, ChallengeRequired(NO_GOOD))
            return
        entry = self._book.challenge_of(claims.sub, self._clock.unix_ms())
        if entry is not None:
            self._solved[claims.sub] = entry.since_ms
        self._metrics.challenges.labels("cleared").inc()
        self._end(claims.sub)
        connection.send_json(pushes.ok(op.id))

    def _of(self, user: str) -> Ban | None:
        entry = self._book.challenge_of(user, self._clock.unix_ms())
        return None if entry is None or self._solved.get(user) == entry.since_ms else entry

    def _end(self, user: str) -> None:
        self._held.discard(user)
        for connection in self._people.of(user):
            if connection.session.cleared():
                connection.send_json(pushes.push("challenge", {"until": None}))
