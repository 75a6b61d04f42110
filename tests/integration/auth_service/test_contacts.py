"""auth_service.contacts: adding, proving and removing the ways in which a person is reached."""

from __future__ import annotations

import asyncio

from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.owners import DAY_S, add_email, add_phone, fresh, states, stored

WRONG = ("000000", "000001")


async def test_the_registration_contact_is_mature_and_a_new_one_waits_thirty_days(world: World) -> None:
    """Pending until its code, then on probation; mature after thirty days."""
    person = await world.register()
    asked = await world.post("/me/emails", {"email": "Second@Example.org"}, token=person.access)
    assert (asked.status, asked.body["expires_in"]) == (202, 600)
    assert await states(world, person.access) == {person.email: "mature", "Second@example.org": "pending"}

    body = {"code": await world.code_for("Second@example.org")}
    proved = await world.post(f"/me/emails/{asked.body['id']}/verify", body, token=person.access)
    assert (proved.status, proved.body["state"]) == (200, "probation")
    assert proved.body["matures_ms"] - proved.body["proved_ms"] == 30 * DAY_S * 1000
    world.clock.pass_s(29 * DAY_S)
    assert (await states(world, await fresh(world, person)))["Second@example.org"] == "probation"
    world.clock.pass_s(DAY_S)
    assert (await states(world, await fresh(world, person)))["Second@example.org"] == "mature"


async def test_a_code_is_for_its_contact_has_five_tries_and_ten_minutes(world: World) -> None:
    """A right code after five wrong ones is too late, and so is one after ten minutes."""
    person = await world.register()
    contact = (await world.post("/me/emails", {"email": "a@example.org"}, token=person.access)).body["id"]
    code = await world.code_for("a@example.org")
    wrong = next(text for text in WRONG if text != code)
    path = f"/me/emails/{contact}/verify"

    assert [(await world.post(path, {"code": wrong}, token=person.access)).code for _ in range(5)] == [
        "code_invalid"
    ] * 5
    assert (await world.post(path, {"code": code}, token=person.access)).code == "flow_gone"
    world.clock.pass_s(61)
    assert (await world.post("/me/emails", {"email": "A@EXAMPLE.org"}, token=person.access)).body["id"] == contact
    code = await world.code_for("A@example.org")
    world.clock.pass_s(600)
    token = await fresh(world, person)
    assert (await world.post(path, {"code": code}, token=token)).code == "flow_gone"


async def test_somebody_elses_contact_is_not_there(world: World) -> None:
    """Neither to prove nor to remove, nor under the other kind's path."""
    ana, eva = await world.register(), await world.register()
    contact = (await world.post("/me/emails", {"email": "a@example.org"}, token=ana.access)).body["id"]
    body = {"code": await world.code_for("a@example.org")}

    assert (await world.post(f"/me/emails/{contact}/verify", body, token=eva.access)).code == "not_found"
    assert (await world.ask("DELETE", f"/me/emails/{contact}", token=eva.access)).code == "not_found"
    assert (await world.ask("DELETE", f"/me/phones/{contact}", token=ana.access)).code == "not_found"
    assert (await world.post(f"/me/emails/{contact}/verify", body, token=ana.access)).status == 200


async def test_an_account_has_five_of_a_kind(world: World) -> None:
    """The sixth contradicts; one that is being removed makes room."""
    person = await world.register()
    first = (await world.get("/me/emails", token=person.access)).body["contacts"][0]["id"]
    for number in range(4):
        await add_email(world, person.access, f"x{number}@example.org")
    assert (await world.post("/me/emails", {"email": "y@example.org"}, token=person.access)).code == "conflict"

    assert (await world.ask("DELETE", f"/me/emails/{first}", token=person.access)).status == 202
    assert (await world.post("/me/emails", {"email": "z@example.org"}, token=person.access)).status == 202


async def test_adding_and_removing_need_a_fresh_proof(world: World) -> None:
    """A thief of a running session changes nothing."""
    person = await world.register()
    contact = (await world.get("/me/emails", token=person.access)).body["contacts"][0]["id"]
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]

    assert (await world.post("/me/emails", {"email": "a@example.org"}, token=access)).code == "step_up_required"
    assert (await world.post("/me/phones", {"phone": "+34600000001"}, token=access)).code == "step_up_required"
    assert (await world.ask("DELETE", f"/me/emails/{contact}", token=access)).code == "step_up_required"
    assert (await world.post(f"/me/emails/{contact}/lost", {}, token=access)).code == "step_up_required"
    assert (await world.ask("DELETE", f"/me/pending-changes/{contact}", token=access)).code == "step_up_required"


