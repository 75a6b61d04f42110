"""auth_service.core.requests: strict bodies."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core import requests

BODIES = [
    requests.AskChallenge,
    requests.StartRegistration,
    requests.VerifyRegistration,
    requests.CompleteRegistration,
    requests.LogIn,
    requests.LogInSecond,
    requests.Refresh,
    requests.LogOut,
    requests.ConfirmTotp,
    requests.StepUp,
    requests.Nothing,
]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (requests.LogIn, b'{"identifier":"ana","password":"x","admin":true}'),
        (requests.LogIn, b'{"identifier":"ana"}'),
        (requests.LogIn, b'{"identifier":1,"password":"x"}'),
        (requests.LogIn, b'{"identifier":"","password":"x"}'),
        (requests.LogIn, b'["ana","x"]'),
        (requests.LogInSecond, b'{"mfa_ticket":"t","method":"voice","code":"123456"}'),
        (requests.LogInSecond, b'{"mfa_ticket":"t","method":"totp","code":"12345"}'),
        (requests.LogInSecond, b'{"mfa_ticket":"t","method":"totp","code":"123456\\n"}'),
        (requests.LogInSecond, '{"mfa_ticket":"t","method":"totp","code":"１２３４５６"}'.encode()),
        (requests.Refresh, b'{"audience":"root"}'),
        (requests.StepUp, b'{"method":"totp","password":"x"}'),
        (requests.StepUp, b'{"password":"x"}'),
        (requests.Nothing, b'{"x":1}'),
        (requests.Nothing, b"null"),
        (requests.AskChallenge, b'{"action":"login","kinds":[]}'),
        (requests.AskChallenge, b'{"action":"login","kinds":["smoke"]}'),
    ],
)
def test_what_is_not_expected_is_refused(kind: Any, data: bytes) -> None:
    """Unknown, missing, mistyped and over-long fields."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(data, type=kind)


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_body_or_refused(kind: Any, data: bytes) -> None:
    """No other exception reaches the edge."""
    try:
        msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass


def test_depth_cannot_hurt() -> None:
    """Ten thousand brackets are refused, not followed."""
    with pytest.raises((msgspec.MsgspecError, RecursionError)):
        msgspec.json.decode(b'{"captcha":' + b"[" * 10_000 + b"]" * 10_000 + b"}", type=requests.LogIn)
