"""Search: whose messages are found, by which words, in which order; and what a page holds."""

from __future__ import annotations

from typing import Any

from garita_common.core import frames

from .conftest import Desk, ok


def words(text: str, room: str | None = None, **fields: Any) -> frames.Search:
    """A search."""
    return frames.Search(id=1, text=text, room=room, **fields)


async def texts(desk: Desk, user: str, op: frames.Search) -> list[str]:
    """What is found."""
    return [hit["text"] for hit in ok(await desk.search(user, op))["hits"]]


async def test_all_words_must_be_there_and_the_last_may_be_a_beginning(desk: Desk) -> None:
    """Without case and diacritics, in any order, newest first."""
    room = await desk.room("ana")
    for text in ("Nos vemos en la PLAZA", "mañana en la plaza mayor", "la plazuela, mañana", "mayor"):
        desk.now_ms += 1
        await desk.message("ana", room, text)

    assert await texts(desk, "ana", words("manana plaz")) == ["la plazuela, mañana", "mañana en la plaza mayor"]
    assert await texts(desk, "ana", words("PLAZA, vemos")) == ["Nos vemos en la PLAZA"]
    assert await texts(desk, "ana", words("plaz mayor")) == []
    assert await texts(desk, "ana", words("m")) == []
