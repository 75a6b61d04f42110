"""garita_common.core.records."""

import uuid

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import frames, records

SMALL = st.integers(0, 2**53 - 1)
EVENTS = st.lists(st.builds(records.RoomEvent, SMALL, st.binary(max_size=50), st.text(max_size=5)), max_size=5)
REPLIES = st.one_of(
    st.builds(
        records.Answered,
        SMALL,
        st.text(max_size=5),
        SMALL,
        st.binary(max_size=20),
        st.text(max_size=5),
        st.none() | st.builds(records.AttachRoom, st.text(), st.text(), SMALL),
    ),
    st.builds(
        records.Attached,
        SMALL,
        st.text(max_size=5),
        st.lists(st.builds(records.RoomHead, st.text(), st.text(), SMALL), max_size=3),
        SMALL,
    ),
    st.builds(records.Recovered, SMALL, st.text(), st.text(), st.text(), SMALL, st.booleans(), EVENTS, st.booleans()),
    st.builds(records.HeadsCompared, st.lists(st.builds(records.RoomHead, st.text(), st.text(), SMALL), max_size=3)),
    st.builds(records.AskRefused, SMALL, st.text(), st.text(), st.text()),
)


@given(st.lists(REPLIES, max_size=4))
def test_replies_read_back(replies: list[records.Reply]) -> None:
    """Decoding what was encoded gives it back, whatever the mixture."""
    assert records.decode_replies(records.encode(replies)) == replies


def test_a_batch_carries_clients_operations_and_the_gateways_own() -> None:
    """Each command's operation is decoded on its own, so that a bad one fails alone."""
    join = frames.Join(id=1, cmid=uuid.uuid4(), room="r" + "0" * 32)
    ask = records.Recover("r", "e", 5)
    commands = [
        records.Command(1, 2, "u", "n", "s", "d", "192.0.2.1", 1, 2, asked, msgspec.Raw(records.encode(op)))
        for asked, op in ((False, join), (True, ask))
    ]

    batch = records.decode_batch(records.encode(records.Batch("g", commands)))

    assert records.decode_room_op(batch.commands[0].op) == join
    assert records.decode_ask(batch.commands[1].op) == ask


def test_a_newer_writers_extra_field_is_skipped() -> None:
    """A rolling restart mixes versions: fields are appended, and an older reader skips them."""
    event = msgspec.msgpack.encode([5, b"{}", "", "new"])

    assert msgspec.msgpack.decode(event, type=records.RoomEvent) == records.RoomEvent(5, b"{}")
