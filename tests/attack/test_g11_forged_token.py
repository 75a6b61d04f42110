"""G-11: tokens that are forged, meant for another service, changed by one character, or ended."""

import base64
import json
import time

import pytest

from tests.attack import people, raw
from tests.attack.conftest import Target


def b64(data: object) -> str:
    """A JWS segment."""
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


async def refusal(target: Target, token: str) -> int:
    """The close code that a `connect` with this token gets."""
    async with raw.tcp(target.tcp(), raw.fresh_address()) as connection:
        await connection.send_json({"op": "connect", "id": 1, "v": 1, "token": token})
        closed = await connection.end()
    assert closed.said is not None
    return int(closed.said["code"])


async def test_what_is_not_ours_for_the_chat_is_refused(target: Target, no_traceback: None) -> None:
    """alg none, another audience, one character changed, a refresh token, nonsense: 4500 each."""
    person = await target.person()
    async with people.Api(target.origin, person.source) as api:
        token = await person.chat_token(api)
    header, payload, signature = token.split(".")
    forged = [
        person.tokens["refresh_token"],
        f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{payload}.",
        f"{b64({'alg': 'HS256', 'typ': 'at+jwt'})}.{payload}.{signature}",
        f"{header}.{payload}.{signature[:-2]}" + ("AA" if signature[-2:] != "AA" else "BB"),
        f"{header}.{payload[:-1]}{'A' if payload[-1] != 'A' else 'B'}.{signature}",
        "x",
    ]
    async with people.Api(target.origin, person.source) as api:
        other = await api.post(
            "token/refresh",
            {
                "refresh_token": person.tokens["refresh_token"],
                "device_hint": person.tokens["device"],
                "audience": "auth",
            },
        )
    forged.append(other.body["access_token"])

    assert [await refusal(target, bad) for bad in forged] == [4500] * len(forged)


@pytest.mark.parametrize("websocket", [False, True])
async def test_a_logout_closes_the_live_socket_within_a_second(target: Target, websocket: bool) -> None:
    """And the token that was good is so no more."""
    person = await target.person()
    async with people.Api(target.origin, person.source) as api:
        token = await person.chat_token(api)
        renewed = await api.post(
            "token/refresh",
            {
                "refresh_token": person.tokens["refresh_token"],
                "device_hint": person.tokens["device"],
                "audience": "auth",
            },
        )
        opened = raw.websocket(target.http(2), person.source) if websocket else raw.tcp(target.tcp(2), person.source)
        async with opened as connection:
            assert (await connection.connect(token))["op"] == "ok"
            started_s = time.monotonic()
            assert (await api.post("logout", {}, renewed.body["access_token"])).status == 204
            closed = await connection.end()

    assert closed.said is not None
    assert closed.said["code"] == 4403
    assert time.monotonic() - started_s < 10
    assert await refusal(target, token) in (4403, 4500)
