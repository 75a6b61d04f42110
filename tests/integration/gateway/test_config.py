"""Settings: what is wrong is said in one go, by name, and ends the start with 78."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from garita_common.config import ConfigError
from gateway.config import GatewayConfig

GOOD = {
    "GARITA_REDIS_URL": "unix:///nowhere",
    "GARITA_SECRETS_DIR": "/nowhere",
    "GARITA_GATEWAY_BLOB_URL": "file:///nowhere",
}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"GARITA_GATEWAY_CONECTIONS": "5"}, "GARITA_GATEWAY_CONECTIONS"),
        ({"GARITA_GATEWAY_CONNECTIONS": "none"}, "GARITA_GATEWAY_CONNECTIONS"),
        ({"GARITA_GATEWAY_CONNECTIONS": "0"}, "GARITA_GATEWAY_CONNECTIONS"),
        ({"GARITA_GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8,somewhere"}, "GARITA_GATEWAY_TRUSTED_PROXIES"),
        ({"GARITA_GATEWAY_ORIGINS": "chat.example"}, "GARITA_GATEWAY_ORIGINS"),
        ({"GARITA_GATEWAY_ORIGINS": "https://chat.example/"}, "GARITA_GATEWAY_ORIGINS"),
        ({"GARITA_GATEWAY_AUTH_URL": "unix:///x"}, "GARITA_GATEWAY_AUTH_URL"),
        ({"GARITA_MODE": "demo", "GARITA_GATEWAY_TCP_HOST": "0.0.0.0"}, "GARITA_MODE"),
        ({"GARITA_MODE": "party"}, "GARITA_MODE"),
        ({"GARITA_GATEWAY_TLS_CERT": "/c.pem"}, "GARITA_GATEWAY_TLS_KEY"),
        ({"GARITA_GATEWAY_REUSE_PORT": "true"}, "GARITA_GATEWAY_SHARED_COUNTS"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, str], named: str) -> None:
    """Also one that does not exist."""
    with pytest.raises(ConfigError, match=named):
        GatewayConfig.load(GOOD | changes)


def test_the_defaults_are_usable() -> None:
    """With only what has none."""
    config = GatewayConfig.load(GOOD | {"GARITA_GATEWAY_ORIGINS": "https://a.example, http://127.0.0.1:8080"})

    assert (config.http_port, config.tcp_port) == (8080, 8081)
    assert config.origin_list == {"https://a.example", "http://127.0.0.1:8080"}
    assert config.trusted == ()


def test_origins_are_compared_as_browsers_write_them() -> None:
    """In lower case, without the scheme's own port."""
    config = GatewayConfig.load(
        GOOD | {"GARITA_GATEWAY_ORIGINS": "HTTPS://Chat.Example:443,http://a.example:80,https://b.example:80"}
    )

    assert config.origin_list == {"https://chat.example", "http://a.example", "https://b.example:80"}


def start(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """`python -m gateway` with these settings, to its end."""
    environment = {"PATH": os.environ["PATH"], **GOOD, "GARITA_SECRETS_DIR": str(folder)}
    environment |= {"GARITA_GATEWAY_BLOB_URL": (folder / "blobs").as_uri(), **changes}
    words = [sys.executable, "-P", "-m", "gateway"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_missing_secret_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    """EX_CONFIG, one line, no traceback."""
    ended = start(tmp_path)

    assert ended.returncode == 78
    assert "address_key" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_store_that_cannot_be_had_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    """By the setting's name."""
    (tmp_path / "address_key").write_text("0123456789abcdefghijklmnopqrstuvwxyz")

    ended = start(tmp_path, GARITA_GATEWAY_BLOB_URL="nonsense://x")

    assert ended.returncode == 78
    assert "GARITA_GATEWAY_BLOB_URL" in ended.stderr
