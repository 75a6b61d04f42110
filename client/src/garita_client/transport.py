"""The two transports behind one small face: bytes in and out, deadlines on opening, nothing decided here.

A transport gives the frames that have arrived as a list (a burst costs one wake-up) and ends with `TransportClosed`. What a frame says is
`core.hearing`'s business.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

import aiohttp

from garita_common.core.wire import Kind, encode_frame

from .core.addresses import Address, RawAddress, WebAddress
from .core.endings import Ending

SUBPROTOCOL = "garita.v1"
MAX_FRAME_BYTES = 1024 * 1024
"""Far above the 64 KiB and a header that the server keeps to: what is larger does not come from a Garita server."""

HIGH_WATER_BYTES = 512 * 1024
REASON_TIMEOUT_S = 3.0
REASON_PAUSE_S = 1.1
"""A ban is told once a second per address, so the question for its reason waits that long."""


class Frame(NamedTuple):
    """One frame's payload; `chunk` for a piece of a file, else JSON."""

    chunk: bool
    data: bytes


class TransportClosed(Exception):
    """The other side is gone, or was never there; `ending` says what is known of it."""

    def __init__(self, ending: Ending, detail: str = "") -> None:
        """Args: detail: for a person who asks why."""
        super().__init__(detail or ending.reason)
        self.ending = ending


class Transport(Protocol):
    """An open connection."""

    async def receive(self) -> Sequence[Frame]:
        """The frames that have arrived, at least one. Raises: TransportClosed."""
        ...

    async def send(self, data: bytes, *, chunk: bool = False) -> None:
        """Sends one frame; waits while too much is under way. Raises: TransportClosed."""
        ...

    async def close(self) -> None:
        """Ends the connection, politely for a moment, then at once."""
        ...


async def open_transport(address: Address, *, tls: ssl.SSLContext | None, timeout_s: float) -> Transport:
    """A connection to a server.

    Raises:
        TransportClosed: nobody answers, or the server refused it (then with its reason).
    """
    try:
        async with asyncio.timeout(timeout_s):
            match address:
                case RawAddress():
                    return await _open_raw(address, tls)
                case WebAddress():
                    return await _open_web(address, tls)
    except (OSError, TimeoutError, ssl.SSLError) as exc:
        raise TransportClosed(Ending(), str(exc) or "no answer") from exc


