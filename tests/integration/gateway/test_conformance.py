"""RFC 6455 case by case, with raw sockets: against `python -m gateway.echo` with the RFC's close codes, and what it forbids against the real socket with ours.

A case is what the client writes (each piece a segment of its own) and what it hears: messages, pongs, and the code of the close frame that ends it. Where a
case ends with None the connection is sound, and closes as the client asks.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.wire_clients import upgrade, ws_frame

from .rig import rig

WAIT_S = 30.0
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MIB = 1024 * 1024
PROTOCOL, UTF8, TOO_BIG = 1002, 1007, 1009
Frame = tuple[int, bytes]


@dataclass(frozen=True)
class Case:
    """What is written, what is heard before the end, and the close code (None: the connection goes on)."""

    name: str
    writes: tuple[bytes, ...]
    hears: tuple[Frame, ...] = ()
    code: int | None = None
    is_wrong: bool = False


def code(number: int, reason: bytes = b"") -> bytes:
    """A close frame's payload."""
    return number.to_bytes(2, "big") + reason


def chopped(data: bytes, size: int) -> tuple[bytes, ...]:
    """The same bytes in pieces."""
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def fragments(opcode: int, *payloads: bytes) -> tuple[bytes, ...]:
    """A message in fragments."""
    last = len(payloads) - 1
    return tuple(ws_frame(CONTINUATION if n else opcode, part, fin=n == last) for n, part in enumerate(payloads))


def echoed(name: str, *writes: bytes, hears: tuple[Frame, ...]) -> Case:
    """A case that goes well."""
    return Case(name, writes, hears)


def refused(name: str, *writes: bytes, hears: tuple[Frame, ...] = (), code: int = PROTOCOL) -> Case:
    """A case that ends the connection."""
    return Case(name, writes, hears, code, is_wrong=True)


