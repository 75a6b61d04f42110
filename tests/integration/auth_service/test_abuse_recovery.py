"""The abuse cases of the design about who gets an account and what is left of a thief: he plays them against the live API."""

from __future__ import annotations

from tests.integration.auth_service.conftest import PASSWORD, World, Worlds
from tests.integration.auth_service.office import events
from tests.integration.auth_service.owners import add_email, add_phone, states, stored
from tests.integration.auth_service.rescue import (
    DAY_S,
    FAR,
    HELD,
    NEW_PASSWORD,
    P1,
    P2,
    begin,
    codes_to,
    grown,
    links_to,
    log_in_from,
    step_up,
    thief_of,
    told,
    with_places,
)

M2 = "thief@example.net"


async def living(world: World, token: str, kind: str) -> dict[str, str]:
    """The contacts of a kind that have rights."""
    found = await states(world, token, kind)
    return {value: state for value, state in found.items() if state != "retired"}


async def test_the_lock_out_story(world: World) -> None:
    """Abuse case 34: a thief with the password does everything at once, and ends with nothing; the owner has the account and his contacts."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    token = await step_up(world, thief)
    await add_phone(world, token, P2)
    await add_email(world, token, M2)
    for kind, value in (("phones", P1), ("emails", owner.email)):
        contact = await stored(world, token, value, kind)
        removed = await world.ask("DELETE", f"/me/{kind}/{contact['id']}", token=token)
        assert removed.status == 202, removed
    changed = await world.ask("PUT", "/me/password", {"current": PASSWORD, "new": "ahora es solo mio"}, token=token)
    assert changed.status in (202, 204), changed
    await world.post("/logout", {"scope": "others"}, token=token)
    for to in (owner.email, P1):
        assert await told(world, to, "A phone number is being removed") + await told(
            world, to, "An e-mail address is being removed"
        ), to
    assert not await told(world, M2, "is being removed")
    world.clock.pass_s(20 * DAY_S)

    his = await begin(world, M2, device=thief.device)
    await his.send("email", owner.email)
    await his.send("sms", P1)
    world.clock.pass_s(61)
    rescue = await begin(world, owner.email, device=owner.device)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert await rescue.state() == "approved"
    assert (await rescue.complete()).status == 204

    assert await codes_to(world, P2) == await codes_to(world, M2) == []
    assert (await world.get("/me", token=thief.access)).status == 401
    assert (await world.refresh(thief.tokens["refresh_token"], thief.device)).code == "session_ended"
    assert (await world.log_in(owner, "ahora es solo mio")).code == "invalid_credentials"
    back = await world.log_in(owner, NEW_PASSWORD)
    token = back.body["tokens"]["access_token"]
    assert await living(world, token, "emails") == {owner.email: "mature"}
    assert await living(world, token, "phones") == {P1: "mature"}
    world.clock.pass_s(40 * DAY_S)
    again = await begin(world, M2)
    await again.send_blindly("sms")
    assert (await again.done()).status == 202
    assert await again.state() == "refused"
    last = await begin(world, owner.name)
    await last.prove("sms", P1)
    await last.prove("email", owner.email)
    assert await last.state() == "approved"


async def test_abuse_35_a_thief_who_added_his_phone_has_the_oldest_one_asked(world: World) -> None:
    """And his mailbox gets no code."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    await add_phone(world, thief.access, P2)
    await add_email(world, thief.access, M2)
    world.clock.pass_s(29 * DAY_S)
    his = await begin(world, owner.name, device=thief.device)
    await his.send("sms", P1)
    await his.send("email", owner.email)

    assert await codes_to(world, P2) == await codes_to(world, M2) == []


async def test_abuse_45_after_a_recovery_what_a_thief_planted_is_dead(world: World) -> None:
    """His second factor, session and device; the role is suspended, and for three days nothing is taken from the account."""
    owner = await grown(world)
    assert (await world.inside("/operator/admins/grant", {"user": owner.name})).status == 200
    assert (await world.get("/me", token=owner.access)).body["roles"] == ["admin"]
    thief = await thief_of(world, owner)
    await world.enrol(thief)
    half = await world.log_in(owner, device=False)
    assert "mfa_ticket" in half.body
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert (await rescue.complete()).status == 204

    body = {"mfa_ticket": half.body["mfa_ticket"], "method": "totp", "code": world.totp(thief)}
    assert (await world.post("/login/mfa", body)).code == "invalid_code"
    back = await world.log_in(owner, NEW_PASSWORD)
    assert back.status == 200
    assert back.body["user"]["roles"] == []
    assert "admin.suspended" in events(world)
    again_admin = await world.inside("/operator/admins/grant", {"user": owner.name})
    assert (again_admin.status, "recovered" in again_admin.body["detail"]) == (409, True)
    token = back.body["tokens"]["access_token"]
    contact = await stored(world, token, P1, "phones")
    refused = await world.ask("DELETE", f"/me/phones/{contact['id']}", token=token)
    assert (refused.code, refused.body["reason"]) == ("conflict", "guarded")
    world.clock.pass_s(3 * DAY_S)
    again = (await world.log_in(owner, NEW_PASSWORD)).body["tokens"]["access_token"]
    assert (await world.ask("DELETE", f"/me/phones/{contact['id']}", token=again)).status == 202
    # The account has no second factor any more, and was an administrator's: it is not the first grant.
    refused = await world.inside("/operator/admins/grant", {"user": owner.name})
    assert (refused.status, "TOTP or passkey" in refused.body["detail"]) == (409, True)


async def test_abuse_47_whoever_burns_the_starts_and_codes_of_a_day_burns_his_own(world: World) -> None:
    """The owner on a confirmed device, or with a link from a notice, still begins and gets a code; his recovery that waits stays."""
    owner = await grown(world)
    waiting = await begin(world, owner.name, device=owner.device)
    await waiting.prove("email", owner.email)
    await waiting.done()
    assert await waiting.state() == "holding"
    for _ in range(8):
        attacker = await begin(world, owner.name)
        for channel in ("sms", "email") * 3:
            world.clock.pass_s(61)
            await attacker.send_blindly(channel)
    rescue = await begin(world, owner.name, device=owner.device)
    await rescue.send("sms", P1)
    assert len(await codes_to(world, P1)) == 4  # three for strangers, one for the owner
    assert len(await codes_to(world, owner.email)) <= 5

    link = (await links_to(world, owner.email, HELD))[-1]
    linked = await begin(world, owner.name, link=link)
    world.clock.pass_s(61)
    await linked.send("sms", P1)
    assert await waiting.state() == "holding"
    assert await told(world, owner.email, "Somebody wants to get into the account") == 1


async def test_abuse_56_a_sleeping_thief_has_nothing(worlds: Worlds) -> None:
    """45 days of silent logins give no points and no voice; the owner recovers at once."""
    async with await with_places(worlds) as world:
        owner = await grown(world)
        thief = await thief_of(world, owner)
        for _ in range(15):
            world.clock.pass_s(3 * DAY_S)
            await log_in_from(world, thief, FAR)
        his = await begin(world, owner.name, device=thief.device, ip=FAR)
        await his.done()
        assert await his.state() == "refused"

        rescue = await begin(world, owner.name)
        await rescue.prove("sms", P1)
        token = await step_up(world, thief)
        assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
        await world.enrol(thief)
        proof = {"method": "totp", "code": world.totp(thief)}
        token = (await world.post("/step-up", proof, token=thief.access)).body["access_token"]
        assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
        await rescue.prove("email", owner.email)
        assert await rescue.state() == "approved"
