"""auth_service.core.answers: what is absent is absent, not null."""

import msgspec

from auth_service.core import answers


def test_secrets_that_are_cookies_are_not_in_the_body() -> None:
    """A page's script never sees them."""
    tokens = answers.Tokens(access_token="a", expires_in=300, audience="auth", session_id="s", refresh_expires_in=1)

    assert msgspec.to_builtins(tokens) == {
        "access_token": "a",
        "expires_in": 300,
        "audience": "auth",
        "session_id": "s",
        "refresh_expires_in": 1,
        "token_type": "Bearer",
    }
