"""auth_service.appealing: who is banned says why that is wrong, and is answered."""

from __future__ import annotations

from typing import Any

from garita_common.core import bans
from tests.integration.auth_service.conftest import Answer, World, Worlds, eventually, solve
from tests.integration.auth_service.office import administrator, audited, ban, console_token

ID = "00000000000000a1"


async def appeal(world: World, text: str, appeal_id: str = ID, **more: Any) -> Answer:
    """As a client does it: without work first, then with that of the refusal."""
    asked = await world.post(f"/appeals/{appeal_id}", {"text": text}, **more)
    if asked.code != "challenge_required":
        return asked
    world.clock.pass_s(1.5)
    body = {"text": text, "captcha": solve(asked.body["challenge"]["params"])}
    return await world.post(f"/appeals/{appeal_id}", body, **more)


async def banned(world: World, subject: str = "user:u1") -> None:
    """A ban that the service has heard of."""
    await ban(world, subject, ID)

    async def is_known() -> bool:
        return (await world.post(f"/appeals/{ID}", {"text": "x"})).status == 428

    await eventually(is_known)


async def test_an_appeal_is_read_and_answered(world: World) -> None:
    """Three texts a day; the operator sees what the ban said; the answer stands, and then nothing more is taken."""
    await banned(world)
    assert (await world.get(f"/appeals/{ID}")).status == 404
    for text in ("I was asleep.", "¿Quién, yo?", "See #3."):
        assert (await appeal(world, text)).status == 202
    assert (await appeal(world, "and more")).status == 429
    assert (await world.get(f"/appeals/{ID}")).body == {"state": "open"}

    token = await console_token(world, await administrator(world))
    listed = (await world.get("/admin/appeals", token=token, office=True)).body["appeals"]
    assert [(one["id"], one["subject"], one["decision"], one["sentence"]) for one in listed] == [
        (ID, "user:u1", 7, "Too much.")
    ]
    assert [text["text"] for text in listed[0]["texts"]] == ["I was asleep.", "¿Quién, yo?", "See #3."]
    answer = {"state": "upheld", "answer": "You are right."}
    path = f"/admin/appeals/{ID}/answer"
    assert (await world.post(path, answer, token=token, office=True)).status == 204
    assert (await world.post(path, answer, token=token, office=True)).status == 409
    assert (await world.post("/admin/appeals/none/answer", answer, token=token, office=True)).status == 404
    assert (await world.get(f"/appeals/{ID}")).body == {"state": "upheld", "answer": "You are right."}
    world.clock.pass_s(86_400)
    assert (await appeal(world, "thank you")).code in {"conflict", "not_found"}
    assert (await world.get("/admin/appeals?state=all", token=token, office=True)).status in {400, 401}
    rows = [row for row in audited(world) if row["event"].startswith("appeal.")]
    assert [row["event"] for row in rows] == ["appeal.received"] * 3 + ["appeal.answered"]
    assert "asleep" not in str(rows)


async def test_who_is_banned_can_appeal_and_strangers_find_nothing(worlds: Worlds) -> None:
    """From the banned address itself; unknown ids are counted, ten an hour, and close nothing to who has a right one."""
    async with worlds(GARITA_LOOPBACK="public") as world:
        await banned(world, bans.address_subject("127.0.0.1/32"))
        refused = await world.post("/challenges", {"action": "register"})
        assert (refused.code, refused.body["appeal"]) == ("banned", ID)
        for number in range(12):
            got = await appeal(world, "let me in", f"{number + 16:016x}")
            assert got.status == (404 if number < 10 else 429)
        assert (await appeal(world, "It was my flatmate.")).status == 202
        assert (await world.get(f"/appeals/{ID}")).status == 200


async def test_a_text_has_bounds(world: World) -> None:
    """1 KiB of UTF-8, not blank; a solved challenge for something else is none."""
    await banned(world)
    assert (await appeal(world, "ñ" * 512)).status == 202
    for text in ("ñ" * 513, " ", ""):
        assert (await appeal(world, text)).code == "invalid_request"
    other = {"text": "x", "captcha": await world.proof("login")}
    assert (await world.post(f"/appeals/{ID}", other)).code == "challenge_required"
    assert (await world.post("/challenges", {"action": "appeal"})).code == "invalid_request"
