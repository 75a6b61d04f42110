"""Challenges in the chat: whoever is asked by a gateway looks or listens, answers here with the token of the chat, and gets a clear that the gateway redeems.

A clear is opaque, good for a minute and once, and bound to the user, session and device whose token came with the answer. It lies in Redis (`auth:tmp:clear:*`) under
its digest; without Redis there is none, and nobody is cleared.
"""

from typing import Final

import msgspec
import redis.asyncio as redis
from msgspec import Struct
from redis.exceptions import RedisError

from garita_common.core import activity
from garita_common.emitter import Emitter

from .audit import Audit
from .core import answers, inner_messages
from .core.problems import CodeInvalid, Overloaded
from .core.requests import Answered, Solve
from .core.sealing import digest
from .parts import Caller, Parts
from .pictures import Pictures
from .sessions import Present

LIFETIME_MS: Final = 60_000
"""A client hands it on at once; a minute is a slow network's reconnect."""
GONE: Final = inner_messages.Introspected(active=False)
_KEY: Final = "auth:tmp:clear:"


class _Clear(Struct, frozen=True):
    sub: str
    sid: str
    did: str
    expires_ms: int


class Clears:
    """Gives clears, and takes each back once."""

    def __init__(self, parts: Parts, client: "redis.Redis", pictures: Pictures, emitter: Emitter, audit: Audit) -> None:
        """Args: client: for clears; pictures: knows what is right; emitter: tells the detector."""
        self._parts = parts
        self._client = client
        self._pictures = pictures
        self._emitter = emitter
        self._audit = audit

    async def give(self, challenge: str, body: Solve, present: Present, caller: Caller) -> answers.Cleared:
        """A clear for the right answer; the challenge is used up either way.

        Raises:
            CodeInvalid: the answer is wrong, or there is no such challenge of this session.
            Overloaded: no Redis.
        """
        session = present.session
        answered = Answered(id=challenge, answer=body.answer)
        passed = await self._pictures.take(answered, "chat", session.id, session.device)
        self._note(present, caller, passed=passed)
        if not passed:
            raise CodeInvalid
        text = self._parts.new_secret().hex()
        clear = _Clear(present.account.id, session.id, session.device, self._parts.now_ms() + LIFETIME_MS)
        try:
            await self._client.set(_key_of(text), msgspec.msgpack.encode(clear), px=LIFETIME_MS)
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc
        return answers.Cleared(clear=text, expires_in=LIFETIME_MS // 1000)

    async def redeem(self, text: str) -> inner_messages.Introspected:
        """Whose clear this is; it is used up.

        Raises:
            Overloaded: no Redis: nobody knows.
        """
        try:
            found = await self._client.getdel(_key_of(text))
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc
        clear = msgspec.msgpack.decode(found, type=_Clear) if isinstance(found, bytes) else None
        if clear is None or clear.expires_ms <= self._parts.now_ms():
            return GONE
        self._audit.later("clear.redeemed", actor=clear.sid, subject=clear.sub)
        return inner_messages.Introspected(active=True, sub=clear.sub, sid=clear.sid, did=clear.did)

    def _note(self, present: Present, caller: Caller, *, passed: bool) -> None:
        event = activity.CaptchaPassed if passed else activity.CaptchaFailed
        self._emitter.emit(
            event(
                ts_ms=self._parts.now_ms(),
                src="auth",
                ip=str(caller.address),
                ip_prefix=caller.unit,
                user=present.account.id,
                device=present.session.device,
                action="chat",
            )
        )
        name = "challenge.solved" if passed else "challenge.failed"
        self._audit.later(name, actor=present.session.id, subject=present.account.id, caller=caller)


def _key_of(text: str) -> str:
    return _KEY + digest(text.encode()).hex()
