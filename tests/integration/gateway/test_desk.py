"""Connecting, renewing and asking: who gets in, and what each refusal looks like from outside."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.wire_clients import Client

from .rig import eventually, rig, token, user_id

TRANSPORTS = ["tcp", "ws"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_connect_answers_as_the_protocol_page_says(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Every field of docs/protocol.md §2.1."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(user_id("ana"))
        await it.chat.say(room, "before")
        client = await it.either(transport)

        answer = await client.connect(token("ana"), client="test")

        assert answer.keys() == {
            "op", "id", "session", "connection", "user", "expires", "ping_interval_ms", "limits", "rooms", "me",
        }  # fmt: skip
        assert (answer["session"], answer["user"]) == ("s-ana", {"id": user_id("ana"), "name": "ana"})
        assert abs(answer["expires"] / 1000 - time.time() - 300) < 30
        assert answer["limits"].items() >= {"frame_bytes": 32768, "rooms": 128, "connections": 10}.items()
        assert answer["rooms"] == {room.id: {"epoch": "a1", "head": 1, "recovered": False}}
        assert answer["me"] == {"head": 0, "recovered": False}


@pytest.mark.parametrize(
    ("changes", "code", "close"),
    [
        ({"aud": "auth"}, "unauthenticated", 4500),
        ({"iss": "somebody"}, "unauthenticated", 4500),
        ({"nbf": 2**33}, "unauthenticated", 4500),
        ({"iat": 1_000_000_000, "nbf": 1_000_000_000, "exp": 1_000_000_300}, "token_expired", 4403),
    ],
)
async def test_a_token_that_is_not_for_here_ends_the_connection(
    tmp_path: Path, redis_url: str, changes: dict[str, Any], code: str, close: int
) -> None:
    """Another audience, another issuer, another time; one that is over may come back with a new one."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()

        answer = await client.connect(token("ana", **changes))
        closed = await client.end()

        assert answer["code"] == code
        assert closed.disconnect is not None
        assert (closed.disconnect["code"], closed.disconnect["reconnect"]) == (close, close < 4500)


async def test_a_forged_token_ends_the_connection(tmp_path: Path, redis_url: str) -> None:
    """One character of the signature is enough."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws()
        good = token("ana")
        forged = good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:]

        assert (await client.connect(forged))["code"] == "unauthenticated"
        assert (await client.end()).code == 4500


async def test_connect_is_refused_busy_while_anything_is_unknown(tmp_path: Path, redis_url: str) -> None:
    """Without a snapshot of bans nobody gets in, and readiness says why; with it the same connection does."""
    async with rig(tmp_path, redis_url, ready=False) as it:
        client = await it.tcp()
        answer = await client.connect(token("ana"))
        assert (answer["code"], answer["temporary"]) == ("busy", True)
        assert "bans" in it.gateway.missing()

        await it.redis.set("bans:generation", "1")
        await eventually(lambda: not it.gateway.missing())

        assert (await client.connect(token("ana")))["op"] == "ok"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_eleventh_connection_closes_the_oldest(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Ten stay; the first that came is told 4411."""
    async with rig(tmp_path, redis_url) as it:
        clients = [await it.user("ana", transport, device=f"d{number}") for number in range(10)]
        await clients[0].settle()

        await it.user("ana", transport, device="d10")
        closed = await clients[0].end()

        assert closed.disconnect is not None
        assert (closed.disconnect["code"], closed.disconnect["reconnect"]) == (4411, True)
        for client in clients[1:]:
            await client.settle()


async def test_a_ninth_connection_of_a_device_closes_the_device_s_oldest(tmp_path: Path, redis_url: str) -> None:
    """Eight stay, and so does another device of the user's, which came first."""
    async with rig(tmp_path, redis_url) as it:
        phone = await it.user("ana", device="phone")
        tabs = [await it.user("ana", device="laptop") for _ in range(8)]
        await tabs[0].settle()

        await it.user("ana", device="laptop")

        closed = await tabs[0].end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4411
        for client in (phone, *tabs[1:]):
            await client.settle()


async def test_renewing_keeps_the_connection(tmp_path: Path, redis_url: str) -> None:
    """The new end is told."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        later = token("ana", lifetime_s=320)

        answer = await client.ask("renew", token=later)

        assert answer["op"] == "ok"
        assert abs(answer["expires"] / 1000 - time.time() - 320) < 30
        await client.settle()


@pytest.mark.parametrize("changes", [{"sub": user_id("eva")}, {"sid": "other"}, {"did": "other"}])
async def test_renewing_as_somebody_else_ends_the_connection(
    tmp_path: Path, redis_url: str, changes: dict[str, Any]
) -> None:
    """User, session and device stay: 4500."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")

        await client.ask("renew", token=token("ana", **changes))
        closed = await client.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4500


async def test_the_end_of_the_token_ends_the_connection(tmp_path: Path, redis_url: str) -> None:
    """4403: come back with a new one. (A token may be 30 s over before it is refused.)"""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()
        now = int(time.time())
        nearly_over = token("ana", iat=now - 299, nbf=now - 299, exp=now - 28)
        assert (await client.connect(nearly_over))["op"] == "ok"

        closed = await client.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4403


async def test_requests_before_connect_are_unauthenticated(tmp_path: Path, redis_url: str) -> None:
    """And none reaches the chat service."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()

        answers = [await client.ask("rooms"), await client.change("join", room="r" + "0" * 32)]

        assert [answer["code"] for answer in answers] == ["unauthenticated"] * 2
        assert it.chat.commands == []


async def test_commands_carry_the_gateway_s_stamp(tmp_path: Path, redis_url: str) -> None:
    """User, session, device, address and times come from the token and the socket, never from the client."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana", "ws")
        await client.settle()

        command = it.chat.commands[-1]
        assert (command.user, command.name, command.sid, command.did) == (user_id("ana"), "ana", "s-ana", "d-ana")
        assert command.ip == "127.0.0.1"
        assert command.expires_ms - command.received_ms == 5000
        assert abs(command.received_ms / 1000 - time.time()) < 60