async def test_a_number_wants_work_first(world: World) -> None:
    """A text costs money."""
    person = await world.register()
    asked = await world.post("/me/phones", {"phone": "+34600000001"}, token=person.access)

    assert asked.code == "challenge_required"
    await add_phone(world, person.access, "+34600000001")
    assert await states(world, person.access, "phones") == {"+34600000001": "probation"}


async def test_a_removal_is_taken_back_within_a_week_and_ends_on_day_37(world: World) -> None:
    """Retiring to the end, then gone; the last contact stays."""
    person = await world.register()
    first = (await world.get("/me/emails", token=person.access)).body["contacts"][0]["id"]
    assert (await world.ask("DELETE", f"/me/emails/{first}", token=person.access)).code == "conflict"
    await add_email(world, person.access, "b@example.org")
    removed = await world.ask("DELETE", f"/me/emails/{first}", token=person.access)
    now_ms = int(world.clock() * 1000)
    assert removed.status == 202
    assert removed.body["effective_ms"] == now_ms + 37 * DAY_S * 1000
    assert (await world.ask("DELETE", f"/me/emails/{first}", token=person.access)).code == "conflict"

    world.clock.pass_s(7 * DAY_S - 1)
    token = await fresh(world, person)
    pending = (await world.get("/me/pending-changes", token=token)).body["changes"]
    assert [(change["id"], change["kind"]) for change in pending if change["kind"] == "removal"] == [(first, "removal")]
    assert (await world.ask("DELETE", f"/me/pending-changes/{first}", token=token)).status == 204
    assert (await states(world, token))[person.email] == "mature"

    assert (await world.ask("DELETE", f"/me/emails/{first}", token=token)).status == 202
    world.clock.pass_s(7 * DAY_S)
    token = await fresh(world, person)
    assert (await world.ask("DELETE", f"/me/pending-changes/{first}", token=token)).code == "conflict"
    world.clock.pass_s(29 * DAY_S)
    assert (await states(world, await fresh(world, person)))[person.email] == "retiring"


async def test_adding_again_restores_seniority_before_day_37_and_not_after(world: World) -> None:
    """The first proof's time stays, or begins anew."""
    person = await world.register()
    old = (await world.get("/me/emails", token=person.access)).body["contacts"][0]
    await add_email(world, person.access, "b@example.org")
    assert (await world.ask("DELETE", f"/me/emails/{old['id']}", token=person.access)).status == 202
    world.clock.pass_s(20 * DAY_S)
    token = await fresh(world, person)
    assert await add_email(world, token, person.email) == old["id"]
    back = await stored(world, token, person.email)
    assert (back["state"], back["proved_ms"]) == ("mature", old["proved_ms"])

    assert (await world.ask("DELETE", f"/me/emails/{old['id']}", token=token)).status == 202
    for _ in range(2):
        world.clock.pass_s(20 * DAY_S)
        token = await fresh(world, person)
    await add_email(world, token, person.email)
    anew = await stored(world, token, person.email)
    assert (anew["state"], anew["proved_ms"]) == ("probation", int(world.clock() * 1000))


async def test_codes_to_one_contact_are_bounded(world: World) -> None:
    """One a minute and five a day, whatever the spelling."""
    person = await world.register()
    assert (await world.post("/me/emails", {"email": "a@example.org"}, token=person.access)).status == 202
    assert (await world.post("/me/emails", {"email": "A@example.org"}, token=person.access)).code == "rate_limited"
    for _ in range(4):
        world.clock.pass_s(61)
        assert (await world.post("/me/emails", {"email": "a@example.org"}, token=person.access)).status == 202
    world.clock.pass_s(61)
    token = await fresh(world, person)
    assert (await world.post("/me/emails", {"email": "a@example.org"}, token=token)).code == "rate_limited"


async def test_of_two_right_codes_at_once_one_proves(world: World) -> None:
    """The code is used up in the transaction that takes it."""
    person = await world.register()
    contact = (await world.post("/me/emails", {"email": "a@example.org"}, token=person.access)).body["id"]
    body = {"code": await world.code_for("a@example.org")}
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(world.post(f"/me/emails/{contact}/verify", body, token=person.access)) for _ in range(5)
        ]

    assert sorted(task.result().status for task in asked) == [200, 410, 410, 410, 410]
