"""Repeats are known by what they say."""

import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.core.idempotency import Kept, check_repeat, digest
from garita_common.core.errors import Conflict
from garita_common.core.frames import Compose, CreateRoom, Join, Leave, Send

ROOM = "r" + "0" * 32
OTHER_ROOM = "r" + "1" * 32
CMID = uuid.UUID(int=7)


def message(**changes: object) -> Send:
    """A message with some fields of its own."""
    return msgspec.structs.replace(Send(id=1, cmid=CMID, room=ROOM, text="hola"), **changes)


def test_the_requests_number_is_not_its_content() -> None:
    """A repeat over another connection has another id and is the same request."""
    assert digest(message(id=2)) == digest(message())


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "hola!"},
        {"room": OTHER_ROOM},
        {"reply_to": uuid.UUID(int=1)},
        {"files": ["f" + "0" * 32]},
        {"compose": Compose(ms=1, keys=1, fixes=0, paste=False, ikcv=0.1)},
    ],
)
def test_every_field_is_content(changes: dict[str, object]) -> None:
    """Another value in any field is another request."""
    assert digest(message(**changes)) != digest(message())


def test_the_operation_is_content() -> None:
    """The same fields with another operation are another request."""
    assert digest(Join(id=1, cmid=CMID, room=ROOM)) != digest(Leave(id=1, cmid=CMID, room=ROOM))


def test_a_default_that_is_spelled_out_is_no_difference() -> None:
    """Leaving a field out and giving its default say the same."""
    spelled = CreateRoom(id=1, cmid=CMID, kind="public", title="a", topic="", user=None)

    assert digest(spelled) == digest(CreateRoom(id=1, cmid=CMID, kind="public", title="a"))


@given(st.text(max_size=50), st.text(max_size=50))
def test_texts_that_differ_have_digests_that_differ(one: str, other: str) -> None:
    """Only the same text has the same digest."""
    assert (digest(message(text=one)) == digest(message(text=other))) == (one == other)


def test_a_repeat_with_other_content_is_a_conflict() -> None:
    """The kept digest decides."""
    kept = Kept(digest(message()), b"{}")

    check_repeat(kept, digest(message(id=9)))
    with pytest.raises(Conflict):
        check_repeat(kept, digest(message(text="adiós")))
