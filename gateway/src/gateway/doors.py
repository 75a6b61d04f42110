"""The gateway's two doors, HTTP and TCP: their sockets, what a socket goes through at each, and who gets it then."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog

from garita_common.logs import Sparingly

from .arrival import Arrival, Port, TlsEnd
from .certificate import Certificate
from .clock import Clock
from .config import GatewayConfig
from .connection import Desk
from .entrance import Entrance
from .front import Front, FrontSettings, refusal_of
from .ground import Ground
from .listeners import BACKLOG, adopt, bind, pages_server, raise_file_limit
from .metrics import Metrics
from .tcp import TcpConnection, words_of

log = structlog.get_logger()


class Doors:
    """Both ports of one gateway process; `http_port` and `tcp_port` are 0 until they are open."""

    def __init__(
        self, config: GatewayConfig, ground: Ground, desk: Desk, entrance: Entrance, clock: Clock, metrics: Metrics
    ) -> None:
        """Closed doors.

        Raises:
            ConfigError: the certificate cannot be used.
        """
        self._config = config
        self._ground = ground
        self._desk = desk
        self._entrance = entrance
        self._metrics = metrics
        self._sparingly = Sparingly(clock.monotonic)
        self._certificate = (
            Certificate(config.tls_cert, config.tls_key, metrics, every_s=config.tls_look_s)
            if config.tls_cert is not None and config.tls_key is not None
            else None
        )
        self._servers: list[asyncio.Server] = []
        self.http_port = self.tcp_port = 0

    def parts(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What runs as long as the gateway does."""
        if self._certificate is None:
            return {}
        return {"certificate": self._certificate.run()}

    async def open(self, stack: AsyncExitStack) -> None:
        """Listens until the stack is closed.

        Raises:
            ConfigError: an address cannot be had.
        """
        config = self._config
        raise_file_limit(config.connections)
        http_socket = stack.enter_context(self._socket(config.http_host, config.http_port, config.http_fd))
        tcp_socket = stack.enter_context(self._socket(config.tcp_host, config.tcp_port, config.tcp_fd))
        self.http_port, self.tcp_port = http_socket.getsockname()[1], tcp_socket.getsockname()[1]
        settings = FrontSettings(
            header_timeout_s=config.header_timeout_s,
            header_bytes=config.header_bytes,
            idle_s=config.page_idle_s,
            origins=config.origin_list,
            make_inner=await stack.enter_async_context(pages_server(config, self.http_port)),
            failed=self._front_failed,
            port=self.http_port,
        )
        http = Port(
            name="http",
            words=refusal_of,
            take=lambda transport, ticket: Front(self._ground, self._desk, self._entrance, settings).take_over(
                transport, ticket
            ),
            proxy_header=config.http_proxy_header,
            header_timeout_s=config.header_timeout_s,
            tls=self._tls(lambda certificate: certificate.http),
        )
        tcp = Port(
            name="tcp",
            words=words_of,
            take=lambda transport, ticket: TcpConnection(self._ground, self._desk, self.tcp_port).take_over(
                transport, ticket
            ),
            proxy_header=True,
            header_timeout_s=config.header_timeout_s,
            tls=self._tls(lambda certificate: certificate.tcp),
        )
        for sock, port in ((http_socket, http), (tcp_socket, tcp)):
            self._servers.append(await self._serve(sock, port))

    def close(self) -> None:
        """Nobody new comes in; who is in stays."""
        for server in self._servers:
            server.close()

    def _socket(self, host: str, port: int, inherited: int | None) -> socket.socket:
        return bind(host, port, reuse_port=self._config.reuse_port) if inherited is None else adopt(inherited)

    async def _serve(self, sock: socket.socket, port: Port) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: Arrival(self._ground, self._entrance, port, self._sparingly), sock=sock, backlog=BACKLOG
        )

    def _tls(self, context_of: Callable[[Certificate], ssl.SSLContext]) -> TlsEnd | None:
        certificate = self._certificate
        if certificate is None:
            return None
        return TlsEnd(lambda: context_of(certificate), self._config.tls_timeout_s)

    def _front_failed(self, exc: Exception) -> None:
        self._metrics.faults.labels("front").inc()
        if self._sparingly.due("front", type(exc).__name__):
            log.error("connection_failed", where="front", exc_info=exc)
