"""auth_service.recovering: what is shown, how long it is waited for, and what comes of it."""

from __future__ import annotations

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Answer, World, eventually
from tests.integration.auth_service.rescue import (
    DAY_S,
    NEW_PASSWORD,
    P1,
    begin,
    codes_to,
    grown,
    links_to,
    step_up,
    thief_of,
    told,
)

STARTED = "Somebody wants to get into the account without its password"
HELD = "A recovery of the account is waiting for its time to pass"


async def test_phone_and_mail_recover_at_once(world: World) -> None:
    """The new password logs in, the old one does not, no session is left, and everybody is told."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)
    assert (await rescue.prove("sms", P1)).status == 202
    assert await rescue.state() == "collecting"
    assert (await rescue.prove("email", owner.email)).status == 202
    assert await rescue.state() == "approved"

    assert (await rescue.complete()).status == 204

    assert await rescue.state() == "completed"
    assert (await world.get("/me", token=owner.access)).status == 401
    assert (await world.log_in(owner)).code == "invalid_credentials"
    assert (await world.log_in(owner, NEW_PASSWORD)).status == 200
    for to in (owner.email, P1):
        assert await told(world, to, "The account was recovered") == 1
    assert (await rescue.complete()).code == "flow_gone"


async def test_one_contact_waits_a_day_that_every_session_shows(world: World) -> None:
    """Case 57 of the design, from a new device: on day 3 and on day 40 of the account's life."""
    owner = await grown(world, phone=None, days=3)
    rescue = await begin(world, owner.email)
    await rescue.prove("email", owner.email)
    await rescue.done()

    assert await rescue.state() == "holding"
    assert await rescue.wait_s() == pytest.approx(DAY_S, abs=1)
    shown = await world.get("/me/recoveries", token=owner.access)
    assert [row["id"] for row in shown.body["recoveries"]] == [rescue.id]
    assert shown.body["one_contact"] is True
    assert (await rescue.complete()).code == "conflict"
    world.clock.pass_s(DAY_S - 10)
    assert (await rescue.show("code", "000000")).code == "conflict"
    world.clock.pass_s(10)
    await rescue.prove("email", owner.email)
    assert await rescue.state() == "approved"
    assert (await rescue.complete()).status == 204


def shape(answer: Answer) -> tuple[object, ...]:
    """Everything of an answer that is not random: status, fields, length, and headers with their values."""
    fields = {name: value for name, value in (answer.body or {}).items() if name not in ("request_id", "challenge")}
    if answer.code == "challenge_required":
        fields["cost"] = answer.body["challenge"]["params"]["parameters"]["cost"]
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "Date")
    return answer.status, fields, len(answer.raw), headers


async def test_abuse_02_nothing_tells_whether_there_is_an_account(world: World) -> None:
    """A decoy goes the whole way: the same answers and states at each step."""
    owner = await grown(world)
    seen = []
    for name in (owner.name, "nobody-at-all", "nobody@example.net", "+34600000099"):
        body = {"identifier": name, "captcha": await world.proof("recover")}
        started = await world.post("/recoveries", body)
        flow, secret = started.body.pop("flow_id"), started.body.pop("flow_secret")
        steps: list[object] = [shape(started)]
        for what, more in (
            ("send", {"channel": "sms"}),
            ("send", {"channel": "email"}),
            ("evidence", {"kind": "code", "value": "000000"}),
            ("evidence", {"kind": "totp", "value": "000000"}),
            ("evidence", {"kind": "recovery_code", "value": "K7QM-2XNA-K7QM-2XNA-K7QM"}),
            ("evidence", {"kind": "question", "value": "Mecano"}),
            ("phone-unavailable", {}),
            ("complete", {"new_password": NEW_PASSWORD}),
            ("evidence", {"kind": "done"}),
            ("complete", {"new_password": NEW_PASSWORD}),
            ("evidence", {"kind": "code", "value": "000000"}),
        ):
            answer = await world.post(f"/recoveries/{flow}/{what}", {"flow_secret": secret, **more})
            state = await world.get(f"/recoveries/{flow}", headers={"X-Flow-Secret": secret})
            steps.append((what, shape(answer), shape(state)))
        seen.append(steps)

    for steps in seen[1:]:
        assert steps == seen[0]
    assert seen[0][-3][2][1] == {"state": "refused"}  # type: ignore[index]


async def test_a_wrong_secret_finds_nothing(world: World) -> None:
    """Neither does an id of nothing."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)
    rescue.secret = "0" * 64

    assert (await rescue.shown()).code == "flow_gone"
    assert (await rescue.show("code", "123456")).code == "flow_gone"
    assert (await rescue.complete()).code == "flow_gone"
    assert (await world.get("/recoveries/0", headers={"X-Flow-Secret": "x"})).code == "flow_gone"


async def test_codes_end_after_five_wrong_ones(world: World) -> None:
    """The right one does not fit any more, and looks as wrong."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)
    code = await rescue.send("email", owner.email)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        assert (await rescue.show("code", wrong)).code == "code_invalid"

    assert (await rescue.show("code", code)).code == "code_invalid"


async def test_a_code_is_good_once_and_for_a_quarter_of_an_hour(world: World) -> None:
    """In its own recovery alone."""
    owner = await grown(world)
    one, other = await begin(world, owner.name), await begin(world, owner.name)
    code = await one.send("email", owner.email)
    assert (await other.show("code", code)).code == "code_invalid"
    assert (await one.show("code", code)).status == 202
    assert (await one.show("code", code)).code == "code_invalid"
    world.clock.pass_s(61)
    late = await other.send("email", owner.email)
    world.clock.pass_s(900)

    assert (await other.show("code", late)).code == "code_invalid"


