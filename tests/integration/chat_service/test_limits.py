"""The service's limits over a real database: at the limit, one past it, for ever; what is given back; dry run."""

from __future__ import annotations

import uuid
from dataclasses import replace

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from chat_service.core.limits import DAY_MS, Limit
from chat_service.core.rooms import RoomLimits
from chat_service.core.uploads import UploadLimits
from chat_service.metrics import Metrics
from garita_common.core import frames
from garita_common.core.buckets import Rate
from tests.fakes.chat_gateway import body, stamped, user_id

from .conftest import GATEWAY, RULES, Desk, ok, send

SHA = "ab" * 32
PER_DAY = [limit for limit in Limit if limit.name.endswith("_PER_DAY")]


def strict(desk: Desk, *dry: Limit, **rules: object) -> Desk:
    """A desk over the same database, with two of everything a day. Args: dry: limits in dry run."""
    per_day = dict.fromkeys(PER_DAY, 2)
    return Desk(desk.database, replace(RULES, per_day=per_day, dry_run=frozenset(dry), **rules))  # type: ignore[arg-type]  # fields of Rules


class Spender:
    """Does what a daily limit counts, each time to something new."""

    def __init__(self, desk: Desk) -> None:
        """Use `make`."""
        self.desk = desk
        self.count = 0
        self.private = self.public = ""

    @classmethod
    async def make(cls, desk: Desk) -> Spender:
        """Over a desk without such limits."""
        spender = cls(desk)
        spender.private = await desk.room("owner", "private", "ana")
        spender.public = await desk.room("owner", "public", "ana")
        await desk.set_role(spender.private, "ana", "moderator")
        return spender

    async def op(self, limit: Limit) -> frames.RoomOp:
        """The next request of this kind, by ana."""
        self.count += 1
        stranger, cmid = f"stranger{self.count}", uuid.uuid4()
        await self.desk.know(stranger)
        if limit is Limit.NEW_ROOMS_PER_DAY:
            return frames.CreateRoom(id=1, cmid=cmid, kind="private", title="t")
        if limit is Limit.DIRECT_ROOMS_PER_DAY:
            return frames.CreateRoom(id=1, cmid=cmid, kind="direct", user=stranger)
        if limit is Limit.INVITATIONS_PER_DAY:
            return frames.Invite(id=1, cmid=cmid, room=self.private, user=stranger)
        mid = uuid.UUID((await self.desk.message("owner", self.public))["mid"])
        return frames.Report(id=1, cmid=cmid, room=self.public, mid=mid, reason="spam")


@pytest.mark.parametrize("limit", PER_DAY)
async def test_a_days_allowance_is_for_a_day(desk: Desk, limit: Limit) -> None:
    """Used up to the limit, then refused until midnight, then there again: day after day. A repeat is not charged."""
    spender, small = await Spender.make(desk), strict(desk)
    small.now_ms += DAY_MS - small.now_ms % DAY_MS  # a midnight

    for _ in range(3):
        done = [await spender.op(limit) for _ in range(2)]
        for op in done:
            ok(await small.say("ana", op))
        assert ok(await small.say("ana", done[0]))["dup"]
        refused = await small.say("ana", await spender.op(limit))
        assert refused.code == "quota"
        assert body(refused)["retry_after_ms"] == DAY_MS
        small.now_ms += DAY_MS


async def test_allowances_are_each_users_own(desk: Desk) -> None:
    """And each thing's own."""
    spender, small = await Spender.make(desk), strict(desk)
    for _ in range(2):
        ok(await small.say("ana", await spender.op(Limit.NEW_ROOMS_PER_DAY)))

    ok(await small.say("ana", await spender.op(Limit.DIRECT_ROOMS_PER_DAY)))
    ok(await small.say("eva", await spender.op(Limit.NEW_ROOMS_PER_DAY)))
    assert (await small.say("ana", await spender.op(Limit.NEW_ROOMS_PER_DAY))).code == "quota"


