"""The lasting connection against a small real server, on both transports."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from garita_client import (
    AccessToken,
    Banned,
    Client,
    Ended,
    Event,
    LoginNeeded,
    NoAnswer,
    RequestRefused,
    Timing,
    Unreachable,
)
from tests.fakes.chat_room import Room
from tests.fakes.chat_server import ChatServer

FAST = Timing(open_s=5, connect_s=5, answer_s=5, dead_after_ping_s=0.3, backoff_base_s=0.01, backoff_ceiling_s=0.05)
DEADLINE_S = 20.0


class FixedTokens:
    """Gives `ana:0`, and after each `fresh` the next number."""

    def __init__(self, name: str = "ana") -> None:
        self.name = name
        self.number = 0
        self.good_for_s = 300.0

    async def token(self, *, fresh: bool) -> AccessToken:
        self.number += fresh
        return AccessToken(f"{self.name}:{self.number}", self.good_for_s)


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer().running() as server:
        yield server


@pytest.fixture(params=["tcp", "ws"])
def address(request: pytest.FixtureRequest, server: ChatServer) -> str:
    return server.tcp if request.param == "tcp" else server.ws


def client_at(address: str, tokens: FixedTokens | None = None, timing: Timing = FAST) -> Client:
    return Client(address, tokens or FixedTokens(), timing=timing)


async def texts(client: Client, last: str) -> list[str]:
    """The texts of messages up to one that ends the wait."""
    seen: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in client:
            if event.op == "message" and event.text is not None:
                seen.append(event.text)
                if event.text == last:
                    return seen
    return seen


async def until(client: Client, op: str) -> Event:
    """The next event of a kind."""
    async with asyncio.timeout(DEADLINE_S):
        async for event in client:
            if event.op == op:
                return event
    raise AssertionError(op)


async def eventually(what: str, reached: object) -> None:
    """Polls a condition."""
    assert callable(reached)
    async with asyncio.timeout(DEADLINE_S):
        while not reached():
            await asyncio.sleep(0.01)


async def joined(client: Client, server: ChatServer) -> Room:
    room = server.add_room()
    await client.join(room.id, timeout_s=DEADLINE_S)
    return room


async def test_join_send_hear(server: ChatServer, address: str) -> None:
    """One who has joined hears the joining and the own message, in order."""
    async with client_at(address) as client:
        room = await joined(client, server)

        sent = await client.send(room.id, "hola")

        assert (await until(client, "member")).seq == 1
        message = await until(client, "message")
        assert (message.seq, message.mid, message.text) == (2, sent.mid, "hola")


async def test_ping_is_answered(server: ChatServer, address: str) -> None:
    """A ping gets its pong."""
    async with client_at(address) as client:
        await client.connected(timeout_s=DEADLINE_S)

        await server.push_all({"op": "ping"})

        await eventually("a pong", lambda: any(peer.pongs for peer in server.peers))


async def test_missed_events_come_after_a_reconnect(server: ChatServer, address: str) -> None:
    """What is said while the connection is down comes once and in order."""
    async with client_at(address) as client:
        room = await joined(client, server)
        await server.post(room, "1")
        await server.cut_all()
        for number in range(2, 6):
            await server.post(room, str(number))

        assert await texts(client, "5") == ["1", "2", "3", "4", "5"]


async def test_unrecovered_room_is_filled_from_history(server: ChatServer, address: str) -> None:
    """With `recovered: false` the gap is read with history, pages of it, and what comes meanwhile waits for its turn."""
    server.faults.recover_at_most = 3
    async with client_at(address) as client:
        room = await joined(client, server)
        await server.cut_all()
        for number in range(250):
            await server.post(room, str(number))
        await eventually("a new connection", lambda: client.counters.connections >= 2)
        await server.post(room, "last")

        assert await texts(client, "last") == [*map(str, range(250)), "last"]


async def test_lost_push_is_repaired(server: ChatServer, address: str) -> None:
    """A gap in the seq makes the client come back with resume."""
    async with client_at(address) as client:
        room = await joined(client, server)
        server.faults.lose_pushes = 1
        await server.post(room, "lost")
        await server.post(room, "seen")

        assert await texts(client, "seen") == ["lost", "seen"]
        assert client.counters.gaps == 1
        assert server.connects[-1]["resume"][room.id][0] == "a1"


async def test_new_epoch_is_told(server: ChatServer, address: str) -> None:
    """A restored store is told as `reset`, and events go on after its head."""
    async with client_at(address) as client:
        room = await joined(client, server)
        room.epoch = "b2"
        await server.cut_all()

        assert (await until(client, "reset")).epoch == "b2"
        await server.post(room, "new")
        assert await texts(client, "new") == ["new"]


async def test_change_is_repeated_with_its_cmid(server: ChatServer, address: str) -> None:
    """A send whose answer is lost with the connection is stored once and answered."""
    lost: list[str] = []
    server.faults.lose_answer = lambda op, frame: op == "send" and not lost and not lost.append(frame["cmid"])  # type: ignore[func-returns-value]
    async with client_at(address) as client:
        room = await joined(client, server)

        sent = await client.send(room.id, "once", timeout_s=DEADLINE_S)

        assert sent.dup
        assert [event["cmid"] for event in room.events if event["op"] == "message"] == lost
        assert server.requests["send"] == 2


async def test_join_whose_answer_is_lost_misses_nothing(server: ChatServer, address: str) -> None:
    """Events between a join and its repeated answer are filled in, although `connect` named a later head."""
    lost: list[bool] = []
    server.faults.lose_answer = lambda op, _: op == "join" and not lost and not lost.append(True)  # type: ignore[func-returns-value]
    room = server.add_room()
    for number in range(5):
        await server.post(room, f"before {number}")
    async with client_at(address) as client, asyncio.TaskGroup() as tasks:
        join = tasks.create_task(client.join(room.id, timeout_s=DEADLINE_S))
        await eventually("the join", lambda: bool(lost))
        await server.post(room, "between")
        await join
        await server.post(room, "after")

        assert await texts(client, "after") == ["between", "after"]


async def test_busy_with_unknown_outcome_is_repeated(server: ChatServer, address: str) -> None:
    """`busy`, outcome unknown: the same cmid again, stored once."""
    server.faults.busy_unknown["send"] = 1
    async with client_at(address) as client:
        room = await joined(client, server)

        sent = await client.send(room.id, "once", timeout_s=DEADLINE_S)

        assert sent.dup
        assert sum(event["op"] == "message" for event in room.events) == 1
        assert client.counters.busy == 1


async def test_rate_limited_is_waited_for(server: ChatServer, address: str) -> None:
    """A limit only delays."""
    server.faults.rate_limited["send"] = 3
    async with client_at(address) as client:
        room = await joined(client, server)

        await client.send(room.id, "patience", timeout_s=DEADLINE_S)

        assert client.counters.rate_limited == 3


async def test_refusal_is_raised(server: ChatServer, address: str) -> None:
    """An error that waiting does not mend reaches the caller with its code."""
    async with client_at(address) as client:
        with pytest.raises(RequestRefused) as refused:
            await client.join("r" + "0" * 32, timeout_s=DEADLINE_S)

    assert refused.value.code == "not_found"


async def test_deadline_is_kept(server: ChatServer, address: str) -> None:
    """Without an answer the caller's deadline ends the wait, and says that the change may have happened."""
    async with client_at(address) as client:
        room = await joined(client, server)
        server.faults.silent = True

        with pytest.raises(NoAnswer) as missed:
            await client.send(room.id, "lost", timeout_s=0.3)

    assert missed.value.may_have_happened


