"""Which ports the stack takes, and what it says when it cannot."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from garita_local import ports
from garita_local.ports import GatewayPorts
from garita_local.troubles import CannotStart


def test_each_further_gateway_is_ten_ports_higher() -> None:
    """The first gateway has the ports asked for."""
    assert ports.gateway_ports(8080, 8081, 2) == [GatewayPorts(8080, 8081), GatewayPorts(8090, 8091)]


@pytest.mark.parametrize(
    ("http_port", "tcp_port", "gateways", "words"),
    [
        (0, 8081, 1, "HTTP_PORT: 0"),
        (8080, 65_536, 1, "TCP_PORT: 65536"),
        (65_535, 8081, 2, "HTTP_PORT: 65545"),
        (8080, 8080, 1, "asked for twice"),
        (8080, 8090, 2, "asked for twice"),
        (8080, 8081, 0, "GATEWAYS=0"),
        (8080, 8081, ports.MAX_GATEWAYS + 1, "GATEWAYS="),
    ],
)
def test_impossible_ports_are_refused_by_name(http_port: int, tcp_port: int, gateways: int, words: str) -> None:
    """The sentence names the setting to change."""
    with pytest.raises(CannotStart, match=words):
        ports.gateway_ports(http_port, tcp_port, gateways)


def test_the_last_port_and_the_most_gateways_are_allowed() -> None:
    """At the limits nothing is refused."""
    assert ports.gateway_ports(65_535, 1, 1) == [GatewayPorts(65_535, 1)]
    assert len(ports.gateway_ports(8080, 8081, ports.MAX_GATEWAYS)) == ports.MAX_GATEWAYS


@pytest.mark.parametrize(
    ("chats", "is_possible"), [(0, False), (1, True), (ports.MAX_CHATS, True), (ports.MAX_CHATS + 1, False)]
)
def test_one_chat_service_works_and_a_few_stand_by(chats: int, is_possible: bool) -> None:
    """None, or more than ever help, is a mistake."""
    if is_possible:
        ports.require_chats(chats)
    else:
        with pytest.raises(CannotStart, match=f"CHATS={chats}"):
            ports.require_chats(chats)


def test_a_port_in_use_is_named_in_one_sentence() -> None:
    """Somebody listens: refused with port and setting. Nobody listens: allowed."""
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        port = other.getsockname()[1]
        other.listen(1)

        with pytest.raises(CannotStart, match=rf"port {port} is in use.*HTTP_PORT="):
            ports.require_free(port, "HTTP_PORT")
    ports.require_free(port, "HTTP_PORT")


def test_free_ports_differ_and_avoid_the_taken_ones() -> None:
    """Every port is there once, inside the inner range."""
    first = ports.free_ports(20)
    second = ports.free_ports(20, taken=frozenset(first))

    assert len(set(first)) == 20
    assert not set(first) & set(second)
    assert all(port in ports.INNER_RANGE for port in first + second)


def test_a_held_port_is_for_our_server_and_for_no_other_launcher() -> None:
    """While it is held, a server can listen on it, end and listen again; who asks for a port that nobody uses cannot have it."""
    with ExitStack() as holding:
        (port,) = ports.hold_free_ports(holding, 1)

        for _ in range(2):
            with socket.create_server((ports.HOST, port)):
                pass
        with socket.socket() as strict, pytest.raises(OSError, match="in use"):
            strict.bind((ports.HOST, port))

    with socket.socket() as strict:
        strict.bind((ports.HOST, port))
    ports.require_free(port, "HTTP_PORT")


def test_free_gateway_ports_keep_their_distance() -> None:
    """Like chosen ones: the second gateway is ten ports higher, and all can be listened on."""
    with ExitStack() as holding:
        pairs = ports.hold_free_gateway_ports(holding, 3)

        assert pairs == ports.gateway_ports(pairs[0].http, pairs[0].tcp, 3)
        for pair in pairs:
            ports.require_free(pair.http, "HTTP_PORT")
            ports.require_free(pair.tcp, "TCP_PORT")


def test_a_gateway_s_ports_listen_before_it_does() -> None:
    """Held or not; in use they are named in one sentence; given back they refuse."""
    with ExitStack() as holding:
        (pair,) = ports.hold_free_gateway_ports(holding, 1)
        files = ports.listen(holding, pair)

        for file, port in zip(files, (pair.http, pair.tcp), strict=True):
            with socket.create_connection((ports.HOST, port)), socket.socket(fileno=os.dup(file)) as held:
                held.accept()[0].close()
        with pytest.raises(CannotStart, match=f"ports {pair.http} and {pair.tcp} cannot be opened"):
            ports.listen(holding, pair)

    with pytest.raises(OSError, match="refused"):
        socket.create_connection((ports.HOST, pair.http))


def test_gateways_may_share_a_pair() -> None:
    """Each has files of its own on it; without sharing the second is refused."""
    with ExitStack() as holding:
        pairs = ports.hold_free_gateway_ports(holding, 2, shared=True)
        assert pairs[0] == pairs[1]
        assert pairs == ports.gateway_ports(pairs[0].http, pairs[0].tcp, 2, shared=True)

        files = [number for pair in pairs for number in ports.listen(holding, pair, shared=True)]
        assert len(set(files)) == 4
        with pytest.raises(CannotStart):
            ports.listen(holding, pairs[0])
