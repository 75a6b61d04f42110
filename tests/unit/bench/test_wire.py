"""Frames of the load are frames of the protocol: the gateway's own readers take them, and what a server writes is found again."""

import uuid
from types import SimpleNamespace

import msgspec
import pytest

from bench.load import wire
from bench.load.wire import TCP, WS
from garita_common.core import frames
from garita_common.core.wire import Kind
from gateway.core import handshake, rfc6455, tcp_frames

LIMITS = SimpleNamespace(json_limit=32_768, chunk_limit=65_536)
ROOM = "r" + "0" * 32


def payloads(transport: int, data: bytes) -> list[bytes]:
    """What the gateway's reader makes of a client's bytes."""
    if transport == WS:
        return [message.payload for message in rfc6455.Reader(LIMITS).feed(data) if message is not None]
    return [payload for kind, payload in tcp_frames.Reader(LIMITS).feed(data) if kind is Kind.JSON]


@pytest.mark.parametrize("transport", [TCP, WS])
@pytest.mark.parametrize("text", ["x", "x" * 200, "50 % of it"])
def test_filled_templates_are_requests(transport: int, text: str) -> None:
    """A template filled in twice gives two requests with ids and cmids of their own, as long as each other."""
    shape = wire.template(transport, 7, ROOM, text.replace("%", "%%"))

    first, second = shape % (1_000_001, 1), shape % (9_999_999, 2)

    parsed = [frames.parse(payload) for payload in payloads(transport, first + second)]
    assert [op.id for op in parsed if isinstance(op, frames.Send)] == [1_000_001, 9_999_999]
    assert [op.text for op in parsed if isinstance(op, frames.Send)] == [text, text]
    cmids = {op.cmid for op in parsed if isinstance(op, frames.Send)}
    assert len(cmids) == 2
    assert all(isinstance(cmid, uuid.UUID) for cmid in cmids)


@pytest.mark.parametrize("transport", [TCP, WS])
def test_answers_are_found_in_any_pieces(transport: int) -> None:
    """Frames of every length form are found whole; half a frame is left for the next read."""
    said = [b'{"op":"ok"}', b"m" * 125, b"m" * 126, b"m" * 70_000 if transport == TCP else b"m" * 60_000]
    data = b"".join(wire.answer(transport, payload) for payload in said)

    assert [data[start:end] for start, end in wire.frames(transport, data)] == said
    assert [data[start:end] for start, end in wire.frames(transport, data[:-1])] == said[:-1]
    assert list(wire.frames(transport, data[:1])) == []


def test_answers_are_framed_as_the_gateway_does() -> None:
    """The bare server writes the same bytes as the gateway."""
    for payload in (b"{}", b"m" * 200):
        assert wire.answer(WS, payload) == rfc6455.frame(rfc6455.TEXT, payload)


@pytest.mark.parametrize("transport", [TCP, WS])
def test_requests_are_counted(transport: int) -> None:
    """The bare server sees where each request of a client ends."""
    said = [b"{}", b"m" * 125, b"m" * 300]
    data = b"".join(wire.framed(transport, payload) for payload in said)

    assert [data[start:end] for start, end in wire.requests(transport, data)] == said
    assert [data[start:end] for start, end in wire.requests(transport, data[:-1])] == said[:-1]


def test_upgrade_is_taken() -> None:
    """The gateway's handshake accepts the load's upgrade."""
    head = handshake.parse_head(wire.upgrade("127.0.0.1", 3))

    assert handshake.accept(head, ()).startswith(b"HTTP/1.1 101")


def test_an_answer_has_its_id_at_the_place() -> None:
    """The place of the op and of the id in an answer are where the load looks."""
    from bench.load import client
    from garita_common.core import pushes

    frame = pushes.ok(wire.FIRST_REQUEST, {"mid": "m"})

    assert frame[client._OP] == client._OK
    assert frame[client._ID : client._ID + 7] == b"1000000"
    assert msgspec.json.decode(frame)["id"] == wire.FIRST_REQUEST
    assert pushes.push("ping", {}) == client.PING
