"""Pictures and clips made ahead, so that asking for one costs no CPU.

What a picture shows is forgotten when it comes from its maker: beside it lies a keyed mark of the answer. The pools fill slowly, for a machine of two cores has other
work at a start; what was taken is made again at the same pace, and whoever is faster finds an empty pool, which is an answer like any other of an overloaded service.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

import structlog

from .core.pictures import Kind, normal
from .parts import Parts
from .picture_maker import Maker, NotMade

log = structlog.get_logger()

FIRST = {Kind.IMAGE: 20, Kind.AUDIO: 4}
"""So many at once, for the first who ask."""
PACE_S = {Kind.IMAGE: 0.1, Kind.AUDIO: 1.0}
"""Then one in this time: under a quarter of one core."""
LOOK_S = 0.25
AFTER_FAILURE_S = 5.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, and the mark of its answer with `salt`."""

    file: bytes
    salt: bytes
    answer_mark: bytes


class PicturePool:
    """Keeps some of each kind."""

    def __init__(self, parts: Parts, maker: Maker) -> None:
        """Args: maker: makes them elsewhere."""
        self._parts = parts
        self._maker = maker
        self._sizes = {Kind.IMAGE: parts.config.captcha_images, Kind.AUDIO: parts.config.captcha_clips}
        self._held: dict[Kind, deque[Picture]] = {kind: deque() for kind in Kind}

    async def run(self) -> None:
        """Fills the pools, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind in Kind:
                    tasks.create_task(self._fill(kind), name=f"pictures-{kind.value}")
        finally:
            self._maker.close()

    def take(self, kind: Kind) -> Picture | None:
        """One that nobody has seen; None where the pool is empty."""
        held = self._held[kind]
        self._parts.metrics.pictures.labels(kind.value).set(max(0, len(held) - 1))
        return held.popleft() if held else None

    def mark(self, salt: bytes, typed: str) -> bytes:
        """The mark that an answer would have."""
        return self._parts.seals.mark("picture", salt, normal(typed))

    async def _fill(self, kind: Kind) -> None:
        held = self._held[kind]
        while True:
            if len(held) >= self._sizes[kind]:
                await asyncio.sleep(LOOK_S)
                continue
            try:
                file, answer = await self._maker.make(kind)
            except NotMade as exc:
                log.error("picture_not_made", kind=kind.value, error=type(exc.__cause__).__name__)
                await asyncio.sleep(AFTER_FAILURE_S)
                continue
            salt = self._parts.new_secret()
            held.append(Picture(file, salt, self.mark(salt, answer)))
            self._parts.metrics.pictures.labels(kind.value).set(len(held))
            if len(held) > FIRST[kind]:
                await asyncio.sleep(PACE_S[kind])