async def test_a_request_id_may_be_used_again_once_it_is_answered(tmp_path: Path, redis_url: str) -> None:
    """While it waits it is a conflict."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        it.chat.deaf = True
        client.send_text(b'{"op":"rooms","id":9000}')
        client.send_text(b'{"op":"rooms","id":9000}')

        assert (await client.answer(9000))["code"] == "conflict"
        assert (await client.answer(9000))["code"] == "busy"

        it.chat.deaf = False
        client.send_text(b'{"op":"rooms","id":9000}')
        assert (await client.answer(9000))["op"] == "ok"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_too_many_errors_end_the_connection(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Twenty that are not temporary within 5 s: 4507."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana", transport)
        for _ in range(20):
            client.send_text(b'{"op":"fly","id":1}')

        closed = await client.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4507


async def flood(client: Client) -> None:
    """Sends requests until the server has had enough."""
    try:
        for _ in range(1000):
            client.send("rooms")
            await client.writer.drain()
    except ConnectionError:
        pass


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_flood_of_requests_ends_with_rate_limited(tmp_path: Path, redis_url: str, transport: str) -> None:
    """First answers that say how long to wait, then 4413; another user of the same gateway is not touched."""
    async with rig(tmp_path, redis_url) as it:
        ana, ben = await it.user("ana", transport), await it.user("ben", transport)

        await flood(ana)
        closed = await ana.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4413
        await ben.settle()
        assert it.figure("gateway_refused_total", reason="other") > 0


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_eight_frames_may_come_before_connect(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Each is answered; the ninth ends the connection with 4502."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.either(transport)
        answers = [(await client.ask("rooms"))["code"] for _ in range(8)]
        client.send("rooms")
        closed = await client.end()

        assert answers == ["unauthenticated"] * 8
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4502


async def test_a_device_s_connections_share_their_messages(tmp_path: Path, redis_url: str) -> None:
    """Three over two tabs and not four; the same user's phone sends on, and a new tab resets nothing."""
    async with rig(tmp_path, redis_url, device_send_burst=3, device_send_per_s=0.0001) as it:
        room = it.chat.room(user_id("ana"))
        tabs = [await it.user("ana", device="laptop") for _ in range(2)]
        phone = await it.user("ana", device="phone")

        codes = [(await tabs[n % 2].change("send", room=room.id, text="a")).get("code", "ok") for n in range(4)]
        fresh = await (await it.user("ana", device="laptop")).change("send", room=room.id, text="a")

        assert codes == ["ok", "ok", "ok", "rate_limited"]
        assert fresh["code"] == "rate_limited"
        assert (await phone.change("send", room=room.id, text="a"))["op"] == "ok"
        assert it.figure("gateway_refused_total", reason="device_send") == 2


async def test_a_dear_operation_s_rate_is_the_user_s(tmp_path: Path, redis_url: str) -> None:
    """Two over two connections and not three, with a time to wait; another user has two of its own."""
    async with rig(tmp_path, redis_url, operation_rates="rooms=0.0001:2") as it:
        ana = [await it.user("ana", device=f"d{number}") for number in range(2)]
        ben = await it.user("ben")

        answers = [await ana[number % 2].ask("rooms") for number in range(3)]

        assert [answer.get("code", "ok") for answer in answers] == ["ok", "ok", "rate_limited"]
        assert answers[2]["retry_after_ms"] > 0
        assert (await ben.ask("rooms"))["op"] == "ok"
        assert it.figure("gateway_refused_total", reason="operation_rates") == 1


async def test_so_many_requests_wait_and_leaving_is_never_held_up(tmp_path: Path, redis_url: str) -> None:
    """Three wait and the fourth is busy at once; leaving goes through, and when all are answered there is room again."""
    async with rig(tmp_path, redis_url, requests_in_flight=3) as it:
        room = it.chat.room(user_id("ana"))
        client = await it.user("ana")
        await eventually(lambda: all(connection.in_flight == 0 for connection in it.gateway.desk.connections.values()))
        it.chat.awake.clear()
        waiting = [client.send("rooms") for _ in range(3)]

        refused = await client.ask("rooms")
        leaving = client.send("leave", room=room.id, cmid=str(uuid.uuid4()))
        it.chat.awake.set()

        assert (refused["code"], refused["temporary"]) == ("busy", True)
        assert (await client.answer(leaving))["op"] == "ok"
        for number in waiting:
            assert (await client.answer(number))["op"] == "ok"
        assert (await client.ask("rooms"))["op"] == "ok"


async def test_a_connection_follows_so_many_rooms(tmp_path: Path, redis_url: str) -> None:
    """Two and not three; leaving one makes room."""
    async with rig(tmp_path, redis_url, rooms_per_connection=2) as it:
        rooms = [it.chat.room(user_id("ben")) for _ in range(3)]
        client = await it.user("ana")

        answers = [(await client.change("join", room=room.id)).get("code", "ok") for room in rooms]
        await client.change("leave", room=rooms[0].id)
        await eventually(lambda: {len(c.feeds) for c in it.gateway.desk.connections.values()} == {2})

        assert answers == ["ok", "ok", "limit"]
        assert (await client.change("join", room=rooms[2].id))["op"] == "ok"
