"""Limits at the bare socket, on the TCP port, with addresses of 127.0.0.0/8 counting like any other."""

from __future__ import annotations

from pathlib import Path

from garita_common.core.activity import RateHit
from garita_common.core.channels import ACTIVITY_STREAM
from tests.fakes.wire_clients import Closed

from .rig import Rig, eventually, rig, token


async def let_in(it: Rig, source: str) -> bool:
    """Whether a TCP socket from this address stays long enough to connect as somebody."""
    client = await it.tcp(source=source)
    client.send("connect", v=1, token=token(f"u{len(it.clients)}"))
    try:
        return (await client.answer(1))["op"] == "ok"
    except (Closed, ConnectionError):
        return False


async def test_an_address_may_hold_so_many_and_the_next_is_closed(tmp_path: Path, redis_url: str) -> None:
    """Plainly, and recorded; a neighbour comes in; who leaves makes room."""
    async with rig(tmp_path, redis_url, loopback="public", connections_per_address=3) as it:
        held = [await let_in(it, "127.0.0.9") for _ in range(4)]
        assert held == [True, True, True, False]
        assert await let_in(it, "127.0.0.10")

        hits = await eventually(lambda: it.events(ACTIVITY_STREAM, RateHit))
        assert {(hit.limit, hit.ip_prefix) for hit in hits} == {("connections_per_address", "127.0.0.9/32")}

        it.clients[0].abort()
        await eventually(lambda: len(it.gateway.desk.connections) == 3)
        assert await let_in(it, "127.0.0.9")


async def test_a_prefix_may_hold_so_many(tmp_path: Path, redis_url: str) -> None:
    """However many addresses somebody has in it."""
    async with rig(tmp_path, redis_url, loopback="public", connections_per_prefix=3) as it:
        held = [await let_in(it, f"127.0.0.{host}") for host in (9, 10, 11, 12)]

        assert held == [True, True, True, False]
        assert await let_in(it, "127.0.1.1")


async def test_only_guessers_run_out_of_attempts(tmp_path: Path, redis_url: str) -> None:
    """A valid token gives the attempt back; three bad ones and the address has to wait."""
    async with rig(tmp_path, redis_url, loopback="public", attempts_per_address=3) as it:
        for _ in range(6):
            assert await let_in(it, "127.0.0.9")
        for _ in range(3):
            client = await it.tcp(source="127.0.0.9")
            assert (await client.connect(token("eva", aud="auth")))["op"] == "error"
            await client.end()

        assert not await let_in(it, "127.0.0.9")
        assert it.figure("gateway_refused_total", reason="attempts_per_address") == 1
        assert await let_in(it, "127.0.0.10")


async def test_a_full_node_refuses_everybody(tmp_path: Path, redis_url: str) -> None:
    """Loopback too, and pages as well as sockets."""
    async with rig(tmp_path, redis_url, connections=2) as it:
        assert await let_in(it, "127.0.0.9")
        page = await it.ws()
        assert page.status == 101

        assert not await let_in(it, "127.0.0.9")
        assert it.figure("gateway_refused_total", reason="node_connections") == 1


async def test_the_node_takes_so_many_a_second(tmp_path: Path, redis_url: str) -> None:
    """The burst at once, and nobody's attempts pay for the rest."""
    async with rig(tmp_path, redis_url, accept_burst=5, accept_per_s=0.01, loopback="public") as it:
        held = [await let_in(it, "127.0.0.9") for _ in range(7)]

        assert held == [True] * 5 + [False] * 2
        assert it.figure("gateway_refused_total", reason="attempts_per_node") == 2


async def test_loopback_is_not_counted_unless_it_is_public(tmp_path: Path, redis_url: str) -> None:
    """But users are, always."""
    async with rig(tmp_path, redis_url, connections_per_address=1, attempts_per_address=1) as it:
        assert [await let_in(it, "127.0.0.9") for _ in range(5)] == [True] * 5