async def test_only_what_is_new_is_charged(desk: Desk) -> None:
    """A direct room that is there, an invitation that waits, a message reported before."""
    spender, small = await Spender.make(desk), strict(desk)
    direct, invitation, report = [
        await spender.op(limit)
        for limit in (Limit.DIRECT_ROOMS_PER_DAY, Limit.INVITATIONS_PER_DAY, Limit.REPORTS_PER_DAY)
    ]
    for op in (direct, invitation, report):
        for _ in range(4):
            ok(await small.say("ana", replace_cmid(op)))


def replace_cmid(op: frames.RoomOp) -> frames.RoomOp:
    """The same request said anew."""
    return msgspec.structs.replace(op, cmid=uuid.uuid4())


async def test_strangers_leave_room_for_ones_own(desk: Desk) -> None:
    """Direct rooms that others began take a bounded part of one's places; answering or leaving one makes place for the next."""
    small = Desk(desk.database, replace(RULES, rooms=RoomLimits(4, 10, 2)))
    await small.know("ana", *[f"stranger{n}" for n in range(5)])

    def begin() -> frames.CreateRoom:
        return frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="ana")

    first = ok(await small.say("stranger0", begin()))["room"]["id"]
    second = ok(await small.say("stranger1", begin()))["room"]["id"]
    refused = await small.say("stranger2", begin())
    assert refused.code == "limit"
    assert (await small.say("stranger2", begin())).code == "limit"

    await small.room("ana")
    ok(await small.say("ana", frames.Leave(id=1, cmid=uuid.uuid4(), room=second)))
    ok(await small.say("stranger2", begin()))
    assert (await small.say("stranger3", begin())).code == "limit"
    await small.message("ana", first)
    ok(await small.say("stranger3", begin()))
    assert (
        await small.say("ana", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="public", title="t"))
    ).code == "limit"


async def test_ones_own_direct_rooms_wait_for_nobody(desk: Desk) -> None:
    """Who begins one, or comes back to one, wants it: it is not counted among the unanswered."""
    small = Desk(desk.database, replace(RULES, rooms=RoomLimits(4, 10, 1)))
    await small.know("bob", "eva", "zoe")
    ana = [frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user=name) for name in ("bob", "eva")]
    for op in ana:
        ok(await small.say("ana", op))

    ok(await small.say("zoe", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="ana")))
    back = ok(await small.say("ana", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="zoe")))
    assert back["room"]["members"] == 2


async def test_a_room_takes_its_burst_then_its_rate(desk: Desk) -> None:
    """All members together, whoever they are; what was refused took no seq, and a repeat is not charged."""
    busy = strict(desk, room_send=Rate(rate_per_s=8, burst=4))
    room, other = await busy.room("ana", "public", "bob"), await busy.room("ana")
    said = [send(room) for _ in range(4)]
    for number, op in enumerate(said):
        ok(await busy.say(("ana", "bob")[number % 2], op))

    refused = await busy.say("bob", send(room))

    assert (refused.code, body(refused)["retry_after_ms"], body(refused)["temporary"]) == ("rate_limited", 125, True)
    assert ok(await busy.say("ana", said[0]))["dup"]
    ok(await busy.say("ana", send(other)))
    passed = 0
    for _ in range(200):  # 12.5 s at twice the rate, in steps that a float holds exactly
        busy.monotonic_s += 0.0625
        passed += not (await busy.say("ana", send(room))).code
    assert passed == 100
    head = ok(await busy.say("ana", frames.GetRoom(id=1, room=room)))["room"]["head"]
    assert head == 2 + 4 + passed


async def test_edits_and_reactions_are_charged_too(desk: Desk) -> None:
    """They too are said to everybody; a deletion is never refused for it."""
    busy = strict(desk, room_send=Rate(rate_per_s=1, burst=3))
    room = await busy.room("ana")
    mid = uuid.UUID((await busy.message("ana", room))["mid"])
    ok(await busy.say("ana", frames.Edit(id=1, cmid=uuid.uuid4(), room=room, mid=mid, text="a")))
    ok(await busy.say("ana", frames.React(id=1, cmid=uuid.uuid4(), room=room, mid=mid, emoji="👍")))

    for op in (
        frames.Edit(id=1, cmid=uuid.uuid4(), room=room, mid=mid, text="b"),
        frames.React(id=1, cmid=uuid.uuid4(), room=room, mid=mid, emoji="👎"),
    ):
        assert (await busy.say("ana", op)).code == "rate_limited"
    ok(await busy.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=mid)))


