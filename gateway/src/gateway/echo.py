"""`python -m gateway.echo --port N`: the gateway's WebSocket layer as a plain echo of whole messages, for conformance suites.

The same arrival, upgrade, frame reader and closing as in the gateway serve here; what stands behind them is an echo in place of sessions, with the RFC's
close codes in place of ours, at any path and without a subprotocol. Nothing is counted, limited or recorded, so it refuses to start in production.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

import uvloop
from prometheus_client import CollectorRegistry

from garita_common.config import ConfigError, Mode, Secret
from garita_common.core import activity
from garita_common.core.addresses import Loopback
from garita_common.core.bans import BanBook
from garita_common.core.buckets import Rate
from garita_common.core.errors import CloseCode
from garita_common.logs import AddressHash, Sparingly

from .arrival import Arrival, Port
from .clock import Clock
from .config import MIB, GatewayConfig
from .connection import Connection, Desk
from .core.admission import Admission
from .core.limits import AdmissionLimits
from .core.rfc6455 import Violation
from .core.session import Step
from .core.wheel import Wheel
from .entrance import Entrance
from .front import Front, FrontSettings, refusal_of
from .ground import Due, Ground
from .listeners import BACKLOG, bind
from .metrics import Metrics
from .sweeper import TICK_S, Sweeper
from .websocket import WebSocketConnection

MESSAGE_BYTES = 16 * MIB
_CONNECTIONS = 1000
_PLENTY = Rate(10_000, 10_000)


class Whole:
    """The limit of a message, whatever it is."""

    json_limit = chunk_limit = MESSAGE_BYTES


class EchoConnection(WebSocketConnection):
    """One WebSocket client, which hears what it says."""

    __slots__ = ()

    def __init__(self, ground: Ground, desk: Desk, port: int) -> None:
        """A connection before its upgrade is answered."""
        super().__init__(ground, desk, port, Whole())

    def take_json(self, payload: bytes, now_s: float) -> None:
        """A text goes back as it came."""
        self.enqueue(self.frame_json(payload))

    def take_chunk(self, payload: bytes, now_s: float) -> None:
        """So does a binary message."""
        self.enqueue(self.frame_chunk(payload))

    def pay(self, size: int, now_s: float, *, upload: bool = False, control: bool = False) -> None:
        """Nothing costs anything here."""

    def reschedule(self) -> None:
        """Nothing is due while the connection is open."""

    def pause_writing(self) -> None:
        """Who does not read its echo is not listened to meanwhile, so memory stays within a message."""
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _violated(self, exc: Violation) -> None:
        self._part(exc.code)


class _EchoDesk:
    """Nobody sits here: connections need no more than to be let go of."""

    def opened(self, connection: Connection) -> None:
        """Nothing is noted."""

    def step(self, connection: Connection, step: Step) -> None:
        """There are no sessions, so there are no steps."""
        raise AssertionError("an echo has no sessions")

    def ended(self, connection: Connection, code: CloseCode | None) -> None:
        """Nothing is noted."""

    def rerouted(self, connection: Connection) -> None:
        """Nobody else writes to it."""

    def lost(self, connection: Connection) -> None:
        """Nothing is noted."""

    def failed(self, connection: Connection, where: str, exc: Exception) -> None:
        """A fault of ours is shown whole, and ends the connection."""
        _show(exc)
        connection.abort()


class _NoRecords:
    """Nobody reads what happens here."""

    def emit(self, event: activity.Event) -> None:
        """Nothing is kept."""


async def serve(host: str, port: int, stop: asyncio.Event, started: Callable[[int], None]) -> None:
    """Echoes until `stop` is set. Args: port: 0 takes a free one; started: told the port.

    Raises:
        ConfigError: the address cannot be had.
    """
    clock, metrics = Clock(), Metrics(CollectorRegistry())
    defaults = GatewayConfig.load(
        {"GARITA_REDIS_URL": "unix:///dev/null", "GARITA_SECRETS_DIR": ".", "GARITA_GATEWAY_BLOB_URL": "file:///"}
    )  # for its limits alone; nothing of it is opened
    wheel: Wheel[Due] = Wheel(TICK_S)
    numbers = count(1)
    ground = Ground(
        clock=clock,
        wheel=wheel,
        metrics=metrics,
        limits=defaults.session_limits,
        queue_bytes=4 * MESSAGE_BYTES,
        sndbuf_bytes=defaults.sndbuf_bytes,
        close_s=defaults.close_s,
        write_timeout_s=defaults.write_timeout_s,
        draw_jitter=lambda: 1.0,
        next_id=lambda: next(numbers),
    )
    admission = Admission(_no_limits(defaults), BanBook(), Loopback.PRIVATE, clock.monotonic())
    hashed = AddressHash(Secret(secrets.token_hex()))
    entrance = Entrance(admission, (), clock, metrics, _NoRecords(), hashed)
    with bind(host, port) as sock:
        settings = FrontSettings(
            header_timeout_s=defaults.header_timeout_s,
            header_bytes=defaults.header_bytes,
            idle_s=defaults.page_idle_s,
            origins=None,
            make_inner=_no_pages,
            failed=_show,
            port=sock.getsockname()[1],
            make_socket=EchoConnection,
            socket_path="",
            subprotocol="",
        )
        way_in = Port(
            name="echo",
            words=refusal_of,
            take=lambda transport, ticket: Front(ground, _EchoDesk(), entrance, settings).take_over(transport, ticket),
            proxy_header=False,
            header_timeout_s=defaults.header_timeout_s,
        )
        sparingly = Sparingly(clock.monotonic)
        server = await asyncio.get_running_loop().create_server(
            lambda: Arrival(ground, entrance, way_in, sparingly), sock=sock, backlog=BACKLOG
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                sweeper = tasks.create_task(Sweeper(wheel, clock, []).run(), name="sweeper")
                started(settings.port)
                await stop.wait()
                sweeper.cancel()
        finally:
            server.close()


def _no_limits(defaults: GatewayConfig) -> AdmissionLimits:
    return replace(
        defaults.admission_limits,
        connections=_CONNECTIONS,
        connections_per_unit=_CONNECTIONS,
        connections_per_tier=_CONNECTIONS,
        attempts_per_node=_PLENTY,
        attempts_per_unit=_PLENTY,
        attempts_per_tier=_PLENTY,
    )


def _no_pages() -> asyncio.Protocol:
    raise AssertionError("every path is a socket here")


def _show(exc: Exception) -> None:
    traceback.print_exception(exc)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


async def _run(host: str, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    name = f"[{host}]" if ":" in host else host
    await serve(host, port, stop, lambda taken: _say(f"echo ready: ws://{name}:{taken}"))


def main(words: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code. Args: words: of the command line; None for the process's own."""
    parser = argparse.ArgumentParser(prog="gateway.echo", description="The gateway's WebSocket layer as a plain echo.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    choices = parser.parse_args(words)
    if os.environ.get("GARITA_MODE", "").strip().lower() == Mode.PRODUCTION.value:
        sys.stderr.write(
            "gateway.echo: It has no limits and no accounts, so it does not run with GARITA_MODE=production.\n"
        )
        return os.EX_CONFIG
    try:
        uvloop.run(_run(choices.host, choices.port))
    except ConfigError as exc:
        sys.stderr.write(f"gateway.echo: {exc}\n")
        return os.EX_CONFIG
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
