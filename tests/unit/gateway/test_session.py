"""A connection's conversation: every operation in every state, every limit at its value and one past it."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garita_common.core import frames, gate
from garita_common.core.buckets import Bucket, Rate
from garita_common.core.errors import Busy, CloseCode, NotFound
from garita_common.core.gate import State
from gateway.core.allowance import Allowance, UserLimits
from gateway.core.enforcement import Enforcement
from gateway.core.limits import SessionLimits
from gateway.core.session import (
    PING,
    Acknowledge,
    Begin,
    End,
    Extend,
    Forward,
    Mention,
    Redeem,
    Session,
    Step,
    TakeChunk,
    Tell,
)
from gateway.core.shared_bucket import SharedBucket

from .test_limits import config

FOREVER = 10_000.0
ROOM = "r" + "0" * 32
CMID = "0190a0a0-0000-7000-8000-000000000001"
TRANSFER = "0" * 32
USER = "u" + "0" * 32

SAMPLES: dict[type[frames.ClientOp], dict[str, Any]] = {
    frames.Connect: {"id": 1, "v": 1, "token": "t"},
    frames.Renew: {"id": 1, "token": "t"},
    frames.Clear: {"id": 1, "clear": "0" * 64},
    frames.Pong: {},
    frames.Logout: {"id": 1},
    frames.ChunkAck: {"transfer": TRANSFER, "offset": 0},
    frames.CreateRoom: {"id": 1, "cmid": CMID, "kind": "public", "title": "a"},
    frames.ListRooms: {"id": 1},
    frames.GetRoom: {"id": 1, "room": ROOM},
    frames.ListMembers: {"id": 1, "room": ROOM},
    frames.Join: {"id": 1, "cmid": CMID, "room": ROOM},
    frames.Leave: {"id": 1, "cmid": CMID, "room": ROOM},
    frames.Invite: {"id": 1, "cmid": CMID, "room": ROOM, "user": "ben"},
    frames.SetRoom: {"id": 1, "cmid": CMID, "room": ROOM, "title": "a"},
    frames.Kick: {"id": 1, "cmid": CMID, "room": ROOM, "user": USER},
    frames.BanMember: {"id": 1, "cmid": CMID, "room": ROOM, "user": USER},
    frames.SetRole: {"id": 1, "cmid": CMID, "room": ROOM, "user": USER, "role": "muted"},
    frames.ListBanned: {"id": 1, "room": ROOM},
    frames.Audit: {"id": 1, "room": ROOM},
    frames.Edit: {"id": 1, "cmid": CMID, "room": ROOM, "mid": CMID, "text": "a"},
    frames.Delete: {"id": 1, "cmid": CMID, "room": ROOM, "mid": CMID},
    frames.React: {"id": 1, "cmid": CMID, "room": ROOM, "mid": CMID, "emoji": "a"},
    frames.Report: {"id": 1, "cmid": CMID, "room": ROOM, "mid": CMID, "reason": "spam"},
    frames.Search: {"id": 1, "text": "a"},
    frames.Presence: {"id": 1, "room": ROOM},
    frames.Read: {"room": ROOM, "seq": 1},
    frames.Received: {"room": ROOM, "seq": 1},
    frames.Typing: {"room": ROOM},
    frames.Send: {"id": 1, "cmid": CMID, "room": ROOM, "text": "hola"},
    frames.History: {"id": 1, "room": ROOM},
    frames.Upload: {"id": 1, "cmid": CMID, "room": ROOM, "name": "a", "size": 1, "sha256": "0" * 64},
    frames.UploadFinish: {"id": 1, "cmid": CMID, "upload": TRANSFER},
    frames.UploadAbort: {"id": 1, "cmid": CMID, "upload": TRANSFER},
    frames.Download: {"id": 1, "file": "f" + "0" * 32},
}


def limits(**changes: Any) -> SessionLimits:
    """The defaults, but for `changes`."""
    fields = {name: getattr(config().session_limits, name) for name in SessionLimits.__slots__}
    return SessionLimits(**fields | changes)


def encode(kind: type[frames.ClientOp], **changes: Any) -> bytes:
    """A correct frame of an operation, but for `changes`."""
    return msgspec.json.encode({"op": kind.__struct_config__.tag, **SAMPLES[kind], **changes})


def plenty(now_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    """What a user's connections share, more than anybody asks for but for `changes`."""
    much = Rate(1e9, 1e9)
    user = UserLimits(much, much, changes.pop("operations", {}), much, 10)
    return {
        "allowance": Allowance(replace(user, **changes), now_s),
        "sends": SharedBucket(much, now_s, 1e9, 1),
        "device_send": Bucket(much, now_s),
    }


