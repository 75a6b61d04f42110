"""Challenges by picture or sound: one picture, one look, one answer.

A challenge is bound to an action, a flow (for a login: the name that is tried) and the browser that asked, and lies in Redis (`auth:tmp:picture:*`) for five minutes.
Until its file is asked for it is a promise that costs nothing; then a picture is taken from the pool, and the challenge keeps the mark of its answer. The first
answer takes the challenge away, right or wrong. Without Redis there is none.
"""

import hmac
from dataclasses import dataclass
from typing import Final

import msgspec
import redis.asyncio as redis
from msgspec import Struct
from redis.exceptions import RedisError

from .core.pictures import LIFETIME_MS, MEDIA, Kind
from .core.problems import NotHere, Overloaded
from .core.requests import Action, Answered
from .parts import Parts
from .picture_pool import PicturePool

_KEY: Final = "auth:tmp:picture:"


class _Asked(Struct, frozen=True):
    kind: str
    action: str
    flow: bytes
    browser: bytes
    expires_ms: int
    salt: bytes = b""
    answer_mark: bytes = b""


@dataclass(frozen=True, slots=True)
class Begun:
    """A challenge whose picture is still to be asked for."""

    id: str
    kind: Kind


class Pictures:
    """Makes these challenges and takes their answers."""

    def __init__(self, parts: Parts, client: "redis.Redis", pool: PicturePool) -> None:
        """Args: client: for challenges; pool: has the pictures."""
        self._parts = parts
        self._client = client
        self._pool = pool

    async def begin(self, kind: Kind, action: Action, flow: str, browser: str) -> Begun:
        """A challenge. Args: flow: what it is for; browser: the secret of who asks.

        Raises:
            Overloaded: no Redis.
        """
        challenge = self._parts.new_id()
        marks = self._parts.seals
        asked = _Asked(
            kind.value,
            action,
            marks.mark("picture-flow", flow),
            marks.mark("picture-browser", browser),
            self._parts.now_ms() + LIFETIME_MS,
        )
        await self._put(f"{challenge}:asked", asked)
        self._parts.metrics.challenges.labels(kind.value, "made").inc()
        return Begun(challenge, kind)

    async def file(self, challenge: str) -> tuple[str, bytes]:
        """Media type and file of a challenge, once.

        Raises:
            NotHere: there is none, or it was asked for before.
            Overloaded: no picture is left just now, or no Redis.
        """
        asked = await self._taken(f"{challenge}:asked")
        if asked is None:
            raise NotHere
        kind = Kind(asked.kind)
        picture = self._pool.take(kind)
        if picture is None:
            await self._put(f"{challenge}:asked", asked)
            raise Overloaded
        shown = msgspec.structs.replace(asked, salt=picture.salt, answer_mark=picture.answer_mark)
        await self._put(f"{challenge}:shown", shown)
        return MEDIA[kind], picture.file

    async def take(self, given: Answered, action: Action, flow: str, browser: str) -> bool:
        """Whether an answer is right, for this and from here. The challenge is used up, whatever comes out.

        Raises:
            Overloaded: no Redis.
        """
        shown = await self._taken(f"{given.id}:shown")
        if shown is None:
            return False
        marks = self._parts.seals
        is_right = all(
            (
                hmac.compare_digest(self._pool.mark(shown.salt, given.answer), shown.answer_mark),
                hmac.compare_digest(marks.mark("picture-flow", flow), shown.flow),
                hmac.compare_digest(marks.mark("picture-browser", browser), shown.browser),
                shown.action == action,
            )
        )
        self._parts.metrics.challenges.labels(shown.kind, "passed" if is_right else "failed").inc()
        return is_right

    async def _put(self, name: str, asked: _Asked) -> None:
        left_ms = max(1, asked.expires_ms - self._parts.now_ms())
        try:
            await self._client.set(_KEY + name, msgspec.msgpack.encode(asked), px=left_ms)
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc

    async def _taken(self, name: str) -> _Asked | None:
        try:
            found = await self._client.getdel(_KEY + name)
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc
        asked = msgspec.msgpack.decode(found, type=_Asked) if isinstance(found, bytes) else None
        return asked if asked is not None and self._parts.now_ms() < asked.expires_ms else None
