"""Windows of file transfers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_client.core.errors import TransferFailed
from garita_client.core.transfers import Receiving, Sending


def test_window_holds_four_chunks() -> None:
    """Four unacknowledged chunks, not five; an acknowledgement frees one."""
    sending = Sending.begin(100, 0, 10, 4)

    assert [sending.next_piece() for _ in range(5)] == [(0, 10), (10, 10), (20, 10), (30, 10), None]
    sending.acknowledged(10)
    assert [sending.next_piece(), sending.next_piece()] == [(40, 10), None]


def test_last_chunk_is_short() -> None:
    """The end of the file ends the chunks."""
    sending = Sending.begin(25, 20, 10, 4)

    assert [sending.next_piece(), sending.next_piece()] == [(20, 5), None]
    sending.acknowledged(25)
    assert sending.done


def test_repeated_ack_goes_back_once() -> None:
    """The server asks to go on from an earlier place; chunks that were under way ask it again and are not followed."""
    sending = Sending.begin(100, 0, 10, 4)
    for _ in range(4):
        sending.next_piece()
    sending.acknowledged(10)
    sending.acknowledged(10)
    assert sending.next_piece() == (10, 10)
    sending.acknowledged(10)
    assert sending.next_piece() == (20, 10)


@pytest.mark.parametrize("offset", [11, -1])
def test_impossible_ack_is_refused(offset: int) -> None:
    """Bytes that were never sent cannot have arrived."""
    sending = Sending.begin(100, 0, 10, 4)
    sending.next_piece()

    with pytest.raises(TransferFailed):
        sending.acknowledged(offset)


@pytest.mark.parametrize(("offset", "chunk", "window"), [(101, 10, 4), (0, 0, 4), (0, 10, 0)])
def test_impossible_start_is_refused(offset: int, chunk: int, window: int) -> None:
    """A server's numbers that make no sense do not make us loop."""
    with pytest.raises(TransferFailed):
        Sending.begin(100, offset, chunk, window)


def test_only_the_next_piece_is_taken() -> None:
    """A piece out of order is dropped, one past the end is an error."""
    receiving = Receiving(20, 0)

    assert receiving.take(0, 10)
    assert not receiving.take(0, 10)
    assert receiving.arrived == 10
    with pytest.raises(TransferFailed):
        receiving.take(10, 11)
    assert receiving.take(10, 10)
    assert receiving.done


@given(st.integers(1, 500), st.integers(1, 64), st.integers(1, 6), st.randoms(use_true_random=False))
def test_everything_arrives(size: int, chunk: int, window: int, random: object) -> None:
    """Against a receiver that takes only the next byte, every file arrives, with never more than the window under way."""
    sending, arrived, under_way = Sending.begin(size, 0, chunk, window), 0, []
    while not sending.done:
        while (piece := sending.next_piece()) is not None:
            under_way.append(piece)
        assert 0 < len(under_way) <= window
        offset, length = under_way.pop(0)
        if offset == arrived:
            arrived += length
        sending.acknowledged(arrived)

    assert arrived == size
