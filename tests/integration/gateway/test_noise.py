"""Any bytes on any road into the gateway: an answer or a close, never a traceback, and the gateway goes on."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garita_common.core import frames
from tests.fakes.wire_clients import upgrade, ws_frame

from .rig import Rig, rig, token

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def running(redis_socket: Path) -> Iterator[Rig]:
    """A gateway in a thread of its own, for tests that are not coroutines."""
    held: list[Rig] = []
    up, done = threading.Event(), threading.Event()

    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with rig(Path(folder), f"unix://{redis_socket}", connect_timeout_s=2, ping_interval_s=1000) as it:
                held.append(it)
                up.set()
                while not done.is_set():
                    await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="gateway")
    thread.start()
    try:
        assert up.wait(30), "the gateway did not start"
        yield held[0]
    finally:
        done.set()
        thread.join(30)


def shake(port: int, pieces: list[bytes]) -> None:
    """Sends pieces, ends the sending side, and reads to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        try:
            for piece in pieces:
                link.sendall(piece)
            link.shutdown(socket.SHUT_WR)
            while link.recv(65536):
                pass
        except OSError:
            pass  # the gateway was done with it first


def no_fault(it: Rig) -> None:
    """Nothing reached the last edge."""
    faults = [
        sample
        for family in it.registry.collect()
        if family.name == "gateway_faults"
        for sample in family.samples
        if sample.name.endswith("_total")
    ]
    assert not faults, faults


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)
OPERATION = st.tuples(
    st.sampled_from(sorted(frames.OPS)),
    st.dictionaries(
        st.sampled_from(["id", "v", "token", "room", "cmid", "text", "limit", "resume", "transfer", "offset", "kind"]),
        JSON | st.just("r" + "0" * 32) | st.just("0190a0a0-0000-7000-8000-000000000001"),
        max_size=6,
    ),
).map(lambda row: msgspec.json.encode({"id": 1, **row[1], "op": row[0]}))
PAYLOAD = st.one_of(st.binary(max_size=60), JSON.map(msgspec.json.encode), OPERATION)


def tcp(kind: int, payload: bytes) -> bytes:
    """A TCP frame."""
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


HELLO = msgspec.json.encode({"op": "connect", "id": 0, "v": 1, "token": token("noise")})


@QUICK
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=5))
def test_random_bytes_on_the_tcp_port(running: Rig, pieces: list[bytes]) -> None:
    """Scanner noise."""
    shake(running.gateway.tcp_port, pieces)
    no_fault(running)


@QUICK
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=5))
def test_random_bytes_on_the_http_port(running: Rig, pieces: list[bytes]) -> None:
    """Before and after a request line."""
    shake(running.gateway.http_port, [*pieces, b"\r\n\r\n"])
    shake(running.gateway.http_port, [b"GET / HTTP/1.1\r\n", *pieces, b"\r\n\r\n"])
    no_fault(running)


@QUICK
@given(st.booleans(), st.lists(st.tuples(st.sampled_from([1, 2]), PAYLOAD), max_size=12))
def test_random_frames_over_tcp(running: Rig, connected: bool, payloads: list[tuple[int, bytes]]) -> None:
    """Well-framed nonsense, before and after connect."""
    hello = [tcp(1, HELLO)] if connected else []
    shake(running.gateway.tcp_port, hello + [tcp(kind, payload) for kind, payload in payloads])
    no_fault(running)


@QUICK
@given(
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 15), PAYLOAD, st.booleans(), st.sampled_from([0, 0, 0, 1, 4]), st.booleans()),
        max_size=12,
    ),
)
def test_random_frames_over_websocket(
    running: Rig, connected: bool, rows: list[tuple[int, bytes, bool, int, bool]]
) -> None:
    """Every opcode, flag and mask."""
    hello = [ws_frame(1, HELLO)] if connected else []
    noise = [ws_frame(opcode, data, fin=fin, rsv=rsv, mask=mask) for opcode, data, fin, rsv, mask in rows]
    shake(running.gateway.http_port, [upgrade(), *hello, *noise])
    no_fault(running)


@QUICK
@given(st.lists(OPERATION, min_size=1, max_size=12))
def test_random_operations_over_websocket(running: Rig, operations: list[bytes]) -> None:
    """Right names, wrong everything else, as a connected user."""
    shake(running.gateway.http_port, [upgrade(), ws_frame(1, HELLO), *[ws_frame(1, data) for data in operations]])
    no_fault(running)
