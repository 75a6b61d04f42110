"""What goes over Redis at once is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from chat_service.core.packing import packets


def test_a_packet_is_full_at_its_bytes() -> None:
    """At the limit it is one packet, one past it two."""
    assert list(packets(["ab", "cd"], len, 4)) == [["ab", "cd"]]
    assert list(packets(["ab", "cde"], len, 4)) == [["ab"], ["cde"]]


def test_a_large_item_has_a_packet_to_itself() -> None:
    """Nothing is left out for its size."""
    assert list(packets(["a", "bbbbbbb", "c"], len, 4)) == [["a"], ["bbbbbbb"], ["c"]]


@given(st.lists(st.binary(max_size=20)), st.integers(1, 40))
def test_packets_keep_every_item_in_order(items: list[bytes], limit: int) -> None:
    """Joined again, packets are the items; none is empty."""
    found = list(packets(items, len, limit))

    assert [item for packet in found for item in packet] == items
    assert all(found)
    assert all(len(packet) == 1 or sum(map(len, packet)) <= limit for packet in found)
