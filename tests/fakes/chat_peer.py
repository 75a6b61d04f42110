"""One connection of `chat_server`, and what can be made to go wrong with it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.fakes.chat_room import Frame


def _never(op: str, frame: Frame) -> bool:
    return False


@dataclass
class Faults:
    """What goes wrong. Counters are used up by one each time."""

    silent: bool = False
    """Hears everything and says nothing: a dead line."""
    lose_answer: Callable[[str, Frame], bool] = _never
    """The request is carried out, and the connection is cut before the answer."""
    busy_unknown: Counter[str] = field(default_factory=Counter)
    """Per operation: carried out, but answered `busy` with outcome unknown."""
    rate_limited: Counter[str] = field(default_factory=Counter)
    """Per operation: refused for a moment."""
    lose_pushes: int = 0
    """So many room events are stored but not pushed."""
    recover_at_most: int = 300
    refuse_token: str | None = None
    """Tokens with this text are closed with 4403."""
    bad_token: str | None = None
    """Tokens with this text are closed with 4500."""
    cut_upload_after: int | None = None
    """Bytes of an upload after which the connection is cut, once."""
    cut_download_after: int | None = None


class Peer:
    """One connection; the transport gives it three functions."""

    def __init__(
        self,
        text: Callable[[str], Awaitable[None]],
        binary: Callable[[bytes], Awaitable[None]],
        close: Callable[[int | None], Awaitable[None]],
    ) -> None:
        self._text, self._binary, self._close = text, binary, close
        self.user: Frame | None = None
        self.downloads: dict[str, tuple[Frame, int]] = {}
        self.pongs = 0

    async def say(self, frame: Frame) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._text(json.dumps(frame, ensure_ascii=False))

    async def say_chunk(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._binary(data)

    async def cut(self, code: int | None = None) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._close(code)