async def test_a_transaction_that_failed_is_not_charged(desk: Desk) -> None:
    """A batch that is rolled back and carried out one by one takes from the room once, and a message that was not stored nothing."""
    busy = strict(desk, room_send=Rate(rate_per_s=1, burst=3))
    room = await busy.room("ana")
    await busy.run(
        lambda db: db.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON requests WHEN NEW.sender = '" + user_id("bob")
            + "' BEGIN SELECT RAISE(ABORT, 'disk'); END"
        )
    )  # fmt: skip
    ok(await busy.say("bob", frames.ListRooms(id=1)))
    await busy.run(
        lambda db: db.execute("INSERT INTO members (room, user, role) VALUES (?, ?, 'member')", (room, user_id("bob")))
    )

    done = await busy.batch(*[(GATEWAY, stamped(name, send(room))) for name in ("ana", "ana", "bob")])

    assert done.is_split
    assert [getattr(reply, "code", None) for _, reply in done.replies] == ["", "", "internal"]
    ok(await busy.say("ana", send(room)))
    assert (await busy.say("ana", send(room))).code == "rate_limited"


async def test_a_limit_in_dry_run_counts_and_refuses_nothing(desk: Desk) -> None:
    """By name, and only that one."""
    small = strict(
        desk, Limit.ROOM_SEND, Limit.NEW_ROOMS_PER_DAY, Limit.MEMBERS_PER_ROOM, Limit.OPEN_UPLOADS,
        room_send=Rate(rate_per_s=1, burst=1), rooms=RoomLimits(128, 2, 28), uploads=UploadLimits(100, 1000, 1),
    )  # fmt: skip
    rooms = [await small.room("ana") for _ in range(4)]
    for name in ("bob", "eva"):
        ok(await small.say(name, frames.Join(id=1, cmid=uuid.uuid4(), room=rooms[0])))
    for _ in range(3):
        ok(await small.say("ana", send(rooms[0])))
        ok(
            await small.say(
                "ana", frames.Upload(id=1, cmid=uuid.uuid4(), room=rooms[0], name="a", size=100, sha256=SHA)
            )
        )

    too_large = frames.Upload(id=1, cmid=uuid.uuid4(), room=rooms[0], name="a", size=101, sha256=SHA)
    assert (await small.say("ana", too_large)).code == "too_large"
    counted = {name: sum(done.would_refuse[name] for done in small.said) for name in (limit.value for limit in Limit)}
    assert {name: count for name, count in counted.items() if count} == {
        "room_send": 2, "new_rooms_per_day": 2, "members_per_room": 1, "open_uploads": 2,
    }  # fmt: skip


async def test_no_dry_run_lets_a_user_into_more_rooms_than_a_connection_has(desk: Desk) -> None:
    """128 is what a connection can follow: past that the limit holds in dry run too."""
    small = strict(desk, Limit.ROOMS_PER_USER, Limit.NEW_ROOMS_PER_DAY, rooms=RoomLimits(2, 10, 1))
    for _ in range(128):
        await small.room("ana")

    assert (
        await small.say("ana", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="public", title="t"))
    ).code == "limit"
    assert sum(done.would_refuse["rooms_per_user"] for done in small.said) == 126


def test_what_would_have_been_refused_is_a_metric() -> None:
    """`chat_would_refuse_total` by limit."""
    registry = CollectorRegistry()
    Metrics(registry).would_refuse.labels(Limit.ROOM_SEND.value).inc(2)

    assert registry.get_sample_value("chat_would_refuse_total", {"limit": "room_send"}) == 2
