"""Search: whose messages are found, by which words, in which order; and what a page holds."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import closing
from typing import Any

import pytest

from chat_service import store_search
from chat_service.search import search
from garita_common.core import frames
from garita_common.core.errors import Busy
from tests.fakes.chat_gateway import user_id

from .conftest import Desk, ok, send


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
    assert (await desk.search("ana", words("?!"))).code == "bad_request"


async def test_only_one_s_own_rooms_are_searched(desk: Desk) -> None:
    """Not a public room that one is not in, not one that one has left; a named room answers as every operation does."""
    public, private = await desk.room("ana", "public", "bob"), await desk.room("ana", "private")
    for room in (public, private):
        await desk.message("ana", room, f"tesoro en {room}")

    assert await texts(desk, "bob", words("tesoro")) == [f"tesoro en {public}"]
    assert await texts(desk, "eve", words("tesoro")) == []
    assert await texts(desk, "ana", words("tesoro", private)) == [f"tesoro en {private}"]
    assert (await desk.search("bob", words("tesoro", private))).code == "not_found"
    assert (await desk.search("eve", words("tesoro", public))).code == "forbidden"
    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=public)))
    assert await texts(desk, "bob", words("tesoro")) == []


@pytest.mark.parametrize(
    "hostile", ['tesoro" OR "1_tesoro', "room:tesoro", "1_tesoro", "tesoro NOT x", "NEAR(tesoro, 9)"]
)
async def test_the_index_s_language_is_not_spoken_from_outside(desk: Desk, hostile: str) -> None:
    """What looks like it is words, which are not there."""
    room, other = await desk.room("bob"), await desk.room("ana")
    await desk.message("ana", other, "tesoro")
    await desk.message("bob", room, "tesoro")

    assert await texts(desk, "bob", words(hostile)) == []


async def test_pages_go_from_the_newest_to_the_oldest_over_all_rooms(desk: Desk) -> None:
    """Each message once, also those of one millisecond, and whole rooms at a time."""
    rooms = [await desk.room("ana") for _ in range(3)]
    for number in range(30):
        desk.now_ms += number % 2
        await desk.message("ana", rooms[number % 3 if number < 20 else 0], f"mensaje {number}")
    found: list[int] = []
    before: int | None = None
    while True:
        page = ok(await desk.search("ana", words("mensaje", limit=7, before=before)))
        found += [int(hit["text"].split()[1]) for hit in page["hits"]]
        assert len(page["hits"]) <= 7
        if "next" not in page:
            break
        before = page["next"]
        assert before < 2**53

    assert sorted(found) == list(range(30))
    assert [number // 2 for number in found[:10]] == sorted((number // 2 for number in found[:10]), reverse=True)
    assert await texts(desk, "ana", words("mensaje 7", rooms[1])) == ["mensaje 7"]


async def test_a_page_fits_into_a_frame(desk: Desk) -> None:
    """Long messages make it shorter, and it goes on with the next; one that just fits comes alone."""
    room = await desk.room("ana")
    for number in range(12):
        desk.now_ms += 1
        await desk.message("ana", room, f"largo {number} " + "x" * 8000)

    first = await desk.search("ana", words("largo", limit=100))
    page = ok(first)
    rest = ok(await desk.search("ana", words("largo", limit=100, before=page["next"])))

    assert len(first.frame) <= 64 * 1024
    assert len(page["hits"]) == 7
    assert [hit["seq"] for hit in page["hits"] + rest["hits"]] == list(range(13, 1, -1))


async def test_edits_and_deletions_are_followed(desk: Desk) -> None:
    """The newest words find a message, earlier ones do not; a deleted one is not found, even before the index knows."""
    room = await desk.room("ana")
    mid = uuid.UUID((await desk.message("ana", room, "primero"))["mid"])
    other = (await desk.message("ana", room, "otro primero"))["mid"]
    assert len(await texts(desk, "ana", words("primero"))) == 2

    ok(await desk.say("ana", frames.Edit(id=1, cmid=uuid.uuid4(), room=room, mid=mid, text="segundo")))
    assert await texts(desk, "ana", words("primero")) == ["otro primero"]
    assert await texts(desk, "ana", words("segundo")) == ["segundo"]

    ok(await desk.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=uuid.UUID(other))))
    late = await asyncio.to_thread(_without_following, desk, "ana", words("primero"))
    assert b"primero" not in late
    assert await texts(desk, "ana", words("primero")) == []


async def test_a_search_ends_with_its_deadline(desk: Desk) -> None:
    """Before it looks anywhere, and in the middle of looking."""
    room = await desk.room("ana")
    await desk.batch(*(("g1", stamped_send(room, number)) for number in range(200)))
    await desk.search("ana", words("hola"))

    def run(late_after: int) -> bytes:
        calls = 0

        def is_late() -> bool:
            nonlocal calls
            calls += 1
            return calls > late_after

        with closing(store_search.connect_reader(desk.index, desk.path)) as reader:
            return search(reader, user_id("ana"), words("hola", limit=100), is_late)

    for late_after in (0, 1):
        with pytest.raises(Busy):
            await asyncio.to_thread(run, late_after)
    assert b"hola 199" in await asyncio.to_thread(run, 10**6)


def stamped_send(room: str, number: int) -> Any:
    """A message's command."""
    from tests.fakes.chat_gateway import stamped

    return stamped("ana", send(room, f"hola {number}"))


def _without_following(desk: Desk, user: str, op: frames.Search) -> bytes:
    with closing(store_search.connect_reader(desk.index, desk.path)) as reader:
        return search(reader, user_id(user), op, lambda: False)
