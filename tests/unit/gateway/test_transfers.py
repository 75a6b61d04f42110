"""Rules of files on their way: order, window, ownership, and what the parts in a store say."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.errors import BadRequest, Busy, Conflict, LimitReached, NotFound, TooLarge
from gateway.core.transfers import (
    Download,
    Part,
    Took,
    TransferLimits,
    Upload,
    check_memory,
    contiguous,
    held_bytes,
    most_parts,
    part_key,
    part_of,
)

LIMITS = TransferLimits()
ME, OTHER = 7, 8
CHUNK = LIMITS.chunk_bytes


def opened(size: int = 10 * CHUNK, row: list[Part] | None = None) -> Upload:
    """An upload that connection ME has opened."""
    upload = Upload("ab" * 16, "u1", size)
    upload.owner = ME
    upload.begin(row or [])
    return upload


@given(st.integers(0, 2**53 - 1))
def test_a_part_is_found_again_by_its_key(offset: int) -> None:
    """A part's key gives its offset back."""
    assert part_of(part_key("ab" * 16, offset), 5) == Part(offset, 5)


@pytest.mark.parametrize(
    "name", ["", "x" * 16, "0" * 15, "0" * 17, "-000000000000001", "0x00000000000001", "00000000000000AB"]
)
def test_other_keys_are_no_parts(name: str) -> None:
    """A key that we would not have written is no part."""
    assert part_of(f"uploads/ab/{name}", 5) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), max_size=30))
def test_a_row_of_parts_has_no_hole(pairs: list[tuple[int, int]]) -> None:
    """What counts as held begins at 0, has no hole and no overlap, and stops only where no part goes on."""
    parts = [Part(offset, size) for offset, size in dict(pairs).items()]

    row = contiguous(reversed(parts))

    end = 0
    for part in row:
        assert part.offset == end
        end += part.size
    assert held_bytes(row) == end
    assert all(part.size == 0 for part in parts if part.offset == end)


def test_only_the_connection_that_opened_it_may_send() -> None:
    """A chunk from another connection is refused as if there were no such upload, and the owner's is taken."""
    upload = opened()

    with pytest.raises(NotFound):
        upload.take(OTHER, 0, 10, 0, LIMITS)
    assert upload.take(ME, 0, 10, 0, LIMITS) is Took.STORE


def test_nothing_is_taken_before_the_store_was_asked() -> None:
    """A chunk that overtakes the answer to its `upload` is refused."""
    upload = Upload("ab" * 16, "u1", 100)
    upload.owner = ME

    with pytest.raises(NotFound):
        upload.take(ME, 0, 10, 0, LIMITS)


def test_nothing_is_taken_while_it_is_finished() -> None:
    """A chunk during `upload_finish` is a conflict."""
    upload = opened()
    upload.held = True

    with pytest.raises(Conflict):
        upload.take(ME, 0, 10, 0, LIMITS)


def test_the_announced_size_is_held() -> None:
    """The last byte that was announced is taken, one more is not."""
    upload = opened(size=10)

    with pytest.raises(TooLarge):
        upload.take(ME, 0, 11, 0, LIMITS)
    assert upload.take(ME, 0, 10, 0, LIMITS) is Took.STORE
    with pytest.raises(TooLarge):
        upload.take(ME, 10, 1, 1, LIMITS)


def test_a_chunk_has_a_largest_size() -> None:
    """64 KiB of data are taken, one byte more is not."""
    upload = opened()

    with pytest.raises(TooLarge):
        upload.take(ME, 0, CHUNK + 1, 0, LIMITS)
    assert upload.take(ME, 0, CHUNK, 0, LIMITS) is Took.STORE


def test_the_window_is_held() -> None:
    """The fourth unacknowledged chunk is taken, the fifth is not."""
    upload = opened()
    for number in range(4):
        assert upload.take(ME, number * CHUNK, CHUNK, number, LIMITS) is Took.STORE

    with pytest.raises(LimitReached):
        upload.take(ME, 4 * CHUNK, CHUNK, 4, LIMITS)
    assert upload.store([CHUNK]) == [CHUNK]
    assert upload.take(ME, 4 * CHUNK, CHUNK, 3, LIMITS) is Took.STORE