async def test_dead_line_is_noticed(server: ChatServer, address: str) -> None:
    """A server that is silent for longer than its ping interval is left for a new connection."""
    server.ping_interval_ms = 100
    hasty = Timing(connect_s=0.5, dead_after_ping_s=0.3, backoff_base_s=0.01, backoff_ceiling_s=0.05)
    async with client_at(address, timing=hasty) as client:
        await client.connected(timeout_s=DEADLINE_S)
        server.faults.silent = True
        await eventually("the end of the dead line", lambda: not client.is_connected)
        server.faults.silent = False

        await eventually("a new line", lambda: client.counters.connections >= 2)


async def test_ended_session_fetches_a_new_token(server: ChatServer, address: str) -> None:
    """4403: the next connection shows another token."""
    server.faults.refuse_token = "ana:0"
    async with client_at(address) as client:
        await client.connected(timeout_s=DEADLINE_S)

    assert [frame["token"] for frame in server.connects] == ["ana:0", "ana:1"]


async def test_bad_token_ends_after_a_fresh_one(server: ChatServer, address: str) -> None:
    """4500 for a fresh token too: log in again."""
    tokens = FixedTokens()
    server.faults.bad_token = "ana:0"
    async with client_at(address, tokens) as client:
        await client.connected(timeout_s=DEADLINE_S)
        server.faults.bad_token = "ana:2"
        tokens.number = 1
        await server.disconnect_all(4403)

        with pytest.raises(LoginNeeded):
            await until(client, "never")


