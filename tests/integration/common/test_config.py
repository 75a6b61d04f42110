"""garita_common.config with real files."""

from pathlib import Path

import pytest

from garita_common.config import ConfigError, Mode, Secret, ServiceConfig


class Toy(ServiceConfig):
    """A service's settings."""

    service_prefix = "GARITA_TOY_"
    http_port: int = 8080


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The variables that are always needed, and `more`."""
    return {"GARITA_REDIS_URL": "redis://127.0.0.1:1", "GARITA_SECRETS_DIR": str(folder)} | more


def test_defaults_and_values(tmp_path: Path) -> None:
    """Unset means the default; production is the default mode."""
    config = Toy.load(environment(tmp_path, GARITA_TOY_HTTP_PORT="9000"))

    assert (config.http_port, config.mode) == (9000, Mode.PRODUCTION)


def test_all_problems_are_named_and_no_value_is_shown(tmp_path: Path) -> None:
    """Missing, wrong and unknown ones in one sentence."""
    with pytest.raises(ConfigError) as caught:
        Toy.load(
            {
                "GARITA_SECRETS_DIR": str(tmp_path),
                "GARITA_TOY_HTTP_PORT": "hunter2",
                "GARITA_TOY_HTPP_PORT": "1",
                "GARITA_MODE": "hunter3",
            }
        )

    said = str(caught.value)
    for name in ("GARITA_REDIS_URL", "GARITA_TOY_HTTP_PORT", "GARITA_TOY_HTPP_PORT", "GARITA_MODE"):
        assert name in said
    assert "hunter" not in said


@pytest.mark.parametrize("text", [None, "", "changeme", "hunter2", "a" * 64, "abababab" * 8])
def test_a_missing_short_or_known_secret_refuses_the_start(tmp_path: Path, text: str | None) -> None:
    """The sentence names the secret, not its value."""
    if text is not None:
        (tmp_path / "service_token").write_text(text)

    with pytest.raises(ConfigError, match="service_token") as caught:
        Toy.load(environment(tmp_path)).secret("service_token")

    assert not text or text not in str(caught.value)


def test_a_secret_shows_itself_only_when_asked(tmp_path: Path) -> None:
    """Not in repr, str or an f-string."""
    text = "0123456789abcdef0123456789abcdef"
    (tmp_path / "service_token").write_text(text + "\n")

    secret = Toy.load(environment(tmp_path)).secret("service_token")

    assert secret.reveal() == text
    assert text not in f"{secret!r} {secret} {[secret]}"
    assert isinstance(secret, Secret)