def connect(it: Session, now_s: float = 0.0, **changes: Any) -> None:
    """Makes it a user's connection. Args: changes: of what the user's connections share."""
    it.connected(now_s, FOREVER, **(plenty(now_s) | changes))


def session(state: State = State.CONNECTED, now_s: float = 0.0, **changes: Any) -> Session:
    """A session in a state, with plenty of everything that is not asked for."""
    held = limits(**changes)
    it = Session(held, now_s, 1.0)
    if state is not State.NEW:
        connect(it, now_s)
        if state is State.CHALLENGED:
            assert it.challenged(now_s)
    return it


def code(step: Step | None) -> str | int | None:
    """An error's code, or the code that ends the connection."""
    if isinstance(step, End):
        return int(step.code)
    return msgspec.json.decode(step.frame).get("code") if isinstance(step, Tell) else None


def test_there_is_a_sample_of_every_operation() -> None:
    """So that the table below leaves none out."""
    assert SAMPLES.keys() == gate.TABLE.keys()


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_operation_in_every_state(kind: type[frames.ClientOp], state: State) -> None:
    """What the gate table allows leads to its own step; everything else is an error that says why."""
    step = session(state).json_frame(encode(kind), 0.0)

    if state not in gate.TABLE[kind].states:
        barred = "challenge_required" if State.CONNECTED in gate.TABLE[kind].states else "conflict"
        if kind is frames.Typing and state is State.CHALLENGED:
            assert step is None
        else:
            assert code(step) == {State.NEW: "unauthenticated", State.CHALLENGED: barred}.get(state, "conflict")
        return
    expected: dict[type[frames.ClientOp], type[Step] | None] = {
        frames.Connect: Begin,
        frames.Renew: Extend,
        frames.Clear: Redeem,
        frames.Pong: None,
        frames.Logout: End,
        frames.ChunkAck: Acknowledge,
        **dict.fromkeys((frames.Read, frames.Received, frames.Typing), Mention),
    }
    wanted = expected.get(kind, Forward)
    assert step is None if wanted is None else isinstance(step, wanted)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_frame_may_be_as_long_as_its_row_says_and_no_longer(kind: type[frames.ClientOp]) -> None:
    """Padded with spaces to the limit it passes; one more and it is too large."""
    state = State.NEW if kind is frames.Connect else State.CONNECTED
    row = gate.TABLE[kind]
    fits = encode(kind).ljust(row.max_bytes)

    assert code(session(state).json_frame(fits, 0.0)) in (None, int(CloseCode.SESSION_ENDED))
    expected = int(CloseCode.FRAME_TOO_LARGE) if state is State.NEW else "too_large"
    assert code(session(state).json_frame(fits + b" ", 0.0)) == expected


def test_before_connect_other_frames_have_a_smaller_limit() -> None:
    """4 KiB for what is no connect, whatever its own row says."""
    small = encode(frames.Send).ljust(4096)

    assert code(session(State.NEW).json_frame(small, 0.0)) == "unauthenticated"
    assert code(session(State.NEW).json_frame(small + b" ", 0.0)) == int(CloseCode.FRAME_TOO_LARGE)


def test_the_header_limits_follow_the_state() -> None:
    """16 and 4 KiB before connect; 32 KiB and a chunk after it."""
    new, connected = session(State.NEW), session()

    assert (new.json_limit, new.chunk_limit) == (16 * 1024, 4 * 1024)
    assert (connected.json_limit, connected.chunk_limit) == (32 * 1024, 64 * 1024 + 24)


def test_eight_frames_may_come_before_connect_has_succeeded() -> None:
    """The ninth ends the connection, whatever it is."""
    it = session(State.NEW)
    codes = [code(it.json_frame(encode(frames.ListRooms), 0.0)) for _ in range(9)]

    assert codes == ["unauthenticated"] * 8 + [int(CloseCode.CONNECT_TIMEOUT)]


def test_connect_has_to_come_in_time() -> None:
    """Ten seconds, also when something else came."""
    it = session(State.NEW)
    it.json_frame(encode(frames.ListRooms), 9.0)

    assert it.deadline_s == 10.0
    assert it.tick(9.99) is None
    assert code(it.tick(10.0)) == int(CloseCode.CONNECT_TIMEOUT)


def test_one_connect_at_a_time() -> None:
    """A second one while the first is being answered is a conflict; after a refusal it may come."""
    it = session(State.NEW)
    assert isinstance(it.json_frame(encode(frames.Connect), 0.0), Begin)
    assert code(it.json_frame(encode(frames.Connect), 0.0)) == "conflict"

    it.connect_refused()

    assert isinstance(it.json_frame(encode(frames.Connect), 0.0), Begin)


