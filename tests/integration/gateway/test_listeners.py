"""Ports: taken ones are told by name."""

from __future__ import annotations

import resource

import pytest

from garita_common.config import ConfigError
from gateway.listeners import bind, raise_file_limit


def test_a_port_in_use_is_a_sentence() -> None:
    """With address and port."""
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            bind("127.0.0.1", port)


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
