"""auth_service.keys: the signing key lives in the database, sealed."""

from __future__ import annotations

import base64
import json
import sqlite3

import pytest

from garita_common.config import ConfigError
from garita_common.core import tokens
from tests.integration.auth_service.conftest import Worlds


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


async def test_another_data_key_refuses_the_start(worlds: Worlds, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """One clear sentence instead of everybody logged out."""
    async with worlds() as world:
        database = world.config.database
    with sqlite3.connect(database) as db:
        db.execute("UPDATE signing_keys SET sealed_private = zeroblob(60)")
    with pytest.raises(ConfigError, match="auth_data_key"):
        async with worlds():
            pass