def test_another_version_ends_the_connection() -> None:
    """4505."""
    assert code(session(State.NEW).json_frame(encode(frames.Connect, v=2), 0.0)) == int(CloseCode.VERSION)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"id":1}', b"\xff", b'{"op":"send"', b'"\\ud800"', b"[" * 20_000])
def test_what_is_no_frame_ends_the_connection_as_a_violation(data: bytes) -> None:
    """4501, with the fault for the record."""
    step = session().json_frame(data, 0.0)

    assert isinstance(step, End)
    assert step.code is CloseCode.MALFORMED
    assert step.violation is not None


def test_unknown_operations_and_fields_are_errors_with_the_request_s_id() -> None:
    """The connection goes on."""
    for data, expected in ((b'{"op":"fly","id":7}', "unknown_op"), (encode(frames.GetRoom, id=7, x=1), "bad_request")):
        step = session().json_frame(data, 0.0)
        assert isinstance(step, Tell)
        answer = msgspec.json.decode(step.frame)
        assert (answer["id"], answer["code"], answer["temporary"]) == (7, expected, False)


def test_twenty_errors_in_five_seconds_end_the_connection() -> None:
    """The nineteenth does not; spread over more time none does; the last one is still answered."""
    it, slow = session(), session()
    codes = [code(it.json_frame(b'{"op":"fly","id":7}', 0.0)) for _ in range(20)]
    spread = [code(slow.json_frame(b'{"op":"fly","id":7}', second / 3.7)) for second in range(100)]

    assert codes == ["unknown_op"] * 19 + [int(CloseCode.TOO_MANY_ERRORS)]
    assert set(spread) == {"unknown_op"}


def test_the_end_by_errors_stands_for_all_of_them() -> None:
    """No error by itself is told to the detector, so the end counts as many refusals as it had errors."""
    it = session()
    steps = [it.json_frame(b'{"op":"fly","id":7}', 0.0) for _ in range(20)]

    end = steps[-1]
    assert isinstance(end, End)
    assert (end.limit, end.count) == ("errors", 20)


def test_temporary_errors_never_count() -> None:
    """Neither ours nor the chat service's."""
    it = session()
    for _ in range(100):
        assert code(it.fault(1, Busy(), 0.0)) == "busy"
        assert it.answered("busy", 0.0) is None
        assert it.answered("", 0.0) is None


def test_the_chat_service_s_errors_count() -> None:
    """Guessing ids ends with 4507."""
    it = session()

    assert [it.answered("not_found", 0.0) for _ in range(19)] == [None] * 19
    assert code(it.answered("not_found", 0.0)) == int(CloseCode.TOO_MANY_ERRORS)
    assert code(session().fault(1, NotFound(), 0.0)) == "not_found"


def test_messages_have_their_burst_and_their_rate() -> None:
    """Ten at once, then two a second, also in the long run."""
    it = session(refusals=Rate(1000, 1000))
    burst = [code(it.json_frame(encode(frames.Send), 0.0)) for _ in range(11)]
    later = [code(it.json_frame(encode(frames.Send), tick / 10)) for tick in range(1, 1001)]

    assert burst == [None] * 10 + ["rate_limited"]
    assert 198 <= later.count(None) <= 200


def test_a_refusal_says_how_long_to_wait() -> None:
    """And after that long it works."""
    it = session()
    steps = [it.json_frame(encode(frames.Send), 0.0) for _ in range(11)]
    assert isinstance(steps[-1], Tell)
    answer = msgspec.json.decode(steps[-1].frame)

    assert steps[-1].limit == "send"
    assert answer["temporary"]
    assert 490 <= answer["retry_after_ms"] <= 510
    assert code(it.json_frame(encode(frames.Send), answer["retry_after_ms"] / 1000)) is None


def test_all_of_a_user_s_connections_share_a_bucket() -> None:
    """Twenty at once, however many sockets; a refusal by it costs the connection nothing."""
    shared = SharedBucket(Rate(4, 20), 0.0, 20, 1)
    sessions = [Session(limits(), 0.0, 1.0) for _ in range(3)]
    for it in sessions:
        connect(it, sends=shared)
    codes = [code(it.json_frame(encode(frames.Send), 0.0)) for it in sessions for _ in range(10)]

    assert codes.count(None) == 20
    assert codes.count("rate_limited") == 10


def test_other_operations_have_a_budget_of_their_own() -> None:
    """Forty at once; what lowers the load is charged but never refused."""
    it = session()
    codes = [code(it.json_frame(encode(frames.GetRoom), 0.0)) for _ in range(41)]

    assert codes == [None] * 40 + ["rate_limited"]
    for kind in (frames.Leave, frames.UploadAbort, frames.Pong):
        assert code(it.json_frame(encode(kind), 0.0)) is None
    assert code(it.json_frame(encode(frames.Send), 0.0)) is None
    assert code(it.json_frame(encode(frames.Logout), 0.0)) == int(CloseCode.SESSION_ENDED)


def test_other_operations_come_back_at_their_rate() -> None:
    """Twenty a second for a minute, asked for at five times that; those that cost five come back at four."""
    plain, dear = session(refusals=Rate(1e9, 1e9)), session(refusals=Rate(1e9, 1e9))
    times = [tick / 100 for tick in range(6_000)]

    assert 40 + 1200 - 2 <= [code(plain.json_frame(encode(frames.GetRoom), at_s)) for at_s in times].count(None) <= 1240
    assert 240 + 8 - 2 <= [code(dear.json_frame(encode(frames.React), at_s)) for at_s in times].count(None) <= 248


@pytest.mark.parametrize("limit", ["connect_timeout", "connect_frames", "pong_timeout", "errors", "refusals"])
def test_a_limit_on_trial_ends_nothing(limit: str) -> None:
    """What ends a connection by the same story without a trial is counted, and the connection goes on."""
    for on_trial in (False, True):
        trial = Enforcement([limit] if on_trial else [])
        early = limit.startswith("connect")
        it = session(
            State.NEW if early else State.CONNECTED, enforcement=trial, refusals=Rate(0.001, 1), connect_frames=2
        )
        steps = [it.json_frame(encode(frames.ListRooms), 0.0) for _ in range(3 if limit == "connect_frames" else 0)]
        steps += [it.json_frame(b'{"op":"fly","id":7}', 0.0) for _ in range(20 if limit == "errors" else 0)]
        steps += [it.json_frame(encode(frames.Send), 0.0) for _ in range(12 if limit == "refusals" else 0)]
        steps += [it.tick(at_s) for at_s in (9.0, 25.0, 36.0) if limit.endswith("timeout")]

        assert any(isinstance(step, End) for step in steps) is not on_trial
        if on_trial:
            assert trial.would_refuse == {limit: 1}


def test_a_flood_of_requests_is_answered_for_a_while_and_then_ended() -> None:
    """Answering a flood is work as well: 4413."""
    it = session(refusals=Rate(1, 5))
    codes = [code(it.json_frame(encode(frames.Send), 0.0)) for _ in range(16)]

    assert codes == [None] * 10 + ["rate_limited"] * 5 + [int(CloseCode.RATE_LIMITED)]


def test_bytes_over_their_budget_pause_reading() -> None:
    """At the limit not; one frame past it as long as it takes."""
    it = session(bytes_in=Rate(100, 1000), frame_cost_bytes=0)

    assert it.pay_bytes(1000, 0.0) == 0.0
    assert it.pay_bytes(50, 0.0) == 0.5


def test_a_flood_of_bytes_that_outlasts_the_pauses_is_ended() -> None:
    """4413 after so many seconds over the budget."""
    it = session(bytes_in=Rate(100, 1000), flood_s=15)
    now_s, step = 0.0, it.pay_bytes(2000, 0.0)
    while isinstance(step, float):
        assert now_s < 60
        now_s += max(step, 0.01)
        step = it.pay_bytes(300, now_s)

    assert code(step) == int(CloseCode.RATE_LIMITED)
    assert step.limit == "bytes_in"
    assert 15 < now_s < 25


def test_uploads_pause_but_are_never_ended() -> None:
    """They have their own budget and leave the other alone."""
    it = session(bytes_in=Rate(1, 1), upload_bytes=Rate(1000, 1000), chunk_cost_bytes=0)
    assert it.pay_bytes(1000, 0.0, upload=True) == 0.0

    pauses = [it.pay_bytes(1000, float(second), upload=True) for second in range(1, 200)]

    assert all(isinstance(pause, float) and 0 <= pause <= 5 for pause in pauses)


def test_tiny_frames_cost_more_than_their_bytes() -> None:
    """A chunk of one byte, an empty fragment, a ping: each has a price."""
    it = session(bytes_in=Rate(100, 4096), control_cost_bytes=1024)

    assert [it.pay_bytes(0, 0.0, control=True) == 0.0 for _ in range(5)] == [True] * 4 + [False]


def test_pings_go_out_and_want_an_answer() -> None:
    """25 s after connecting, and 10 s for the pong."""
    it = session()
    assert it.tick(24.9) is None

    assert it.tick(25.0) == Tell(PING)
    assert it.deadline_s == 35.0
    assert it.tick(34.9) is None
    assert code(it.tick(35.0)) == int(CloseCode.NO_PONG)


def test_a_pong_puts_the_next_ping_in_its_place() -> None:
    """For ever."""
    it = session()
    for ping in range(1, 100):
        assert it.tick(ping * 25.0) == Tell(PING)
        assert it.json_frame(b'{"op":"pong"}', ping * 25.0 + 9.9) is None


def test_the_jitter_spreads_pings() -> None:
    """± 10 %."""
    early, late = Session(limits(), 0.0, 0.9), Session(limits(), 0.0, 1.1)
    for it in (early, late):
        connect(it)

    assert (early.deadline_s, late.deadline_s) == (22.5, 27.500000000000004)


def test_the_end_of_the_token_ends_the_connection_unless_it_is_renewed() -> None:
    """4403, at the new end after a renewal."""
    it = session(ping_interval_s=1000)
    it.renewed(100.0)

    assert it.tick(99.0) is None
    assert code(it.tick(100.0)) == int(CloseCode.SESSION_ENDED)


def test_chunks_are_taken_only_after_connect() -> None:
    """Before it they are an error like any other frame."""
    assert code(session(State.NEW).chunk_frame(b"x", 0.0)) == "unauthenticated"
    assert session().chunk_frame(b"x", 0.0) == TakeChunk(b"x")


def test_noise_is_told_from_a_client_that_went_wrong() -> None:
    """`frames_understood` counts what was understood before."""
    it = session()
    it.json_frame(b"\xff", 0.0)
    assert it.frames_understood == 0

    it.json_frame(encode(frames.ListRooms), 0.0)
    assert it.frames_understood == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80),
            JSON.map(msgspec.json.encode),
            st.tuples(st.sampled_from(sorted(frames.OPS)), st.dictionaries(st.text(max_size=8), JSON, max_size=4)).map(
                lambda row: msgspec.json.encode({**row[1], "op": row[0], "id": 1})
            ),
            st.tuples(st.sampled_from(list(SAMPLES)), st.sampled_from(["id", "room", "cmid", "v", "limit"]), JSON).map(
                lambda row: encode(row[0], **{row[1]: row[2]})
            ),
        ),
        max_size=20,
    )
)
def test_no_frame_and_no_order_of_frames_raises(data: list[bytes]) -> None:
    """Every frame leads to a step or to nothing, in both states."""
    for state in (State.NEW, State.CONNECTED):
        it = session(state)
        for number, frame in enumerate(data):
            step = it.json_frame(frame, float(number))
            assert step is None or isinstance(step, Tell | Begin | Extend | Forward | Acknowledge | End)
            if state is State.NEW:
                assert not isinstance(step, Forward | Extend | Acknowledge), "nothing passes before connect"
            if isinstance(step, End):
                break


