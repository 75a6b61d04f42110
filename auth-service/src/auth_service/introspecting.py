"""What other services ask about an access token when they cannot know by themselves: whether it is good now.

A gateway knows which sessions have ended from Redis. While that is away it asks here, where the database decides.
"""

from garita_common.core import tokens

from . import store_accounts, store_sessions
from .ban_watch import BanWatch
from .core import inner_messages
from .keys import Signer
from .parts import Parts
from .store import Db

GONE = inner_messages.Introspected(active=False)
"""One answer for whatever is not good: the asker refuses it, and needs no reason."""


class Introspecting:
    """Judges tokens of one audience."""

    def __init__(self, parts: Parts, signer: Signer, bans: BanWatch) -> None:
        """Args: bans: who is banned has no good token."""
        self._parts = parts
        self._signer = signer
        self._bans = bans

    async def judge(self, token: str, audience: tokens.Audience) -> inner_messages.Introspected:
        """Whether a token is good for this audience: its signature and claims, its session, its user."""
        try:
            claims = self._signer.keyring.verify(
                token, issuer=self._parts.config.issuer, audience=audience, now_s=self._parts.clock()
            )
        except tokens.TokenInvalid:
            return GONE
        if not await self._stands(self._parts.store.reading, claims):
            return GONE
        return inner_messages.Introspected(active=True, sub=claims.sub, sid=claims.sid, did=claims.did, exp=claims.exp)

    async def _stands(self, db: Db, claims: tokens.Claims) -> bool:
        session = await store_sessions.session(db, claims.sid)
        account = await store_accounts.by_id(db, claims.sub)
        if session is None or account is None:
            return False
        return (
            account.active
            and not session.ended
            and session.expires_ms > self._parts.now_ms()
            and session.user == claims.sub
            and session.device == claims.did
            and claims.epoch >= account.epoch
            and not self._bans.is_banned(claims.sub, claims.did)
        )
