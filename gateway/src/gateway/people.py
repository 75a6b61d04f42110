"""Who may be here: tokens, ended sessions and bans; and who is here, by user.

The books are filled by `keys.py`, `bans_feed.py` and `revocations_feed.py`; this module asks them for a connection, and looks at every live
connection again when they change, so that a ban or a logout is felt at once and not at the next login.
"""

from collections.abc import Iterable, Iterator

from garita_common.core import addresses, bans
from garita_common.core.addresses import Loopback
from garita_common.core.bans import Ban, BanBook
from garita_common.core.errors import CloseCode
from garita_common.core.revocations import Revocation, RevocationBook
from garita_common.core.tokens import Claims, Keyring, TokenOver

from .clock import Clock
from .connection import Connection
from .core.roster import Roster


class People:
    """The users of one gateway process."""

    def __init__(self, clock: Clock, ban_book: BanBook, loopback: Loopback, *, issuer: str) -> None:
        """Args: issuer: whose tokens count."""
        self._clock = clock
        self._bans = ban_book
        self._loopback = loopback
        self._issuer = issuer
        self._roster: Roster[Connection] = Roster()
        self.revocations = RevocationBook()
        self.keyring = Keyring({})

    def __len__(self) -> int:
        """How many users are connected."""
        return len(self._roster)

    def __iter__(self) -> Iterator[str]:
        """The users who are connected."""
        return iter(self._roster)

    def of(self, user: str) -> list[Connection]:
        """A user's connections, oldest first."""
        return self._roster.of(user)

    def enter(self, connection: Connection) -> None:
        """Counts a connection in."""
        self._roster.enter(connection.user, connection)

    def leave(self, connection: Connection) -> None:
        """Counts a connection out."""
        if connection.user:
            self._roster.leave(connection.user, connection)

    def verify(self, token: str) -> Claims:
        """The claims of a chat token that is valid now.

        Raises:
            TokenInvalid: it is not ours, or not for here.
            TokenOver: its time is over, or its session was ended.
        """
        claims = self.keyring.verify(token, issuer=self._issuer, audience="chat", now_s=self._clock.unix())
        if self.revocations.covers(claims.sub, claims.sid, claims.epoch):
            raise TokenOver("This session has ended. Please log in again.")
        return claims

    def ban_of(self, connection: Connection, claims: Claims | None) -> Ban | None:
        """The ban that covers a connection: of its user, its device, or (where addresses count) its address."""
        now_ms = self._clock.unix_ms()
        if claims is not None:
            ban = self._bans.of_person(claims.sub, claims.did, now_ms)
            if ban is not None:
                return ban
        ticket = connection.ticket
        if not ticket.proxied and addresses.is_counted(ticket.address, self._loopback):
            return self._bans.of_address(ticket.address, now_ms)
        return None

    def enforce(self, new: Iterable[Ban], connections: Iterable[Connection]) -> list[tuple[Connection, Ban]]:
        """The live connections that new bans cover."""
        by_subject = {ban.subject: ban for ban in new}
        if not by_subject:
            return []
        covered = []
        for connection in connections:
            ban = (
                None
                if by_subject.keys().isdisjoint(_subjects(connection))
                else self.ban_of(connection, connection.claims)
            )
            if ban is not None:
                covered.append((connection, ban))
        return covered

    def revoke(self, revocations: Iterable[Revocation]) -> None:
        """Ends the sessions that these revocations name, here and now."""
        taken = list(revocations)
        self.revocations.add(taken)
        self.revocations.forget(self._clock.unix_ms())
        for user in {revocation.sub for revocation in taken}:
            for connection in self.of(user):
                claims = connection.claims
                if claims is not None and self.revocations.covers(claims.sub, claims.sid, claims.epoch):
                    connection.close(CloseCode.SESSION_ENDED, "This session has ended. Please log in again.")


def _subjects(connection: Connection) -> set[str]:
    address = connection.ticket.address
    subjects = {bans.address_subject(addresses.unit(address)), bans.address_subject(addresses.tier(address))}
    claims = connection.claims
    if claims is not None:
        subjects |= {bans.user_subject(claims.sub), bans.device_subject(claims.did)}
    return subjects
