"""Pages are bounded, at the limit and one past it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.core.paging import (
    RECOVER_BYTES,
    RECOVER_EVENTS,
    Window,
    fit,
    fits_recovery,
    history_window,
    is_in_reach,
)
from garita_common.core.errors import BadRequest, CursorInvalid


@pytest.mark.parametrize(
    ("before", "after", "window"),
    [
        (None, None, Window(1, 10, newest_first=True)),
        (11, None, Window(1, 10, newest_first=True)),
        (5, None, Window(1, 4, newest_first=True)),
        (1, None, Window(1, 0, newest_first=True)),
        (None, 0, Window(1, 10, newest_first=False)),
        (None, 10, Window(11, 10, newest_first=False)),
    ],
)
def test_a_history_request_names_a_window(before: int | None, after: int | None, window: Window) -> None:
    """Both cursors are exclusive; without one, the newest events are meant."""
    assert history_window(10, before, after) == window


@pytest.mark.parametrize(("before", "after"), [(12, None), (None, 11), (2**53 - 1, None)])
def test_a_cursor_beyond_the_head_is_invalid(before: int | None, after: int | None) -> None:
    """One past the head is refused."""
    with pytest.raises(CursorInvalid):
        history_window(10, before, after)


def test_two_cursors_are_refused() -> None:
    """A page has one direction."""
    with pytest.raises(BadRequest):
        history_window(10, 5, 3)


@given(st.integers(0, 50), st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_window_never_leaves_the_history(head: int, before: int | None, after: int | None) -> None:
    """Whatever is asked for: refused, or within 1 … head."""
    try:
        window = history_window(head, before, after)
    except (BadRequest, CursorInvalid):
        return
    assert window.low >= 1
    assert window.high <= head


def test_a_page_is_full_at_its_bytes_and_not_one_past_them() -> None:
    """Each item counts with its comma."""
    assert fit([9, 9], 20) == 2
    assert fit([9, 10], 20) == 1
    assert fit([], 20) == 0


def test_a_page_has_at_least_one_item() -> None:
    """An item that is larger than a page by itself is shown all the same."""
    assert fit([100, 1], 20) == 1


@given(st.lists(st.integers(0, 100)), st.integers(1, 500))
def test_what_fits_is_within_the_bytes(sizes: list[int], limit: int) -> None:
    """More than one item never exceeds the limit, and one more would."""
    count = fit(sizes, limit)

    if count > 1:
        assert sum(size + 1 for size in sizes[:count]) <= limit
    if count < len(sizes):
        assert sum(size + 1 for size in sizes[: count + 1]) > limit


@pytest.mark.parametrize(
    ("head", "seq", "limit", "reachable"),
    [
        (400, 100, 300, True),
        (400, 99, 300, False),
        (400, 100, 5000, True),
        (400, 99, 5000, False),
        (400, 390, 10, True),
        (400, 389, 10, False),
        (400, 400, 300, True),
        (400, 401, 300, False),
        (0, 0, 300, True),
        (0, -1, 300, False),
    ],
)
def test_recovery_reaches_back_as_far_as_its_limit(head: int, seq: int, limit: int, reachable: bool) -> None:
    """300 events and not 301, whatever a gateway asks for; no cursor above the head."""
    assert RECOVER_EVENTS == 300
    assert is_in_reach(head, seq, limit) is reachable


def test_recovery_is_bounded_in_bytes() -> None:
    """256 KiB and not one byte more, whatever a gateway asks for."""
    assert fits_recovery(RECOVER_BYTES, RECOVER_BYTES)
    assert not fits_recovery(RECOVER_BYTES + 1, RECOVER_BYTES * 2)
    assert not fits_recovery(11, 10)
