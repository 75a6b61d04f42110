"""Rates of dear operations, from the setting's text."""

import pytest

from garita_common.core import frames
from garita_common.core.buckets import Rate
from gateway.core.operation_rates import parse


def test_operations_by_name_with_their_rates() -> None:
    """Spaces and an empty entry do no harm; nothing is nothing."""
    assert parse(" create_room=0.05:10, search=1:5,") == {
        frames.CreateRoom: Rate(0.05, 10),
        frames.Search: Rate(1, 5),
    }
    assert parse("") == parse("none") == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fly=1:5", "there is no operation fly"),
        ("search", "search is not of the form"),
        ("search=1", "search=1 is not of the form"),
        ("search=a:b", "not of the form"),
        ("search=0:5", "above 0"),
        ("search=1:0.5", "at least 1"),
        ("search=nan:5", "above 0"),
        ("search=inf:5", "above 0"),
        ("search=1:5,search=2:5", "twice"),
        *(
            (f"{name}=1:5", "never refused")
            for name in ("leave", "pong", "logout", "upload_abort", "connect", "chunk_ack")
        ),
        ("send=1:5", "a limit of its own"),
    ],
)
def test_a_wrong_text_is_refused_with_its_reason(text: str, why: str) -> None:
    """Above all one that would refuse what lowers the load."""
    with pytest.raises(ValueError, match=why):
        parse(text)
