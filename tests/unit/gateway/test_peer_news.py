"""What gateways tell each other survives the way, also from a newer one."""

import msgspec
import pytest

from gateway.core import peer_news
from gateway.core.peer_news import Level, MakeRoom, PeerNews


def test_what_is_told_is_what_is_heard() -> None:
    """Both kinds of news."""
    news = PeerNews([MakeRoom(7, "u1")], [Level("u2", -0.5, 2)])

    assert peer_news.decode(peer_news.encode(news)) == news


def test_a_field_more_is_skipped_and_something_else_is_refused() -> None:
    """A rolling restart has two versions at a time."""
    assert peer_news.decode(msgspec.msgpack.encode([[], [], "later"])) == PeerNews()

    with pytest.raises(msgspec.MsgspecError):
        peer_news.decode(b"\xc1")
