"""Sockets that listen, and the HTTP server that stands behind the front: web client, demo mode's forward, refusals."""

import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from garita_common.config import ConfigError, Mode
from garita_common.core.errors import BadRequest

from . import edge
from .config import GatewayConfig
from .core.edge import EdgeSettings
from .core.handshake import SOCKET_PATH

BACKLOG = 1024
"""Sockets the kernel holds while the loop is busy: two bursts of the accept rate."""


def bind(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A socket that listens. Args: reuse_port: whether other processes may listen there too; the kernel then spreads connections over them.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port)
    except OSError as exc:
        raise ConfigError(f"Cannot listen on {host}:{port}: {exc.strerror or exc}.") from exc


def adopt(number: int) -> socket.socket:
    """An inherited socket that listens already. Args: number: of its file.

    Raises:
        ConfigError: it is no such socket.
    """
    try:
        sock = socket.socket(fileno=number)
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        sock.set_inheritable(False)
    except OSError as exc:
        raise ConfigError(f"File {number} is no socket: {exc.strerror or exc}.") from exc
    if not listens:
        sock.close()
        raise ConfigError(f"File {number} is a socket that does not listen.")
    return sock


@asynccontextmanager
async def pages_server(config: GatewayConfig, port: int) -> AsyncIterator[web.Server]:
    """A factory of protocols for requests that are no sockets. Args: port: the one that browsers see."""
    settings = EdgeSettings(
        web_dir=config.web_dir,
        origins=tuple(sorted(config.origin_list)),
        port=port,
        demo=config.mode is Mode.DEMO,
        auth_url=config.auth_url,
    )
    async with edge.open_session() as session:
        app = web.Application(middlewares=[edge.middleware(settings)], client_max_size=16 * 1024)
        app.add_routes([web.get(SOCKET_PATH, _late_socket), *edge.routes(settings, session)])
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=0.5,
            keepalive_timeout=config.page_idle_s,
            max_line_size=8190,
            max_field_size=8190,
            lingering_time=1.0,
        )
        await runner.setup()
        server = runner.server
        if server is None:
            raise RuntimeError("aiohttp made no server")
        try:
            yield server
        finally:
            await runner.cleanup()


def raise_file_limit(connections: int) -> None:
    """Every connection is a file: asks for as many as the system lets us have, up to what the connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 512
    if soft != resource.RLIM_INFINITY and soft < wanted:
        top = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, top), hard))


async def _late_socket(_: web.Request) -> web.StreamResponse:
    raise BadRequest("Open a WebSocket on a connection of its own.")