async def test_what_was_shown_is_weighed_when_the_half_hour_is_over(world: World) -> None:
    """Nobody needs to say that it was all."""
    owner = await grown(world)
    rescue, idle = await begin(world, owner.name), await begin(world, owner.name)
    await rescue.prove("sms", P1)
    world.clock.pass_s(1_801)

    assert (await rescue.state(), await idle.state()) == ("holding", "expired")
    assert await rescue.wait_s() == pytest.approx(3 * DAY_S, abs=5)
    await eventually(lambda: told(world, owner.email, HELD))


async def test_whoever_lost_the_secret_takes_his_wait_over(world: World) -> None:
    """With the same proof and as much of it; the first recovery ends."""
    owner = await grown(world)
    first = await begin(world, owner.name)
    await first.prove("sms", P1)
    await first.done()
    world.clock.pass_s(2 * DAY_S)
    second = await begin(world, owner.name)
    await second.prove("sms", P1)
    await second.done()

    assert await second.wait_s() == pytest.approx(DAY_S, abs=60)
    assert await first.state() == "expired"


async def test_a_mailbox_does_not_take_over_what_showed_more(world: World) -> None:
    """Mailbox and device waited a day; the mailbox alone waits two weeks, and the first goes on."""
    owner = await grown(world)
    first = await begin(world, owner.name, device=owner.device)
    await first.prove("email", owner.email)
    await first.done()
    assert await first.wait_s() == pytest.approx(3 * DAY_S, abs=5)
    world.clock.pass_s(DAY_S)
    thief = await begin(world, owner.name)
    await thief.prove("email", owner.email)
    await thief.done()

    assert await thief.wait_s() == pytest.approx(14 * DAY_S, abs=5)
    assert await first.state() == "holding"


async def test_a_start_without_any_proof_is_told_once_a_day(world: World) -> None:
    """A stranger can cause it; the first is told at once, with a link."""
    owner = await grown(world)
    for _ in range(3):
        await begin(world, owner.name)
    await eventually(lambda: told(world, owner.email, STARTED))
    assert len(await links_to(world, owner.email, STARTED)) == 1

    world.clock.pass_s(DAY_S + 1)
    await eventually(lambda: _has(world, owner.email, 3))


async def _is_sole_device(world: World, token: str) -> bool:
    devices = (await world.get("/me/devices", token=token)).body["devices"]
    return [device["grade"] for device in devices] == ["mature"]


async def _has(world: World, to: str, count: int) -> bool:
    return len(await links_to(world, to, STARTED)) == count


async def test_a_weak_password_is_refused_and_the_recovery_goes_on(world: World) -> None:
    """Also one made of the account's own name."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)

    assert (await rescue.complete("1234")).body["reasons"] == ["too_short"]
    assert (await rescue.complete(owner.email)).code == "weak_password"
    assert (await rescue.complete(None)).code == "invalid_request"
    assert (await rescue.complete()).status == 204


async def test_a_totp_and_a_saved_code_are_evidence(world: World) -> None:
    """The saved code is worth 70 and gives its successor; each works once."""
    owner = await grown(world)
    await world.enrol(owner)
    made = await world.post("/me/recovery-codes", {}, token=owner.access)
    assert made.status in (201, 403), made
    if made.status == 403:
        token = await totp_step_up(world, owner)
        made = await world.post("/me/recovery-codes", {}, token=token)
    saved = made.body["codes"][0]
    world.clock.pass_s(31 * DAY_S)
    rescue = await begin(world, owner.name)
    shown = await rescue.show("recovery_code", saved)
    assert shown.status == 202
    assert shown.body["recovery_code"] != saved
    assert (await rescue.show("recovery_code", saved)).code == "code_invalid"
    code = world.totp(owner)
    assert (await rescue.show("totp", code)).status == 202

    assert await rescue.state() == "approved"


async def totp_step_up(world: World, person: object) -> str:
    """A token whose proof is a TOTP."""
    world.clock.pass_s(30)
    answer = await world.post(
        "/step-up",
        {"method": "totp", "code": world.totp(person)},  # type: ignore[arg-type]
        token=person.access,  # type: ignore[attr-defined]
    )
    return str(answer.body["access_token"])


async def test_messages_for_one_number_keep_a_minute_apart(world: World) -> None:
    """And a request within it sends nothing, with the same answer."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)
    await rescue.send("sms", P1)
    assert (await rescue.send_blindly("sms")).status == 202
    await rescue.send("email", owner.email)  # what was asked before it has been seen to by now

    assert len(await codes_to(world, P1)) == 1
    world.clock.pass_s(60)
    await rescue.send("sms", P1)


async def test_completion_ends_what_an_intruder_gained(world: World) -> None:
    """His device, half logins and the freeze are over; the owner's own device still is one."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    token = await step_up(world, thief)
    added = await world.post("/me/emails", {"email": "thief@example.net"}, token=token)
    proof = await world.code_for("thief@example.net")
    await world.post(f"/me/emails/{added.body['id']}/verify", {"code": proof}, token=token)
    rescue = await begin(world, owner.name, device=owner.device)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert (await rescue.complete()).status == 204

    assert (await world.get("/me", token=thief.access)).status == 401
    assert (await world.refresh(thief.tokens["refresh_token"], thief.device)).code == "session_ended"
    back = await world.log_in(owner, NEW_PASSWORD)
    assert back.status == 200
    assert "device" not in back.body["tokens"]  # it is still known
    token = back.body["tokens"]["access_token"]
    mails = (await world.get("/me/emails", token=token)).body["contacts"]
    assert {mail["value"] for mail in mails if mail["state"] != "retired"} == {owner.email}
    await eventually(lambda: _is_sole_device(world, token))
    assert (await world.log_in(owner, PASSWORD)).code == "invalid_credentials"