def attempt(it: Session, number: int) -> str:
    """What is recorded of a message that is sent."""
    step = it.json_frame(encode(frames.Send, cmid=f"0190a0a0-0000-7000-8000-{number:012d}"), 0.0)
    assert isinstance(step, Tell) and code(step) == "challenge_required"
    return step.attempt


@pytest.mark.parametrize("pinged_before", [False, True])
def test_attempts_count_once_the_client_knows(pinged_before: bool) -> None:
    """After the pong to the ping behind the challenge, one for each message, not for each time that it comes."""
    it = session()
    if pinged_before:
        it.tick(it.deadline_s)
    assert it.challenged(0.0)
    assert attempt(it, 1) == ""
    if pinged_before:
        it.json_frame(encode(frames.Pong), 0.0)
        assert attempt(it, 1) == ""
    it.json_frame(encode(frames.Pong), 0.0)

    assert [bool(attempt(it, number)) for number in (1, 1, 2)] == [True, False, True]


def test_a_challenge_waits_for_its_pong_and_ends_once() -> None:
    """Nobody is challenged before `connect` or twice; who does not answer the ping is gone; afterwards messages go on."""
    assert not session(State.NEW).challenged(0.0)
    it = session(pong_timeout_s=10.0)
    assert it.challenged(5.0)
    assert not it.challenged(5.0)
    assert code(it.tick(15.0)) == int(CloseCode.NO_PONG)

    assert it.cleared()
    assert not it.cleared()
    assert isinstance(it.json_frame(encode(frames.Send), 0.0), Forward)
