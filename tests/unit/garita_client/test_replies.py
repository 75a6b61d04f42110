"""Answers read as what was asked for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_client.core.hearing import BadServerFrame, Ok
from garita_client.core.replies import HistoryPage, Sent, read_reply

SENT = {"op": "ok", "id": 3, "mid": "m-1", "seq": 7, "ts": 1_800_000_000_000}


def answer(fields: dict[str, object]) -> Ok:
    return Ok(3, msgspec.json.encode(fields))


def test_a_whole_answer_is_read() -> None:
    """Its fields are there, what was left out has its default, and an unknown field of a newer server is ignored."""
    sent = read_reply(answer(SENT | {"mood": "fine"}), Sent)

    assert (sent.mid, sent.seq, sent.dup) == ("m-1", 7, False)


@pytest.mark.parametrize("field", ["mid", "seq", "ts"])
def test_an_answer_without_a_promised_field_is_refused(field: str) -> None:
    """A program never sees half an answer."""
    with pytest.raises(BadServerFrame, match="Sent"):
        read_reply(answer({name: value for name, value in SENT.items() if name != field}), Sent)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_bad_frame(raw: bytes) -> None:
    """Nothing else comes out of reading."""
    try:
        read_reply(Ok(1, raw), Sent)
    except BadServerFrame:
        pass


def test_a_page_gives_each_event_as_the_push_it_was() -> None:
    """In their order; one that is no event at all is the server's fault, told as such."""
    page = {"op": "ok", "id": 1, "room": "r", "epoch": "a", "head": 2}
    good = page | {"events": [{"op": "message", "seq": 1, "text": "hola"}, {"op": "later", "seq": 2, "how": {}}]}

    events = read_reply(answer(good), HistoryPage).events

    assert [(event.op, event.seq, event.text) for event in events] == [("message", 1, "hola"), ("later", 2, None)]
    with pytest.raises(BadServerFrame):
        _ = read_reply(answer(page | {"events": [17]}), HistoryPage).events
