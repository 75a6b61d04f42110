"""Refreshing: the next pair of tokens for a refresh token, once.

The rules are in `core.rotation`. The token, its successor and the successor's sealed secret are one transaction: whoever loses the answer (a lost connection,
this process killed after the commit) shows the token again and gets the same successor, and a successor exists only if its parent is used up.
"""

import hmac

import structlog

from garita_common.core.revocations import Revocation

from . import store_accounts, store_sessions
from .audit import Audit
from .ban_watch import BanWatch
from .changes import Changes
from .core import rotation
from .core.events import Kind
from .core.problems import Contradicted, SessionEnded
from .core.requests import Audience
from .core.rotation import Outcome, Shown
from .core.sealing import digest
from .limits import Limit, Limiter
from .parts import Caller, Parts
from .places import Places
from .sessions import Issued, Present, Sessions
from .store import Db
from .store_accounts import Account
from .store_sessions import StoredSession, StoredToken

log = structlog.get_logger()

SAMPLED = 100
"""One in so many good refreshes is in the audit log: each session makes one every few minutes."""


class Refreshing:
    """Turns refresh tokens over."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        changes: Changes,
        bans: BanWatch,
        places: Places,
        audit: Audit,
    ) -> None:
        """Args: changes: tells the owner when a token was used twice; places: keeps where; audit: notes a change of it."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._changes = changes
        self._bans = bans
        self._places = places
        self._audit = audit
        self._per_session = Limit("refresh_session", parts.config.refreshes_per_session_per_min, 60)
        self._bad_tokens = Limit("bad_token_prefix", parts.config.bad_tokens_per_prefix_per_h, 3600)

    async def refresh(self, text: str | None, audience: Audience, hint: str | None, caller: Caller) -> Issued:
        """The next pair of tokens of a session.

        Raises:
            SessionEnded: the token gives nothing; if it was used before, and this is no grace, its session has ended now.
            StepUpRequired, Banned: not for this audience; the token stays good.
            Contradicted: the successor was given out too often.
            TooMany: too often in a minute, or too many unknown tokens from one address.
        """
        shown = rotation.parse(text) if text is not None else None
        mark = self._sessions.device_mark(hint) if hint is not None else None
        found = await self._look_up(self._parts.store.reading, shown, mark)
        if shown is None or found is None:
            if caller.counted:
                await self._limiter.take(self._bad_tokens, caller.unit)
            self._count("unknown")
            raise SessionEnded
        await self._limiter.take(self._per_session, found.session)
        outcome, issued, ended = await self._turn_over(shown, mark, audience, caller)
        self._count(outcome.name.lower())
        await self._sessions.say(ended)
        if issued is not None:
            return issued
        if outcome in (Outcome.CONFLICT, Outcome.REPEAT):
            raise Contradicted
        raise SessionEnded

    async def _turn_over(
        self, shown: Shown, mark: bytes | None, audience: Audience, caller: Caller
    ) -> tuple[Outcome, Issued | None, list[Revocation]]:
        async with self._parts.store.writing() as tx:
            token = await self._look_up(tx, shown, mark)
            session = await store_sessions.session(tx, token.session) if token else None
            account = await store_accounts.by_id(tx, session.user) if session else None
            if token is None or session is None or account is None:
                return Outcome.OVER, None, []
            outcome = rotation.judge(token.facts, self._parts.now_ms())
            if outcome is Outcome.STOLEN:
                return outcome, None, await self._end_stolen(tx, account, session)
            if outcome not in (Outcome.ROTATE, Outcome.REPEAT):
                return outcome, None, []
            await self._demand(account, session, audience)
            text = await (self._rotate if outcome is Outcome.ROTATE else self._repeat)(tx, token, session)
            if text is None:
                return Outcome.CONFLICT, None, []
            await self._places.record(tx, account.id, session.device, caller)
            if await self._sessions.came_from(tx, session.id, caller):  # only noted: a fork shows at the next rotation
                await self._audit.write(
                    tx, "refresh.prefix_changed", actor=session.device, subject=account.id, caller=caller, id=session.id
                )
            if self._parts.random_below(SAMPLED) == 0:
                await self._audit.write(
                    tx, "refresh.ok", actor=session.device, subject=account.id, caller=caller, audience=audience
                )
            access = await self._sessions.access_token(tx, account, session, audience)
            return outcome, Issued(access, audience, session.id, text), []

    async def _look_up(self, db: Db, shown: Shown | None, mark: bytes | None) -> StoredToken | None:
        """The token, if its secret is right. A wrong secret for an existing id does nothing to the session: it is only a guess."""
        token = await store_sessions.token(db, shown.id if shown else "", mark, self._parts.now_ms())
        if shown is None or token is None or not hmac.compare_digest(token.secret_hash, digest(shown.secret)):
            return None
        return token

    async def _rotate(self, tx: Db, token: StoredToken, session: StoredSession) -> str | None:
        parts = self._parts
        token_id, secret = parts.new_id(), parts.new_secret()
        sealed = parts.seal("successor", token.id, bytes.fromhex(token_id) + secret)
        if not await store_sessions.use_token(tx, token.id, sealed, parts.now_ms()):
            return None
        await store_sessions.session_seen(tx, session.id, parts.now_ms())
        await store_sessions.device_used(tx, session.device, parts.now_ms())
        return await self._sessions.new_refresh_token(tx, session, token_id, secret, parent=token.id)

    async def _repeat(self, tx: Db, token: StoredToken, session: StoredSession) -> str | None:
        if token.sealed_successor is None:
            return None
        plain = self._parts.seals.open("successor", token.id, token.sealed_successor)
        await store_sessions.count_replay(tx, token.id)
        return rotation.text_of(plain[:16].hex(), plain[16:])

    async def _demand(self, account: Account, session: StoredSession, audience: Audience) -> None:
        """What an audience asks for: the chat that nobody is banned, the console a role and a fresh second factor."""
        if audience == "chat":
            self._bans.refuse_person(account.id, session.device)
        if audience == "console":
            await self._sessions.demand_admin(Present(account, session))

    async def _end_stolen(self, tx: Db, account: Account, session: StoredSession) -> list[Revocation]:
        log.warning("refresh_token_used_twice", session=session.id)
        await self._changes.note(tx, account.id, Kind.SESSION_STOLEN, session.id, device=session.device)
        return await self._sessions.end(tx, account.id, [session.id], "reuse")

    def _count(self, result: str) -> None:
        self._parts.metrics.refreshes.labels(result).inc()
