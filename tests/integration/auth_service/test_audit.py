"""auth_service.audit: the log is written with what happens, and shows what was done to it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from auth_service.core.audit_events import EVENTS
from tests.integration.auth_service.conftest import World, Worlds, eventually
from tests.integration.auth_service.office import audited, events
from tests.integration.auth_service.owners import DAY_S, add_email, links, told, undo


async def verify(world: World, *heads: dict[str, Any]) -> Any:
    """As `garita audit verify` asks."""
    answer = await world.inside("/operator/audit/verify", {"heads": list(heads)})
    assert answer.status == 200, answer
    return answer.body


async def test_abuse_54_an_edited_row_or_a_cut_tail_is_found(worlds: Worlds) -> None:
    """Whoever has the database but not the key; the head that was said before shows the cut."""
    async with worlds() as world:
        person = await world.register()
        await world.log_in(person)
        await world.enrol(person)
        whole = await verify(world)
        database = world.config.database
    assert whole["intact"] and whole["rows"] >= 2
    head = {"seq": whole["rows"], "mac": whole["mac"]}
    with sqlite3.connect(database) as db:
        db.execute("DELETE FROM audit WHERE seq = ?", (whole["rows"],))
    async with worlds() as world:
        assert (await verify(world))["intact"]
        assert (await verify(world, head))["first_flaw"] == whole["rows"]
    with sqlite3.connect(database) as db:
        db.execute("UPDATE audit SET subject = 'somebody else' WHERE seq = 1")
    async with worlds() as world:
        told = await verify(world)
        assert (told["intact"], told["first_flaw"]) == (False, 1)


async def test_abuse_54_the_metric_says_so_too(worlds: Worlds) -> None:
    """Without anybody asking: 1 while the rows are as they were written, 0 once one was edited or the end cut."""
    async with worlds() as world:
        await world.enrol(await world.register())
        assert await world.metric("auth_audit_chain_ok") == 1
        database = world.config.database
    async with worlds() as world:

        async def is_seen() -> bool:
            return await world.metric("auth_audit_chain_ok") == 1

        await eventually(is_seen)
    with sqlite3.connect(database) as db:
        db.execute("UPDATE audit SET data = '{}' WHERE seq = 1")
    async with worlds() as world:

        async def is_told() -> bool:
            return await world.metric("auth_audit_chain_ok") == 0 and await world.metric("auth_key_age_seconds") > 0

        await eventually(is_told)


async def test_abuse_29_a_strangers_header_writes_no_line(world: World) -> None:
    """One row per event whatever the user agent says, and neither it nor a name is in it."""
    bad = {"User-Agent": "x\\r\\n{'event':'login.ok'}\u2028"}
    body = {"identifier": "ana\r\nadmin.granted", "password": "wrong wrong wrong 1"}
    await world.post("/login", body, headers=bad)
    found: list[Any] = []

    async def is_written() -> bool:
        found[:] = []
        if (await verify(world))["rows"] > 1:  # the first is that of the signing key
            with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
                found[:] = db.execute("SELECT event, data FROM audit WHERE event <> 'key.rotated'").fetchall()
        return bool(found)

    await eventually(is_written)
    assert [event for event, _ in found] == ["login.failed"]
    assert set(json.loads(found[0][1])) == {"name", "reason"}
    assert "admin.granted" not in found[0][1]


async def test_what_comes_by_itself_is_kept_too(worlds: Worlds) -> None:
    """A factor that begins to count, one that is no more, a dispute that lapses, an account that goes, and its name that is free again."""

    async def comes(world: World, *names: str) -> None:
        await eventually(lambda: set(names) <= set(events(world)))

    async with worlds() as world:
        ana, bea, carla = [await world.register(name) for name in ("ana", "bea", "carla")]
        await add_email(world, ana.access, "ana.second@example.org")
        await add_email(world, bea.access, "bea.second@example.org")
        added = next(text for text in await told(world, bea.email) if "e-mail address was added" in text)
        await undo(world, links(added)[0], "not_me")
        await world.ask("DELETE", "/me", token=carla.access)
        await comes(world, "undo.used", "dispute.opened", "account.frozen", "account.deletion_asked", "contact.retired")
        assert not {"contact.matured", "account.deleted"} & set(events(world))
        world.clock.pass_s(31 * DAY_S)
        await comes(world, "contact.matured", "account.deleted")
    async with worlds() as world:  # what is swept is swept at the start, and every minute
        await comes(world, "dispute.lapsed")
        world.clock.pass_s(31 * DAY_S)
    async with worlds() as world:
        await comes(world, "username.released", "key.rotated")
        assert (await verify(world))["intact"]
        assert set(events(world)) <= EVENTS


async def test_what_is_alike_is_one_row(worlds: Worlds) -> None:
    """Refusals by a limit, and proofs of work: a flood writes a row a second, with how many there were."""
    async with worlds(GARITA_LOOPBACK="public") as world:
        for _ in range(40):
            await world.post("/undo", {"token": "a" * 64, "action": "cancel"})
        await world.start(email="a@example.org")

        def is_written() -> bool:
            rows = [json.loads(row["data"]) for row in audited(world) if row["event"] == "limit.tripped"]
            return sum(row["count"] for row in rows) == 30 and len(rows) < 10

        await eventually(is_written)
        await eventually(lambda: "challenge.solved" in events(world))
        assert (await verify(world))["intact"]