class _RawProtocol(asyncio.Protocol):
    """TCP frames out of a byte stream; a queue for the reader, a gate for the writer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.frames: list[Frame] = []
        self.closed: str | None = None
        self._buffer = bytearray()
        self._reader: asyncio.Future[None] | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's streams are no subclasses of asyncio's, but behave as such
        stream = cast(asyncio.Transport, transport)
        self.transport = stream
        stream.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 5:
            length = int.from_bytes(buffer[at + 1 : at + 5], "big")
            if buffer[at] not in (Kind.JSON, Kind.CHUNK) or length > MAX_FRAME_BYTES:
                self._lose("the other side does not speak Garita's protocol")
                return
            if len(buffer) - at - 5 < length:
                break
            self.frames.append(Frame(buffer[at] == Kind.CHUNK, bytes(buffer[at + 5 : at + 5 + length])))
            at += 5 + length
        del buffer[:at]
        if self.frames:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.closed or str(exc or "the connection was closed")
        self.writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def _lose(self, why: str) -> None:
        self.closed = why
        if self.transport is not None:
            self.transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def wait(self) -> None:
        """Until there are frames or the end."""
        if not self.frames and self.closed is None:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None


class RawTransport:
    """The TCP transport."""

    def __init__(self, protocol: _RawProtocol) -> None:
        """Args: protocol: already connected."""
        self._protocol = protocol

    async def receive(self) -> Sequence[Frame]:
        """See Transport."""
        protocol = self._protocol
        await protocol.wait()
        if protocol.frames:
            frames, protocol.frames = protocol.frames, []
            return frames
        raise TransportClosed(Ending(), protocol.closed or "")

    async def send(self, data: bytes, *, chunk: bool = False) -> None:
        """See Transport."""
        protocol = self._protocol
        if protocol.closed is not None or protocol.transport is None or protocol.transport.is_closing():
            raise TransportClosed(Ending(), protocol.closed or "the connection is closing")
        protocol.transport.write(encode_frame(Kind.CHUNK if chunk else Kind.JSON, data))
        if not protocol.writable.is_set():
            await protocol.writable.wait()

    async def close(self) -> None:
        """See Transport."""
        transport = self._protocol.transport
        if transport is not None:
            if transport.get_write_buffer_size():
                transport.abort()
            else:
                transport.close()


async def _open_raw(address: RawAddress, tls: ssl.SSLContext | None) -> RawTransport:
    context = (tls or ssl.create_default_context()) if address.tls else None
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(_RawProtocol, address.host, address.port, ssl=context)
    return RawTransport(protocol)


class WebTransport:
    """The WebSocket transport; it owns its HTTP session."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Args: session: closed together with the socket."""
        self._session = session
        self._socket = socket

    async def receive(self) -> Sequence[Frame]:
        """See Transport."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return (Frame(False, message.data.encode()),)
            case aiohttp.WSMsgType.BINARY:
                return (Frame(True, message.data),)
            case aiohttp.WSMsgType.CLOSE:
                raise TransportClosed(Ending(code=message.data, reason=str(message.extra or "")))
            case _:
                raise TransportClosed(Ending(code=self._socket.close_code), "the connection was lost")

    async def send(self, data: bytes, *, chunk: bool = False) -> None:
        """See Transport."""
        try:
            if chunk:
                await self._socket.send_bytes(data)
            else:
                await self._socket.send_str(data.decode())
        except (ConnectionError, aiohttp.ClientError) as exc:
            raise TransportClosed(Ending(), str(exc)) from exc

    async def close(self) -> None:
        """See Transport."""
        try:
            async with asyncio.timeout(1):
                await self._socket.close()
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            pass
        finally:
            await self._session.close()


async def _open_web(address: WebAddress, tls: ssl.SSLContext | None) -> WebTransport:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
    try:
        socket = await session.ws_connect(
            address.url,
            protocols=(SUBPROTOCOL,),
            ssl=tls or True,
            compress=0,
            max_msg_size=MAX_FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0),
        )
    except aiohttp.WSServerHandshakeError as exc:
        ending = await _refusal(session, address, tls, exc)
        await session.close()
        raise TransportClosed(ending, ending.reason) from exc
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        await session.close()
        raise TransportClosed(Ending(), str(exc) or "no answer") from exc
    except BaseException:
        await session.close()
        raise
    return WebTransport(session, socket)


async def _refusal(
    session: aiohttp.ClientSession, address: WebAddress, tls: ssl.SSLContext | None, exc: aiohttp.WSServerHandshakeError
) -> Ending:
    """An HTTP refusal as the close that it stands for (docs/protocol.md §5)."""
    match exc.status:
        case 403:
            return await _forbidden(session, address, tls)
        case 400 | 426:
            return Ending(code=4505, reason="the server does not take this WebSocket")
        case _:
            wait = exc.headers.get("Retry-After", "") if exc.headers else ""
            after_ms = int(wait) * 1000 if wait.isdigit() else 0
            return Ending(reason=f"refused with HTTP {exc.status}", after_ms=after_ms)


async def _forbidden(session: aiohttp.ClientSession, address: WebAddress, tls: ssl.SSLContext | None) -> Ending:
    """Asks once more, because aiohttp throws the body of a refused handshake away: a ban's reason, or a wrong origin."""
    await asyncio.sleep(REASON_PAUSE_S)
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "Z2FyaXRhIGFza3Mgd2h5IQ==", "Sec-WebSocket-Protocol": SUBPROTOCOL,
    }  # fmt: skip
    timeout = aiohttp.ClientTimeout(total=REASON_TIMEOUT_S)
    try:
        async with session.get(address.url, headers=upgrade, ssl=tls or True, timeout=timeout) as answer:
            told = json.loads(await answer.content.read(4096)) if answer.status == 403 else {}
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        told = {}
    if not isinstance(told, dict) or "reason" not in told:
        return Ending(code=4503, reason="the server refuses this address or origin (HTTP 403)")
    until, appeal = told.get("until"), told.get("appeal")
    return Ending(
        code=4503,
        reason=str(told["reason"]),
        until_ms=until if isinstance(until, int) else None,
        appeal=str(appeal) if appeal is not None else None,
    )
