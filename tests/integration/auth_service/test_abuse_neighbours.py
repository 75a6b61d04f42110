"""Abuse case 60: what somebody behind the same address can take from a good user, which is nothing that has a valid token."""

from __future__ import annotations

import asyncio
from typing import Any

from garita_common.core import bans
from tests.integration.auth_service.conftest import Answer, Person, World, Worlds, eventually
from tests.integration.auth_service.office import ban
from tests.integration.auth_service.owners import add_email, links, log_in_again, rows, told
from tests.integration.auth_service.rescue import Rescue, begin
from tests.integration.auth_service.test_appealing import appeal

ID = "00000000000000b2"


async def flood(world: World) -> dict[str, Answer]:
    """A neighbour's wrong tokens, links and ids, until each is refused unseen; and everything else that the address may ask."""
    kinds: dict[str, tuple[str, str, Any, str | None]] = {
        "refresh": ("POST", "/token/refresh", {"refresh_token": f"rt1.{'0' * 32}.{'A' * 43}"}, None),
        "undo": ("POST", "/undo", {"token": "a" * 64, "action": "cancel"}, None),
        "veto": ("POST", f"/recoveries/{'0' * 32}/veto", {"token": "a" * 64}, None),
        "logout": ("POST", "/logout", {}, "none"),
        "appeal": ("GET", f"/appeals/{'0' * 16}", None, None),
        "all": ("GET", "/.well-known/jwks.json", None, None),
    }
    last: dict[str, Answer] = {}

    async def send(name: str) -> None:
        method, path, body, token = kinds[name]
        last[name] = await world.ask(method, path, body, token=token)

    for _ in range(6):
        for name, count in (("refresh", 11), ("undo", 3), ("veto", 3), ("logout", 11), ("appeal", 3), ("all", 60)):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(count):
                    tasks.create_task(send(name))
    for name in kinds:
        await send(name)
    return last


async def contact_is_gone(world: World, contact: str) -> bool:
    """Whether a contact's addition was taken back."""
    found = await rows(world, "SELECT lost FROM contacts WHERE id = ?", contact)
    return not found or bool(found[0]["lost"])


async def veto_link(world: World, owner: Person) -> str:
    """The link of the notice that a recovery has begun."""
    found: list[str] = []

    async def came() -> bool:
        found[:] = [text for text in await told(world, owner.email) if "without its password" in text]
        return bool(found)

    await eventually(came)
    return links(found[-1])[0]


async def test_abuse_60_a_neighbour_closes_nothing_that_has_a_valid_token(worlds: Worlds) -> None:
    """Refresh, undo, veto, logout and appeal of a good user work through the flood and through two bans of the address."""
    async with worlds(GARITA_LOOPBACK="public") as world:
        owner = await world.register("ana")
        added = await add_email(world, owner.access, "new@example.org")
        undo_link = next(
            links(text)[0] for text in await told(world, owner.email) if "e-mail address was added" in text
        )
        rescue: Rescue = await begin(world, "ana")
        link = await veto_link(world, owner)
        access = await log_in_again(world, owner)

        refused = await flood(world)
        assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(refused, 429)
        for subject, appeal_id in (("127.0.0.1/32", ID), ("127.0.0.0/24", "00000000000000b3")):
            await ban(world, bans.address_subject(subject), appeal_id)

        assert (await world.get("/me", token=access)).status == 429
        assert (await world.post("/undo", {"token": undo_link, "action": "cancel"})).status == 200
        assert await contact_is_gone(world, added)
        assert (await world.post(f"/recoveries/{rescue.id}/veto", {"token": link})).status == 204
        vetoes = await rows(world, "SELECT effect FROM recovery_vetoes WHERE flow = ?", rescue.id)
        assert [veto["effect"] for veto in vetoes] == ["kept"]

        async def is_heard() -> bool:
            return (await world.post(f"/appeals/{ID}", {"text": "x"})).code == "challenge_required"

        await eventually(is_heard)
        assert (await appeal(world, "My neighbour did that.", ID)).status == 202
        assert (await world.get(f"/appeals/{ID}")).body == {"state": "open"}
        pair = await world.refresh(owner.tokens["refresh_token"], owner.device)
        assert pair.status == 200
        assert (await world.post("/logout", {}, token=pair.body["access_token"])).status == 204
        assert (await world.refresh(pair.body["refresh_token"], owner.device)).code == "session_ended"


async def test_what_is_no_request_counts_also_there(worlds: Worlds) -> None:
    """Nobody keeps the five endpoints busy with rubbish."""
    async with worlds(GARITA_LOOPBACK="public", ALL_PER_PREFIX_PER_5_MIN="5") as world:
        answers = [await world.ask("POST", "/undo", data=b"{") for _ in range(7)]

    assert [answer.status for answer in answers] == [400] * 5 + [429] * 2
