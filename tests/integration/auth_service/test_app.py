"""The whole service, from a stranger to a second factor and out again; and how its process starts and ends."""

from __future__ import annotations

from garita_common.core import revocations, tokens
from garita_common.core.channels import REVOKED_SET
from tests.integration.auth_service.conftest import World


async def test_the_whole_road(world: World) -> None:
    """Register, log in, turn TOTP on, log in with it, get a chat token that the JWKS verifies, log out: the token is revoked."""
    person = await world.register("Ana")
    me = await world.get("/me", token=person.access)
    assert me.body["username"] == "Ana"
    assert me.body["email"] == person.email
    assert me.body["totp"] is False

    await world.enrol(person)
    first = await world.log_in(person)
    assert first.status == 200
    assert first.body["methods"] == ["totp"]
    second = await world.post(
        "/login/mfa", {"mfa_ticket": first.body["mfa_ticket"], "method": "totp", "code": world.totp(person)}
    )
    assert second.status == 200, second
    assert second.body["user"]["totp"] is True
    assert "device" not in second.body["tokens"], "the device is known already"

    chat = await world.refresh(second.body["tokens"]["refresh_token"], person.device, "chat")
    assert chat.status == 200, chat
    jwks = await world.get("/.well-known/jwks.json", absolute=True)
    ring = tokens.Keyring.parse(jwks.raw)
    claims = ring.verify(chat.body["access_token"], issuer="garita", audience="chat", now_s=world.clock())
    assert (claims.sub, claims.name, claims.aud, claims.acr, claims.amr) == (
        person.id, "Ana", "chat", "mfa", ["pwd", "otp"],
    )  # fmt: skip
    assert claims.sid == second.body["tokens"]["session_id"]
    assert (await world.get("/me", token=chat.body["access_token"])).code == "token_invalid"

    listed = await world.get("/sessions", token=second.body["tokens"]["access_token"])
    assert [session["current"] for session in listed.body["sessions"]] == [True, False]

    out = await world.post("/logout", {}, token=second.body["tokens"]["access_token"])
    assert (out.status, out.raw) == (204, b"")
    said = [revocations.decode(row) for row in await world.redis.zrange(REVOKED_SET, 0, -1)]
    assert [(row.sub, row.sid) for row in said] == [(person.id, claims.sid)]
    assert (await world.get("/me", token=second.body["tokens"]["access_token"])).code == "token_invalid"
    assert (await world.refresh(chat.body["refresh_token"], person.device)).code == "session_ended"
    assert (await world.get("/me", token=person.access)).status == 200, "the other session goes on"
