"""auth_service.config: settings are checked at the start, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from auth_service.config import AuthConfig, is_loopback
from garita_common.config import ConfigError
from tests.integration.auth_service.conftest import environment


def test_every_setting_has_a_sentence() -> None:
    """They become the configuration page."""
    assert all(field.description for field in AuthConfig.model_fields.values())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
@pytest.mark.parametrize("listener", ["HTTP_HOST", "INNER_HOST"])
def test_abuse_67_demo_mode_listens_on_loopback_alone(tmp_path: Path, host: str, listener: str) -> None:
    """For the outbox must not be reached from outside; production may listen anywhere, and has no outbox."""
    demo = AuthConfig.load(environment(tmp_path, "unix:///x", **{listener: host}))
    with pytest.raises(ConfigError, match=listener):
        demo.outbox_key()
    other = AuthConfig.load(environment(tmp_path, "unix:///x", GARITA_MODE="production", **{listener: host}))
    assert other.outbox_key() is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True),
     ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("0.0.0.0", False), ("", False), ("LOCALHOST", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, expected: bool) -> None:
    """Addresses and the one name that cannot be rebound."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize("text", ["x1y2z3w4 short", "A" * 44, "not base64 " * 4])
def test_a_data_key_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence, without the value."""
    config = AuthConfig.load(environment(tmp_path, "unix:///x"))
    (tmp_path / "secrets" / "auth_data_key").write_text(text)

    with pytest.raises(ConfigError) as refused:
        config.data_key()
    assert text not in str(refused.value)


def test_origins_are_a_list(tmp_path: Path) -> None:
    """Without spaces and final strokes."""
    config = AuthConfig.load(
        environment(tmp_path, "unix:///x", PUBLIC_ORIGIN="http://127.0.0.1:8080/, https://chat.example")
    )

    assert config.origins() == {"http://127.0.0.1:8080", "https://chat.example"}