def test_small_chunks_use_their_allowance_up() -> None:
    """Chunks of one byte are taken as long as the number of parts allows, and not one more."""
    upload = opened(size=8 * 1024)
    most = most_parts(upload.size, LIMITS)
    for offset in range(most):
        assert upload.take(ME, offset, 1, 0, LIMITS) is Took.STORE
        upload.store([1])

    with pytest.raises(LimitReached):
        upload.take(ME, most, 1, 0, LIMITS)


def test_a_stray_is_answered_with_the_offset_to_go_on_from() -> None:
    """At once when nothing is under way, else after what is under way is stored."""
    upload = opened()
    assert upload.take(ME, 5, 10, 0, LIMITS) is Took.ASTRAY_NOW

    upload.take(ME, 0, 10, 0, LIMITS)
    assert upload.take(ME, 5, 10, 1, LIMITS) is Took.ASTRAY
    assert upload.store([10]) == [10]
    assert upload.settle()
    assert not upload.settle()


def test_endless_strays_are_refused() -> None:
    """Two windows of strays are borne, the next is an error; a chunk at its place forgives them."""
    upload = opened()
    for _ in range(2 * LIMITS.window):
        assert upload.take(ME, 99, 1, 0, LIMITS) is Took.ASTRAY_NOW
    with pytest.raises(BadRequest):
        upload.take(ME, 99, 1, 0, LIMITS)

    assert upload.take(ME, 0, 1, 0, LIMITS) is Took.STORE
    assert upload.take(ME, 99, 1, 1, LIMITS) is Took.ASTRAY


def test_another_process_parts_count() -> None:
    """When another gateway has stored parts, the upload goes on behind them."""
    upload = opened()
    upload.take(ME, 0, 10, 0, LIMITS)

    upload.recount([Part(0, 50)])

    assert (upload.stored, upload.received) == (50, 50)
    assert upload.settle()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("chunk"), st.integers(-3, 3), st.integers(1, 6)),
        st.tuples(st.sampled_from(["store", "fail"]), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 40))
def test_no_order_of_events_makes_a_hole(steps: list[tuple[str, int, int]], size: int) -> None:
    """Whatever a client sends and whenever the store fails: parts are contiguous, offsets ordered, the window and the size held."""
    limits = TransferLimits(window=3, chunk_bytes=5)
    upload = opened(size)
    waiting: deque[int] = deque()
    parts: list[Part] = []
    for kind, shift, length in steps:
        if kind == "chunk":
            try:
                took = upload.take(ME, max(0, upload.received + shift), length, len(waiting), limits)
            except (TooLarge, LimitReached, BadRequest):
                continue
            if took is Took.STORE:
                waiting.append(length)
        elif kind == "store" and waiting:
            parts.append(Part(upload.stored, waiting[0]))
            assert upload.store([waiting.popleft()]) == [upload.stored]
        elif kind == "fail":
            waiting.clear()
            upload.fall_back()
        assert upload.stored <= upload.received <= size
        assert upload.received - upload.stored == sum(waiting)
        assert len(waiting) <= limits.window
        assert held_bytes(contiguous(parts)) == upload.stored


@given(st.integers(0, 60), st.integers(0, 70), st.lists(st.integers(0, 70), max_size=40))
def test_a_download_keeps_its_window(size: int, offset: int, acks: list[int]) -> None:
    """Never more than the window is under way, and every byte from the offset on leaves once, in order."""
    limits = TransferLimits(window=3, chunk_bytes=5)
    download = Download("ab" * 16, size, offset)
    at = min(offset, size)
    for ack in [*acks, *range(size + 1)]:
        while length := download.may_send(limits):
            assert download.sent == at
            at += length
            download.send(length)
            assert download.sent - download.acked <= 15
        if ack <= download.sent:
            moved = ack > download.acked
            assert download.acknowledge(ack) is moved
        else:
            with pytest.raises(BadRequest):
                download.acknowledge(ack)
    assert download.all_sent
    assert at == size


def test_memory_has_an_end() -> None:
    """Chunks of all uploads together are held up to the limit, not one byte past it."""
    limits = TransferLimits(memory_bytes=100)
    check_memory(90, 10, limits)

    with pytest.raises(Busy):
        check_memory(91, 10, limits)
