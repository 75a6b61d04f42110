"""auth_service.origins: browser mode, where a page's secrets are cookies that its scripts cannot read."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from tests.integration.auth_service.conftest import ORIGIN, PASSWORD, World, Worlds

WEB = {"X-Garita-Web": "1", "Origin": ORIGIN}


def sent(**cookies: str) -> dict[str, str]:
    """Browser mode with these cookies."""
    return WEB | {
        "Cookie": "; ".join(f"{name.replace('__Host_', '__Host-')}={value}" for name, value in cookies.items())
    }


async def test_a_page_lives_on_cookies_alone(world: World) -> None:
    """No refresh token and no device secret in any body; login, refresh and log-out work with the cookies."""
    person = await world.register(headers=WEB)
    assert "refresh_token" not in person.tokens
    assert "device" not in person.tokens

    login = await world.post("/login", {"identifier": person.name, "password": PASSWORD}, headers=WEB)
    assert sorted(login.cookies) == ["dv", "rt"]
    fresh = await world.post(
        "/token/refresh", {"audience": "chat"}, headers=sent(rt=login.cookies["rt"], dv=login.cookies["dv"])
    )
    assert (fresh.status, fresh.body["audience"], sorted(fresh.cookies)) == (200, "chat", ["rt"])
    again = await world.post(
        "/login", {"identifier": person.name, "password": PASSWORD}, headers=sent(dv=login.cookies["dv"])
    )
    assert sorted(again.cookies) == ["rt"], "the device is known"
    out = await world.post("/logout", {}, token=again.body["tokens"]["access_token"], headers=WEB)
    assert (out.status, out.cookies) == (204, {"rt": ""})


async def test_the_grace_holds_in_browser_mode_too(world: World) -> None:
    """The device cookie stands for the hint."""
    person = await world.register()
    login = await world.post("/login", {"identifier": person.name, "password": PASSWORD}, headers=WEB)
    cookies = sent(rt=login.cookies["rt"], dv=login.cookies["dv"])

    first, second = [await world.post("/token/refresh", {}, headers=cookies) for _ in range(2)]
    assert first.cookies["rt"] == second.cookies["rt"]


async def test_cookies_count_only_in_browser_mode(world: World) -> None:
    """Without the header, or from a foreign page, they are not even looked at."""
    person = await world.register()
    login = await world.post("/login", {"identifier": person.name, "password": PASSWORD}, headers=WEB)
    cookie = {"Cookie": f"rt={login.cookies['rt']}"}

    assert (await world.post("/token/refresh", {}, headers=cookie)).code == "session_ended"
    assert (await world.post("/token/refresh", {}, headers=cookie | {"X-Garita-Web": "1"})).code == "origin_rejected"
    foreign = cookie | {"X-Garita-Web": "1", "Origin": "https://evil.example"}
    assert (await world.post("/token/refresh", {}, headers=foreign)).code == "origin_rejected"
    assert (await world.post("/token/refresh", {}, headers=cookie | WEB)).status == 200


async def test_abuse_23_a_cookie_that_a_subdomain_planted_is_not_read(worlds: Worlds) -> None:
    """It can set `rt` and `dv` for the whole domain, never `__Host-` ones: they are the only ones that count; and a login makes a session of its own."""
    async with worlds() as world:
        owner, thief = await world.register(), await world.register()
    async with worlds(GARITA_MODE="production") as world:
        planted = {"rt": thief.tokens["refresh_token"], "dv": thief.device}
        assert (await world.post("/token/refresh", {}, headers=sent(**planted))).code == "session_ended"
        own = {"__Host_rt": owner.tokens["refresh_token"], "__Host_dv": owner.device}
        fresh = await world.post("/token/refresh", {}, headers=sent(**planted, **own))
        assert fresh.body["session_id"] == owner.tokens["session_id"]
        assert sorted(fresh.cookies) == ["__Host-rt"]

        body = {"identifier": owner.name, "password": PASSWORD}
        entered = await world.post("/login", body, headers=sent(**planted, __Host_rt=fresh.cookies["__Host-rt"]))
        assert entered.body["tokens"]["session_id"] not in {owner.tokens["session_id"], thief.tokens["session_id"]}
        assert sorted(entered.cookies) == ["__Host-dv", "__Host-rt"], "a new device: the planted one is not the owner's"


@pytest.mark.parametrize(
    ("mode", "name", "secure", "path"), [("demo", "rt", False, "/v1/auth"), ("production", "__Host-rt", True, "/")]
)
async def test_how_cookies_are_set(worlds: Worlds, mode: str, name: str, secure: bool, path: str) -> None:
    """`__Host-` in production; without TLS plain names on the narrow path; out of scripts' reach and same-site in both."""
    async with worlds() as world:
        person = await world.register()
    async with worlds(GARITA_MODE=mode) as world:
        url = f"{world.url}/v1/auth/login"
        body = {"identifier": person.name, "password": PASSWORD}
        async with world.http.post(url, json=body, headers=WEB) as response:
            lines = response.headers.getall("Set-Cookie")

    cookies = SimpleCookie()
    for line in lines:
        cookies.load(line)
    assert len(cookies) == 2
    cookie = cookies[name]
    assert (bool(cookie["secure"]), cookie["path"], cookie["domain"]) == (secure, path, "")
    assert (bool(cookie["httponly"]), cookie["samesite"]) == (True, "Strict")