async def test_ban_ends_with_its_reason(server: ChatServer, address: str) -> None:
    """4503: no reconnect, and every wait ends with reason, end and appeal."""
    async with client_at(address) as client:
        room = await joined(client, server)
        await server.disconnect_all(4503, reason="flood", until=123, appeal="x1")

        with pytest.raises(Banned) as banned:
            await until(client, "never")
        with pytest.raises(Banned):
            await client.send(room.id, "more")

    assert (banned.value.reason, banned.value.until_ms, banned.value.appeal) == ("flood", 123, "x1")
    assert len(server.connects) == 1


async def test_unknown_45xx_ends(server: ChatServer, address: str) -> None:
    """Any 45xx is final."""
    async with client_at(address) as client:
        await client.connected(timeout_s=DEADLINE_S)
        await server.disconnect_all(4577)

        with pytest.raises(Ended) as ended:
            await until(client, "never")

    assert ended.value.code == 4577


async def test_drain_is_waited_out(server: ChatServer, address: str) -> None:
    """4401 with after_ms: back, but not earlier."""
    async with client_at(address) as client:
        await client.connected(timeout_s=DEADLINE_S)
        began = asyncio.get_running_loop().time()
        await server.disconnect_all(4401, after_ms=300)
        await eventually("a new connection", lambda: client.counters.connections == 2)

        assert asyncio.get_running_loop().time() - began >= 0.29


async def test_token_is_renewed_in_time(server: ChatServer, address: str) -> None:
    """Before a token ends, the next one is shown on the same connection."""
    tokens = FixedTokens()
    tokens.good_for_s = 1.7
    async with client_at(address, tokens) as client:
        await client.connected(timeout_s=DEADLINE_S)

        await eventually("a renewal", lambda: server.requests["renew"] >= 1)

        assert client.counters.connections == 1


async def test_http_refusal_says_why(server: ChatServer) -> None:
    """A ban told before the upgrade ends with its reason."""
    server.refuse_upgrade = (403, {"reason": "scanner", "until": 5, "appeal": "x2"}, {})
    async with client_at(server.ws) as client:
        with pytest.raises(Banned) as banned:
            await client.connected(timeout_s=DEADLINE_S)

    assert (banned.value.reason, banned.value.appeal) == ("scanner", "x2")


async def test_http_429_is_waited_for(server: ChatServer) -> None:
    """Refused by a limit before the upgrade: come back."""
    server.refuse_upgrade = (429, {}, {"Retry-After": "0"})
    async with client_at(server.ws) as client:
        with pytest.raises(NoAnswer):
            await client.connected(timeout_s=0.3)
        server.refuse_upgrade = None

        await client.connected(timeout_s=DEADLINE_S)


async def test_nobody_there_is_tried_again(server: ChatServer) -> None:
    """A server that is not there yet is waited for."""
    probe = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    async with client_at(f"tcp://127.0.0.1:{port}") as client:
        with pytest.raises(NoAnswer):
            await client.connected(timeout_s=0.2)

        assert client.trouble


async def test_slow_program_loses_nothing(server: ChatServer, address: str) -> None:
    """A full inbox ends the connection; after the program has read, the rest comes."""
    async with client_at(address) as client:
        client._inbox._capacity = 10
        room = await joined(client, server)
        for number in range(60):
            await server.post(room, str(number))

        assert await texts(client, "59") == [*map(str, range(60))]


async def test_garbage_is_not_a_server(server: ChatServer) -> None:
    """Another protocol on the port is trouble, not a traceback."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        await writer.drain()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        async with client_at(f"tcp://127.0.0.1:{other.sockets[0].getsockname()[1]}") as client:
            with pytest.raises(NoAnswer):
                await client.connected(timeout_s=0.3)

            assert "protocol" in client.trouble


async def test_only_a_good_connection_makes_the_waits_short_again(server: ChatServer) -> None:
    """An attempt that took long and failed is no good connection: the waits go on growing."""
    asked: list[float] = []

    class SlowTokens(FixedTokens):
        async def token(self, *, fresh: bool) -> AccessToken:
            asked.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.05)
            raise Unreachable("not now")

    timing = Timing(good_after_s=0.04, backoff_base_s=0.05, backoff_ceiling_s=10.0)
    async with Client(server.tcp, SlowTokens(), timing=timing, fraction=lambda: 0.99):
        await eventually("five attempts", lambda: len(asked) >= 5)

    assert asked[4] - asked[3] > 8 * 0.05 * 0.99
