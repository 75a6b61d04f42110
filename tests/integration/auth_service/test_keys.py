"""auth_service.keys: the signing key lives in the database, sealed."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.core.sealing import Seals
from garita_common.config import ConfigError
from garita_common.core import tokens
from tests.integration.auth_service.conftest import Person, World, Worlds, eventually

DAY_S = 86_400


async def test_the_key_set_is_public_and_stays(worlds: Worlds) -> None:
    """Both addresses give the same document, cacheable, without a private member, and the same after a restart."""
    async with worlds() as world:
        first = await world.get("/.well-known/jwks.json")
        assert first.raw == (await world.get("/.well-known/jwks.json", absolute=True)).raw
        assert first.headers["Cache-Control"] == "public, max-age=300"
        assert [sorted(key) for key in first.body["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
    async with worlds() as world:
        assert (await world.get("/.well-known/jwks.json")).raw == first.raw


async def test_tokens_are_signed_by_it_and_by_nothing_else(worlds: Worlds) -> None:
    """The published key verifies; one bit more and it does not."""
    async with worlds() as world:
        person = await world.register()
        ring = tokens.Keyring.parse((await world.get("/.well-known/jwks.json")).raw)
        claims = ring.verify(person.access, issuer="garita", audience="auth", now_s=world.clock())
        assert claims.sid == person.tokens["session_id"]
        assert (claims.exp - claims.iat, claims.client_id, claims.amr, claims.roles) == (300, "native", ["pwd"], [])
        header = json.loads(base64.urlsafe_b64decode(person.access.split(".")[0] + "=="))
        assert header == {"alg": "EdDSA", "kid": header["kid"], "typ": "at+jwt"}


async def test_another_data_key_refuses_the_start(worlds: Worlds, tmp_path: Path) -> None:
    """One clear sentence instead of everybody logged out."""
    async with worlds() as world:
        database = world.config.database
    with sqlite3.connect(database) as db:
        db.execute("UPDATE signing_keys SET sealed_private = zeroblob(60)")
    with pytest.raises(ConfigError, match="auth_data_key"):
        async with worlds():
            pass


async def kids(world: World) -> list[str]:
    """The published keys, newest first."""
    return [key["kid"] for key in (await world.get("/.well-known/jwks.json")).body["keys"]]


def kid_of(token: str) -> str:
    """The key that signed a token."""
    return str(json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))["kid"])


async def refreshed(world: World, person: Person) -> str:
    """The next access token of a session."""
    answer = await world.refresh(person.tokens["refresh_token"], person.device)
    assert answer.status == 200, answer
    person.tokens |= answer.body
    return person.access


async def count(world: World, number: int) -> None:
    """Waits until so many keys are published."""

    async def holds() -> bool:
        return len(await kids(world)) == number

    await eventually(holds)


async def test_keys_follow_each_other(worlds: Worlds) -> None:
    """Published, signing, published only, gone; a restart in between changes nothing."""
    async with worlds() as world:
        person = await world.register()
        first = kid_of(person.access)
        for _ in range(29):
            world.clock.pass_s(DAY_S)
        await refreshed(world, person)
        world.clock.pass_s(DAY_S / 2)
        await count(world, 2)
        assert kid_of(await refreshed(world, person)) == first
    async with worlds() as world:
        world.clock.pass_s(DAY_S / 2 - 60)
        old = await refreshed(world, person)
        world.clock.pass_s(60)

        async def has_moved() -> bool:
            await asyncio.sleep(0.2)  # a session has 30 refreshes a minute
            world.clock.pass_s(2)
            return kid_of(await refreshed(world, person)) != first

        await eventually(has_moved)
        assert (await world.get("/me", token=old)).status == 200
        assert set(await kids(world)) == {first, kid_of(person.access)}
        world.clock.pass_s(DAY_S / 2)
        await count(world, 1)
        assert await kids(world) == [kid_of(person.access)]


async def test_abuse_18_a_rotated_out_key_is_refused_within_a_day(worlds: Worlds, tmp_path: Path) -> None:
    """Whatever it signs, however young the token; and no private member is ever published, stored in the open or logged."""
    async with worlds() as world:
        person = await world.register()
        first = kid_of(person.access)
        with sqlite3.connect(world.config.database) as db:
            sealed = db.execute("SELECT sealed_private FROM signing_keys").fetchone()[0]
        stolen = Ed25519PrivateKey.from_private_bytes(Seals(bytes(range(32))).open("signing-key", first, sealed))
        assert (await world.inside("/operator/keys/rotate", {})).status == 200
        await count(world, 2)
        world.clock.pass_s(DAY_S)
        await count(world, 1)
        await refreshed(world, person)

        ring = tokens.Keyring.parse((await world.get("/.well-known/jwks.json")).raw)
        claims = ring.verify(person.access, issuer="garita", audience="auth", now_s=world.clock())
        forged = tokens.sign(claims, stolen)

        assert (await world.get("/me", token=person.access)).status == 200
        assert (await world.get("/me", token=forged)).code == "token_invalid"
        with pytest.raises(tokens.TokenInvalid):
            ring.verify(forged, issuer="garita", audience="auth", now_s=world.clock())
        published = (await world.get("/.well-known/jwks.json")).body["keys"]
        assert all(set(key) == {"alg", "crv", "kid", "kty", "use", "x"} for key in published)


async def test_an_emergency_ends_the_key_at_once(worlds: Worlds) -> None:
    """What it signed opens nothing from now on; who has a refresh token gets on. Twice in a row leaves one key, also over a rotation that waited."""
    async with worlds() as world:
        person = await world.register()
        stale = person.access
        await world.inside("/operator/keys/rotate", {})
        for _ in range(2):
            answer = await world.inside("/operator/keys/rotate", {"now": True})
            assert answer.body == {"signs_ms": int(world.clock() * 1000)}
            world.clock.pass_s(1)

        assert (await world.get("/me", token=stale)).code == "token_invalid"
        assert (await world.get("/me", token=await refreshed(world, person))).status == 200
        assert await kids(world) == [kid_of(person.access)]
