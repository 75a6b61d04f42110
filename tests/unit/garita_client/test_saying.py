"""Frames that the client builds are ones that the server reads."""

from uuid import UUID

import msgspec
import pytest

from garita_client.core import saying
from garita_client.core.hearing import ErrorAnswer
from garita_common.core import frames

CMID = UUID("01890000-0000-7000-8000-000000000000")
ROOM = "r" + "1" * 32
USER = "u" + "2" * 32


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("connect", {"v": 1, "token": "t", "client": "c", "resume": {ROOM: ["a", 3], "@me": 2}}),
        ("renew", {"token": "t"}),
        ("create_room", {"kind": "public", "title": "x", "user": None}),
        ("rooms", {"scope": "public", "after": None, "limit": 100}),
        ("join", {"room": ROOM}),
        ("send", {"room": ROOM, "text": "ñ", "reply_to": None, "files": None}),
        ("history", {"room": ROOM, "after": 4, "limit": 100, "before": None}),
        ("upload", {"room": ROOM, "name": "a.bin", "size": 3, "sha256": "0" * 64, "type": "text/plain"}),
        ("search", {"text": "ñandú rápido", "room": None, "before": None, "limit": 20}),
        ("edit", {"room": ROOM, "mid": str(CMID), "text": "x"}),
        ("delete", {"room": ROOM, "mid": str(CMID), "note": ""}),
        ("react", {"room": ROOM, "mid": str(CMID), "emoji": "👍", "on": False}),
        ("report", {"room": ROOM, "mid": str(CMID), "reason": "spam", "note": ""}),
        ("set_room", {"room": ROOM, "title": None, "topic": "x"}),
        ("kick", {"room": ROOM, "user": USER, "note": ""}),
        ("ban_member", {"room": ROOM, "user": USER, "banned": False, "note": ""}),
        ("set_role", {"room": ROOM, "user": USER, "role": "muted", "note": ""}),
        ("banned", {"room": ROOM, "after": None, "limit": 100}),
        ("audit", {"room": ROOM, "before": None, "limit": 100}),
        ("presence", {"room": ROOM, "after": None, "limit": 100}),
        ("download", {"file": "f" + "0" * 32, "offset": 0}),
    ],
)
def test_server_reads_it(op: str, fields: dict[str, object]) -> None:
    """Every request parses with the server's own types, `None` left out and a cmid where it belongs."""
    named = saying.with_cmid(op, fields, CMID)

    parsed = frames.parse(saying.request(op, 7, named))

    assert parsed.__struct_config__.tag == op
    assert isinstance(parsed, frames.Request)
    assert parsed.id == 7
    assert isinstance(parsed, frames.Change) == (op in saying.CHANGES) == ("cmid" in named)


def test_others_are_read_too() -> None:
    """`pong` and `chunk_ack` have no id."""
    assert isinstance(frames.parse(saying.PONG), frames.Pong)
    assert isinstance(frames.parse(saying.chunk_ack("0" * 32, 5)), frames.ChunkAck)


def test_given_cmid_is_kept() -> None:
    """A caller that repeats over program runs brings its own cmid."""
    assert saying.with_cmid("send", {"cmid": "mine"}, CMID)["cmid"] == "mine"


def test_ids_stay_in_their_range() -> None:
    """After the last id the first one comes again."""
    assert saying.next_id(1) == 2
    assert saying.next_id(2**32 - 1) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ErrorAnswer("busy", "m", 1, True, 50, "unknown"), saying.Repeat),
        (ErrorAnswer("rate_limited", "m", 1, True, 50), saying.Repeat),
        (ErrorAnswer("internal", "m", 1, True), saying.Repeat),
        (ErrorAnswer("token_expired", "m", 1), saying.Reconnect),
        (ErrorAnswer("not_found", "m", 1), saying.Refuse),
        (ErrorAnswer("conflict", "m", 1), saying.Refuse),
    ],
)
def test_errors_are_judged(answer: ErrorAnswer, kind: type) -> None:
    """Temporary: again; a token's end: with another one; everything else is the caller's."""
    assert isinstance(saying.judge(answer, repeats=0, fraction=0.0), kind)


def test_frame_is_plain_json() -> None:
    """One object, as the protocol page says."""
    assert msgspec.json.decode(saying.request("join", 1, {"room": "r"})) == {"op": "join", "id": 1, "room": "r"}


@pytest.mark.parametrize(("op", "fields"), [("read", {"seq": 4}), ("received", {"seq": 0}), ("typing", {})])
def test_hints_have_no_id(op: str, fields: dict[str, object]) -> None:
    """What is said in passing parses with the server's own types."""
    parsed = frames.parse(saying.hint(op, ROOM, fields))

    assert isinstance(parsed, frames.Hint)
    assert parsed.__struct_config__.tag == op


def test_only_hints_are_said_in_passing() -> None:
    """A request without an id would only count as a fault."""
    with pytest.raises(ValueError, match="send"):
        saying.hint("send", ROOM, {"text": "x"})
