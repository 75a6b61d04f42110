"""Which ports the stack listens on: the two that a person chooses per gateway, and inner ones that nobody has to know.

Inner ports come from below the range that Linux hands to outgoing connections, so that a service that is started again
does not find its port taken by some client's.
"""

from __future__ import annotations

import errno
import random
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass

from garita_local.troubles import CannotStart

HOST = "127.0.0.1"
GATEWAY_STEP = 10  # the second gateway listens ten ports higher: easy to remember, and clear of the first one's pair
INNER_RANGE = range(20_000, 32_768)
MAX_PORT = 65_535
BACKLOG = 1024  # connections that wait while a gateway restarts; the gateway's own number
MAX_GATEWAYS = 8  # more processes than that on one machine measure nothing but the machine
MAX_CHATS = 3  # one works, the others stand by


@dataclass(frozen=True)
class GatewayPorts:
    """The two public ports of one gateway process."""

    http: int
    tcp: int


def gateway_ports(http_port: int, tcp_port: int, gateways: int, *, shared: bool = False) -> list[GatewayPorts]:
    """The ports of each gateway; the same pair for all of them where they are shared.

    Raises: CannotStart when the numbers cannot be ports, or meet.
    """
    if not 1 <= gateways <= MAX_GATEWAYS:
        raise CannotStart(f"GATEWAYS={gateways} is not possible; choose 1 to {MAX_GATEWAYS}.")
    step = 0 if shared else GATEWAY_STEP
    pairs = [GatewayPorts(http_port + step * n, tcp_port + step * n) for n in range(gateways)]
    seen: set[int] = set()
    for setting, port in [
        (s, p) for pair in dict.fromkeys(pairs) for s, p in (("HTTP_PORT", pair.http), ("TCP_PORT", pair.tcp))
    ]:
        if not 1 <= port <= MAX_PORT:
            raise CannotStart(f"{setting}: {port} is not a port; choose a number from 1 to {MAX_PORT}.")
        if port in seen:
            raise CannotStart(f"{setting}: port {port} is asked for twice; choose ports that do not meet.")
        seen.add(port)
    return pairs


def require_chats(chats: int) -> None:
    """Check how many copies of the chat service are wanted.

    Raises: CannotStart when it is none, or more than ever help.
    """
    if not 1 <= chats <= MAX_CHATS:
        raise CannotStart(f"CHATS={chats} is not possible; choose 1 to {MAX_CHATS}.")


def require_free(port: int, setting: str) -> None:
    """Check that a program may listen on the port now.

    Raises: CannotStart when another program has it, or this user may not.
    """
    try:
        _listen_once(port)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"port {port} is in use by another program; stop that program or choose another port with {setting}=."
            ) from exc
        raise CannotStart(f"port {port} cannot be opened ({exc.strerror}); choose another with {setting}=.") from exc


def listen(holding: ExitStack, pair: GatewayPorts, *, shared: bool = False) -> tuple[int, int]:
    """Open a gateway's ports for it until `holding` is closed; the numbers of the two files.

    The gateway inherits them. While it restarts they stay open, and whoever connects meanwhile waits instead of being refused.
    Where the pair is shared each gateway has files of its own, and the kernel spreads connections over them.

    Raises: CannotStart when another program has one of them.
    """
    try:
        http, tcp = (
            holding.enter_context(socket.create_server((HOST, port), backlog=BACKLOG, reuse_port=shared))
            for port in (pair.http, pair.tcp)
        )
    except OSError as exc:
        raise CannotStart(f"the ports {pair.http} and {pair.tcp} cannot be opened ({exc.strerror}).") from exc
    return http.fileno(), tcp.fileno()


def free_ports(count: int, taken: frozenset[int] = frozenset()) -> list[int]:
    """That many different ports that nobody uses at the moment.

    Raises: CannotStart when the machine has none left.
    """
    with ExitStack() as briefly:
        return hold_free_ports(briefly, count, taken)


def hold_free_ports(holding: ExitStack, count: int, taken: frozenset[int] = frozenset()) -> list[int]:
    """Like `free_ports`, and no other launcher gets them until `holding` is closed.

    Raises: CannotStart when the machine has none left.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(INNER_RANGE, 512 + count):
        if port not in taken and _hold(holding, port):
            found.append(port)
        if len(found) == count:
            return found
    raise CannotStart("no free ports are left on this machine; stop some programs.")


def hold_free_gateway_ports(holding: ExitStack, gateways: int, *, shared: bool = False) -> list[GatewayPorts]:
    """Public ports for every gateway, in the usual distance, held like `hold_free_ports`.

    Raises: CannotStart when the machine has none left.
    """
    for _ in range(100):
        http_port, tcp_port = free_ports(2)
        try:
            pairs = gateway_ports(http_port, tcp_port, gateways, shared=shared)
        except CannotStart:
            continue  # the two numbers meet at some gateway
        with ExitStack() as attempt:
            if all(_hold(attempt, port) for pair in dict.fromkeys(pairs) for port in (pair.http, pair.tcp)):
                holding.push(attempt.pop_all())
                return pairs
    raise CannotStart("no free ports are left on this machine; stop some programs.")


def _hold(holding: ExitStack, port: int) -> bool:
    """Take a port that nobody uses; False when somebody does.

    The socket is bound but never listens, and says only after binding that the address may be used again. On Linux that
    keeps everybody away who asks as strictly as this function, while a server of ours, which asks as servers do, can
    listen. Elsewhere it would shut the server out too, so there the port is only looked at.
    """
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.bind((HOST, port))
    except OSError:
        probe.close()
        return False
    if sys.platform == "linux":
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holding.callback(probe.close)
    else:
        probe.close()
    return True


def _listen_once(port: int) -> None:
    """Open the port the way servers do, and close it.

    Raises: OSError as the system says.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        probe.listen(1)
