"""`renew`: a connection's next token.

Whether a token's session has ended is known from the books. While these cannot be kept up to date, because Redis is away, the auth service is asked about the token;
without its answer `renew` is `busy`, and the connection lives to the end of the token that it has.
"""

from collections.abc import Callable

import aiohttp
import msgspec
from msgspec import Struct

from garita_common.config import Secret
from garita_common.core import pushes
from garita_common.core.errors import Busy, CloseCode
from garita_common.core.frames import Renew
from garita_common.core.tokens import SKEW_S, Claims, TokenInvalid, TokenOver

from .chat_link import Gone
from .clock import Clock
from .connection import Connection
from .errands import Errands
from .metrics import Metrics
from .people import People
from .shares import Shares

PATH = "/internal/introspect"
MAX_BYTES = 4 * 1024
ASKABLE = frozenset({"redis", "bans", "revocations"})
"""What may be missing here for the auth service to be asked instead: it knows bans and ended sessions by itself. Not the keys, and not while draining."""


class _Judged(Struct):
    active: bool
    sub: str = ""
    sid: str = ""
    did: str = ""


_decoder = msgspec.json.Decoder(_Judged)


class Introspection:
    """Asks the auth service's inner listener."""

    def __init__(self, url: str, token: Secret, *, timeout_s: float) -> None:
        """Args: url: the listener's base address; token: the stack's service token."""
        self._url = url.rstrip("/") + PATH
        self._headers = {"Authorization": f"Bearer {token.reveal()}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def is_good(self, token: str) -> bool:
        """Whether a chat token is good now.

        Raises:
            Busy: nobody knows.
        """
        return (await self._ask({"token": token, "audience": "chat"})).active

    async def whose(self, clear: str) -> tuple[str, str, str] | None:
        """User, session and device of a clear, which is used up by asking; None where it is none.

        Raises:
            Busy: nobody knows.
        """
        judged = await self._ask({"clear": clear})
        return (judged.sub, judged.sid, judged.did) if judged.active else None

    async def _ask(self, body: dict[str, str]) -> _Judged:
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, headers=self._headers) as session,
                session.post(self._url, json=body, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise Busy
                return _decoder.decode(await answer.content.read(MAX_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as exc:
            raise Busy from exc


class Renewing:
    """Takes next tokens."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        people: People,
        shares: Shares,
        errands: Errands,
        introspection: Introspection | None,
        missing: Callable[[], list[str]],
    ) -> None:
        """Args: introspection: None where there is no address to ask; missing: what keeps this gateway from being ready."""
        self._clock = clock
        self._metrics = metrics
        self._people = people
        self._shares = shares
        self._errands = errands
        self._introspection = introspection
        self._missing = missing

    def renew(self, connection: Connection, op: Renew) -> None:
        """Takes one, now or after the auth service was asked."""
        missing = self._missing()
        if missing and (self._introspection is None or not ASKABLE.issuperset(missing)):
            self._metrics.refused.labels("not_ready").inc()
            connection.fault(op.id, Busy("The service is not ready yet. Please come back in a moment."))
            return
        claims = self._verified(connection, op)
        if claims is None:
            return
        if not missing:
            self._extend(connection, op, claims)
        elif self._introspection is not None:
            try:
                self._errands.start("renew", self._ask(self._introspection, connection, op, claims), connection)
            except Busy as exc:
                connection.fault(op.id, exc)

    async def _ask(self, introspection: Introspection, connection: Connection, op: Renew, claims: Claims) -> None:
        try:
            is_good = await introspection.is_good(op.token)
        except Busy as exc:
            self._metrics.refused.labels("not_asked").inc()
            if not connection.closed:
                connection.fault(op.id, exc)
            return
        if connection.closed:
            raise Gone
        if is_good:
            self._extend(connection, op, claims)
        else:
            self._end(connection, op, TokenOver("This session has ended. Please log in again."))

    def _verified(self, connection: Connection, op: Renew) -> Claims | None:
        """The claims of a token of the same user, session and device; None if the connection was ended for it."""
        held = connection.claims
        if held is None:
            return None
        try:
            claims = self._people.verify(op.token)
        except TokenInvalid as exc:
            self._end(connection, op, exc)
            return None
        if (claims.sub, claims.sid, claims.did) != (held.sub, held.sid, held.did):
            connection.fault(op.id, TokenInvalid())
            connection.close(CloseCode.BAD_TOKEN, "This token is of another user, session or device.")
            return None
        return claims

    def _end(self, connection: Connection, op: Renew, exc: TokenInvalid) -> None:
        self._metrics.refused.labels(exc.code).inc()
        connection.fault(op.id, exc)
        connection.close(exc.close or CloseCode.BAD_TOKEN, exc.sentence)

    def _extend(self, connection: Connection, op: Renew, claims: Claims) -> None:
        connection.claims = claims
        self._shares.renewed(connection.id, connection.user)
        connection.session.renewed(self._clock.monotonic() + max(0.0, claims.exp + SKEW_S - self._clock.unix()))
        connection.reschedule()
        connection.send_json(pushes.ok(op.id, {"expires": claims.exp * 1000}))
