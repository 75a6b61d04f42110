"""Ports: taken ones are told by name."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from garita_common.config import ConfigError
from gateway.listeners import adopt, bind, raise_file_limit


def test_a_port_in_use_is_a_sentence() -> None:
    """With address and port."""
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            bind("127.0.0.1", port)


def test_an_inherited_socket_is_taken_over_as_it_is() -> None:
    """What connected before anybody took it over is served."""
    with socket.create_server(("127.0.0.1", 0)) as held, socket.create_connection(held.getsockname()) as client:
        with adopt(os.dup(held.fileno())) as taken:
            served, _ = taken.accept()
            served.sendall(b"hola")
            served.close()

        assert client.recv(10) == b"hola"
        socket.create_connection(held.getsockname()).close()


def test_what_is_inherited_must_be_a_socket_that_listens(tmp_path: Path) -> None:
    """Else one sentence names the number."""
    with (tmp_path / "file").open("wb") as file, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        for number in (file.fileno(), os.dup(deaf.fileno()), 99_999):
            with pytest.raises(ConfigError, match=f"File {number} is"):
                adopt(number)


def test_the_file_limit_rises_to_what_the_connections_need_and_never_sinks() -> None:
    """As far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        raise_file_limit(1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == soft

        raise_file_limit(10**9)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