def quick_frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A large frame, whose mask is zero so that making it takes no time."""
    return bytes((0x80 * fin | opcode, 0xFF)) + len(payload).to_bytes(8, "big") + bytes(4) + payload


def sizes() -> Iterator[Case]:
    """Around every way to write a length, whole and chopped."""
    for opcode, letter in ((TEXT, b"*"), (BINARY, b"\xfe")):
        for size in (0, 1, 125, 126, 127, 128, 65_535, 65_536):
            payload = letter * size
            hears = ((opcode, payload),)
            yield echoed(f"{opcode}-{size}", ws_frame(opcode, payload), hears=hears)
            if size:
                yield echoed(f"{opcode}-{size}-chopped", *chopped(ws_frame(opcode, payload), 997), hears=hears)
    yield echoed("bytes one by one", *chopped(ws_frame(TEXT, b"hello there"), 1), hears=((TEXT, b"hello there"),))
    many = tuple((TEXT, b"%d" % n) for n in range(200))
    yield echoed("two hundred in one write", b"".join(ws_frame(TEXT, text) for _, text in many), hears=many)


def large() -> Iterator[Case]:
    """Up to 16 MiB, and one byte more."""
    megabyte, most = b"ab" * (MIB // 2), bytes(16 * MIB)
    yield echoed("1 MiB in 64 bytes", *chopped(quick_frame(TEXT, megabyte), 64), hears=((TEXT, megabyte),))
    yield echoed(
        "1 MiB in fragments of 64 bytes",
        b"".join(fragments(BINARY, *chopped(bytes(MIB), 64))),
        hears=((BINARY, bytes(MIB)),),
    )
    pieces = chopped(most, 2 * MIB)
    framed = [
        quick_frame(CONTINUATION if n else BINARY, piece, fin=n == len(pieces) - 1) for n, piece in enumerate(pieces)
    ]
    yield echoed("16 MiB", quick_frame(BINARY, most), hears=((BINARY, most),))
    yield echoed("16 MiB in fragments", *framed, hears=((BINARY, most),))
    yield refused("16 MiB and a byte", b"\x82\xff" + (16 * MIB + 1).to_bytes(8, "big"), code=TOO_BIG)
    yield refused("2 TiB", b"\x81\xff" + (1 << 41).to_bytes(8, "big"), code=TOO_BIG)
    started = [quick_frame(CONTINUATION if n else BINARY, piece, fin=False) for n, piece in enumerate(pieces)]
    yield refused("16 MiB and a byte in fragments", *started, ws_frame(CONTINUATION, b"x")[:2], code=TOO_BIG)


def pings() -> Iterator[Case]:
    """Answered with their payload, in order; pongs are not answered."""
    for payload in (b"", b"payload", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125):
        yield echoed(f"ping of {len(payload)}", ws_frame(PING, payload), hears=((PONG, payload),))
    yield echoed("a ping byte by byte", *chopped(ws_frame(PING, b"\xfe" * 125), 1), hears=((PONG, b"\xfe" * 125),))
    flood = tuple((PONG, b"payload-%d" % n) for n in range(5000))
    yield echoed("5000 pings", b"".join(ws_frame(PING, payload) for _, payload in flood), hears=flood)
    yield echoed("a pong nobody asked for", ws_frame(PONG, b""), ws_frame(PONG, b"more"), hears=())
    yield echoed("pong, then ping", ws_frame(PONG, b"none"), ws_frame(PING, b"asked"), hears=((PONG, b"asked"),))
    yield refused("a ping of 126", ws_frame(PING, b"\xfe" * 126)[:2])


def reserved() -> Iterator[Case]:
    """No extension is ever agreed on, so no bit and no opcode of theirs may be set; what came before is still answered."""
    for bits in range(1, 8):
        yield refused(f"reserved bits {bits}", ws_frame(TEXT, b"x", rsv=bits))
    for opcode in (BINARY, CLOSE, PING, PONG):
        yield refused(f"reserved bit on opcode {opcode}", ws_frame(opcode, b"", rsv=4))
    yield refused("reserved bits by the first byte alone", b"\xc1")
    yield refused(
        "reserved bits after a message",
        ws_frame(TEXT, b"first") + ws_frame(TEXT, b"second", rsv=1) + ws_frame(PING, b""),
        hears=((TEXT, b"first"),),
    )
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield refused(f"opcode {opcode}", ws_frame(opcode, b""))
        yield refused(f"opcode {opcode} with a payload", ws_frame(opcode, b"x" * 20) + ws_frame(PING, b""))


def masks_and_lengths() -> Iterator[Case]:
    """Clients mask, and write a length as short as it can be."""
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        yield refused(f"unmasked {opcode}", ws_frame(opcode, b"", mask=False))
    yield refused("126 for a length of 125", b"\x81\xfe\x00\x7d")
    yield refused("127 for a length of 65535", b"\x81\xff" + (65_535).to_bytes(8, "big"))
    yield refused("the sign bit of a length", b"\x82\xff\x80" + bytes(7))


def fragmented() -> Iterator[Case]:
    """RFC 6455 §5.4."""
    yield echoed("two fragments", *fragments(TEXT, b"frag", b"ment"), hears=((TEXT, b"fragment"),))
    yield echoed("empty fragments", *fragments(TEXT, b"", b"", b""), hears=((TEXT, b""),))
    yield echoed("an empty one between", *fragments(BINARY, b"a", b"", b"b"), hears=((BINARY, b"ab"),))
    first, second, third = fragments(TEXT, b"one ", b"two ", b"three")
    yield echoed(
        "pings between fragments",
        first + ws_frame(PING, b"1"),
        second + ws_frame(PING, b"2") + ws_frame(PONG, b""),
        third,
        hears=((PONG, b"1"), (PONG, b"2"), (TEXT, b"one two three")),
    )
    yield echoed(
        "fragments with a ping, byte by byte",
        *chopped(first + ws_frame(PING, b"1") + second + third, 1),
        hears=((PONG, b"1"), (TEXT, b"one two three")),
    )
    yield echoed("one after another", first + second + third, *fragments(BINARY, b"a", b"b"),
                 hears=((TEXT, b"one two three"), (BINARY, b"ab")))  # fmt: skip
    for opcode in (PING, PONG, CLOSE):
        yield refused(f"a fragment of opcode {opcode}", ws_frame(opcode, b"", fin=False))
    for fin in (True, False):
        yield refused(f"a continuation of nothing, fin {fin}", ws_frame(CONTINUATION, b"x", fin=fin))
        yield refused(
            f"a continuation after the end, fin {fin}",
            *fragments(TEXT, b"a", b"b"),
            ws_frame(CONTINUATION, b"c", fin=fin),
            hears=((TEXT, b"ab"),),
        )
        yield refused(f"a new text within one, fin {fin}", first, ws_frame(TEXT, b"x", fin=fin))
        yield refused(f"a new binary within a text, fin {fin}", first, ws_frame(BINARY, b"x", fin=fin))


VALID_UTF8 = (
    "κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff",
    "\ufeff", "\ufdd0", "\U00010000", "\U0001fffe", "\U0001ffff", "\U000fffff", "\U0010fffe", "\U0010ffff", "𝔸𝕓 " * 40,
)  # fmt: skip
INVALID_UTF8 = (
    b"\x80", b"\xbf", b"\x80\xbf\x80", b"\xc2", b"\xdf ", b"\xe0\xa0", b"\xe1\x80 ", b"\xf0\x90\x80", b"\xf1\x80\x80 ",
    b"\xc0\x80", b"\xc1\xbf", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",
    b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf",
    "κόσμε".encode() + b"\xed\xa0\x80edited",
)  # fmt: skip


def utf8() -> Iterator[Case]:
    """Text is UTF-8 as of RFC 3629, over fragments too, and refused at the first byte that cannot be."""
    for text in VALID_UTF8:
        data = text.encode()
        hears = ((TEXT, data),)
        yield echoed(f"valid {text[:3]!a}", ws_frame(TEXT, data), hears=hears)
        yield echoed(f"valid {text[:3]!a} in fragments of a byte", *fragments(TEXT, *chopped(data, 1)), hears=hears)
        yield echoed(f"valid {text[:3]!a} byte by byte", *chopped(ws_frame(TEXT, data), 1), hears=hears)
    for data in INVALID_UTF8:
        yield refused(f"invalid {data.hex()}", ws_frame(TEXT, data), code=UTF8)
        yield refused(f"invalid {data.hex()} in fragments", *fragments(TEXT, *chopped(data, 1)), code=UTF8)
        yield echoed(f"binary {data.hex()}", ws_frame(BINARY, data), hears=((BINARY, data),))
    good, bad = "κόσμε".encode(), b"\xf4\x90\x80\x80"
    start, wrong, _ = fragments(TEXT, good, bad, good)
    yield refused("fails at the fragment, before the message ends", start, wrong, code=UTF8)
    yield refused("fails at the first byte that cannot be, in a fragment", start, wrong[:8], code=UTF8)
    whole = ws_frame(TEXT, good + bad + good)
    for cut, name in ((len(good) + 4, "four"), (len(good) + 2, "two")):
        yield refused(f"fails {name} bytes into it, within one frame", whole[:6], whole[6 : 6 + cut], code=UTF8)
    surrogate = ws_frame(TEXT, b"\xed\xa0\x80 and more")
    yield refused("fails at half a surrogate, within one frame", surrogate[:8], code=UTF8)
    long = quick_frame(TEXT, b"a" * 300_000 + b"\xff" + b"a" * MIB)
    yield refused("fails in the middle of a large frame", long[:300_100], code=UTF8)


def closing() -> Iterator[Case]:
    """RFC 6455 §5.5.1 and §7.4: a close is answered with its code; nothing counts after it."""
    yield Case("an empty close", (ws_frame(CLOSE, b""),), (), 1005)
    for number in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        yield Case(f"close {number}", (ws_frame(CLOSE, code(number)),), (), number)
        yield Case(f"close {number} with a reason", (ws_frame(CLOSE, code(number, b"reason")),), (), number)
    for number in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield refused(f"close {number}", ws_frame(CLOSE, code(number)))
        yield refused(f"close {number} with a reason", ws_frame(CLOSE, code(number, b"reason")))
    yield Case("a reason of 123 bytes", (ws_frame(CLOSE, code(1000, b"*" * 123)),), (), 1000)
    yield refused("a reason of 124 bytes", ws_frame(CLOSE, code(1000, b"*" * 124)))
    yield refused("half a code", ws_frame(CLOSE, b"\x03"))
    yield refused("a reason that is not UTF-8", ws_frame(CLOSE, code(1000, b"\xce\xba\xed\xa0\x80")), code=UTF8)
    bye = ws_frame(CLOSE, code(1000))
    yield Case("a second close", (bye + bye,), (), 1000)
    yield Case("a message after the close", (bye + ws_frame(TEXT, b"late"),), (), 1000)
    yield Case("a ping after the close", (bye + ws_frame(PING, b"late"),), (), 1000)
    yield Case("nonsense after the close", (bye + b"\xff" * 50,), (), 1000)
    yield Case("a close within a fragmented message", (ws_frame(TEXT, b"a", fin=False) + bye,), (), 1000)
    most = b"ab" * 128 * 1024
    yield Case("a close behind 256 KiB", (quick_frame(TEXT, most) + bye,), ((TEXT, most),), 1000)


CASES = [
    case for group in (sizes, large, pings, reserved, masks_and_lengths, fragmented, utf8, closing) for case in group()
]


class Socket:
    """A client of a blocking socket."""

    def __init__(self, port: int, request: bytes) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.sock.makefile("rb")
        self.sock.sendall(request)
        self.status = int(self.stream.readline().split()[1])
        self.headers = b"".join(iter(self.stream.readline, b"\r\n"))

    def send(self, writes: tuple[bytes, ...]) -> None:
        """Each piece in a segment of its own; a server that has hung up already is no reason to stop listening."""
        try:
            for piece in writes:
                self.sock.sendall(piece)
        except OSError:
            pass

    def frame(self) -> Frame:
        """The next frame; servers neither mask nor fragment here."""
        first, second = self.stream.read(2)
        assert first & 0xF0 == 0x80, "final, no reserved bits"
        assert not second & 0x80, "not masked"
        size = second if second < 126 else int.from_bytes(self.stream.read(2 if second == 126 else 8), "big")
        return first & 0x0F, self.stream.read(size)

    def ended(self) -> bool:
        """Whether the server ends the TCP connection, in order, without another byte."""
        return self.stream.read() == b""

    def close(self) -> None:
        """Hangs up."""
        self.stream.close()
        self.sock.close()


def play(port: int, case: Case) -> None:
    """Writes a case, and checks everything that is heard."""
    client = Socket(port, upgrade(Sec_WebSocket_Protocol=None))
    try:
        assert client.status == 101
        client.send(case.writes if case.code is not None else (*case.writes, ws_frame(CLOSE, code(1000, b"bye"))))
        for expected in case.hears:
            assert client.frame() == expected
        opcode, payload = client.frame()
        number = int.from_bytes(payload, "big") if payload else 1005
        assert (opcode, number) == (CLOSE, 1000 if case.code is None else case.code)
        assert client.ended()
    finally:
        client.close()


def echo_command(port: int = 0) -> list[str]:
    """How the echo is started."""
    return [sys.executable, "-P", "-m", "gateway.echo", "--port", str(port)]


@contextmanager
def echo_process() -> Iterator[int]:
    """The echo on a free port, stopped in order."""
    environment = {"PATH": os.environ["PATH"]}
    with subprocess.Popen(echo_command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(b":")[2])
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=WAIT_S)
        assert (process.returncode, errors) == (0, b"")


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    """One echo for all cases."""
    with echo_process() as port:
        yield port


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_echo_follows_the_rfc(echo: int, case: Case) -> None:
    """Message by message, and to the right close code."""
    play(echo, case)


def test_the_echo_takes_any_path_and_no_subprotocol(echo: int) -> None:
    """And answers none; another version is told which."""
    odd = upgrade(Sec_WebSocket_Protocol="chat", Origin="https://anywhere.example").replace(
        b"/v1/socket", b"/runCase?case=1&agent=x"
    )
    client = Socket(echo, odd)
    assert client.status == 101
    assert b"Protocol" not in client.headers
    client.close()

    refused = Socket(echo, upgrade(Sec_WebSocket_Version="14"))
    assert refused.status == 426
    assert b"Sec-WebSocket-Version: 13" in refused.headers
    refused.close()


def test_who_says_no_more_is_let_go(echo: int) -> None:
    """A half-closed connection without a close frame is over (RFC 6455 §7.1.5: 1006)."""
    client = Socket(echo, upgrade())
    client.sock.shutdown(socket.SHUT_WR)

    assert client.ended()
    client.close()


def test_who_does_not_read_is_not_listened_to(echo: int) -> None:
    """Its echo waits, and so does it; when it reads again nothing is missing."""
    client = Socket(echo, upgrade())
    framed, sent = quick_frame(BINARY, bytes(MIB)), 0
    client.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        while sent < 256:
            client.sock.sendall(framed)
            sent += 1
    client.sock.settimeout(WAIT_S)

    assert sent < 256
    for _ in range(sent):
        assert client.frame() == (BINARY, bytes(MIB))
    client.close()


@pytest.mark.parametrize("mode", ["production", "Production"])
def test_the_echo_does_not_start_in_production(mode: str) -> None:
    """It has no limits."""
    done = subprocess.run(
        echo_command(),
        check=False,
        env={"PATH": os.environ["PATH"], "GARITA_MODE": mode},
        capture_output=True,
        timeout=WAIT_S,
    )

    assert done.returncode == os.EX_CONFIG
    assert b"GARITA_MODE" in done.stderr


def test_a_taken_port_is_a_sentence(echo: int) -> None:
    """And no traceback."""
    done = subprocess.run(
        echo_command(echo), check=False, env={"PATH": os.environ["PATH"]}, capture_output=True, timeout=WAIT_S
    )

    assert done.returncode == os.EX_CONFIG
    assert b"Cannot listen" in done.stderr
    assert b"Traceback" not in done.stderr


FORBIDDEN = [
    case
    for case in CASES
    if case.code in (PROTOCOL, UTF8) and case.is_wrong and not case.hears and sum(map(len, case.writes)) < 1024
]


async def test_the_real_socket_forbids_the_same_with_our_codes(tmp_path: Path, redis_url: str) -> None:
    """4501, a `disconnect` before it, and the end of the TCP connection, in every case that the RFC forbids."""
    async with rig(tmp_path, redis_url, accept_burst=1000) as it:
        for case in FORBIDDEN:
            assert (case.name, await asyncio.to_thread(end_of, it.gateway.http_port, case)) == (case.name, 4501)

        assert it.figure("gateway_violations_total", kind="ws_utf8") > len(INVALID_UTF8)
        assert it.figure("gateway_faults_total", where="read") == 0


def end_of(port: int, case: Case) -> int:
    """How the real socket ends a case."""
    client = Socket(port, upgrade())
    try:
        assert client.status == 101
        client.send(case.writes)
        opcode, told = client.frame()
        assert opcode == TEXT
        assert b'"op":"disconnect"' in told
        opcode, payload = client.frame()
        assert opcode == CLOSE
        assert client.ended()
        return int.from_bytes(payload[:2], "big")
    finally:
        client.close()
