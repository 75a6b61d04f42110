"""auth_service.completing: killed with SIGKILL at any moment, a completion is whole or not there, and its notices with it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.integration.auth_service.conftest import Worlds, eventually
from tests.integration.auth_service.killing import Asked, Round, killed_again_and_again
from tests.integration.auth_service.rescue import DAY_S, NEW_PASSWORD, P1, begin, grown


async def test_abuse_53_a_killed_completion_is_whole_or_not_there(
    worlds: Worlds, tmp_path: Path, redis_url: str
) -> None:
    """What is left is what was before, or all of it: password, sessions, revocations, guard; and then everybody is told."""
    async with worlds() as world:
        world.clock.now_s = time.time() - 61 * DAY_S
        owner = await grown(world)
        rescue = await begin(world, owner.name)
        await rescue.prove("sms", P1)
        await rescue.prove("email", owner.email)
        assert await rescue.state() == "approved"
        world.clock.now_s = time.time()
    ready = world.config.database
    before = Round(ready)
    old_hash, sessions = before.one("SELECT hash FROM passwords"), before.one("SELECT count(*) FROM sessions")
    assert sessions == 5

    def is_whole(left: Round) -> bool:
        whole = bool(left.one("SELECT phase = 'completed' FROM recoveries"))
        assert left.one("SELECT phase FROM recoveries") == ("completed" if whole else "approved")
        assert (left.one("SELECT hash FROM passwords") != old_hash) is whole
        assert left.one("SELECT count(*) FROM sessions WHERE ended_ms IS NULL") == (0 if whole else sessions)
        assert left.one("SELECT count(*) FROM revocations") == (sessions if whole else 0)
        assert left.one("SELECT guarded_until_ms > 0 FROM users") == whole
        assert left.one("SELECT count(*) FROM notices WHERE kind = 'recovery_completed'") == whole
        assert left.one("SELECT count(*) FROM audit WHERE event = 'recovery.completed'") == whole
        assert left.one("SELECT count(*) FROM tellings") == 0
        assert left.one("SELECT count(*) FROM outbox WHERE kind = 'sms'") == whole
        mails = left.one("SELECT count(*) FROM outbox WHERE kind = 'email'")
        assert mails + len(left.told) >= 1 if whole else mails == len(left.told) == 0
        return whole

    async def afterwards(left: Round, whole: bool) -> None:
        if whole:
            await eventually(lambda: owner.email in left.told)
        login = {"identifier": owner.name, "password": NEW_PASSWORD}
        assert (await left.post("/login", login)).status == (200 if whole else 401)
        again = await left.post(asked.path, asked.body)
        assert again.status == (410 if whole else 204), again
        await eventually(lambda: owner.email in left.told)

    body = {"flow_secret": rescue.secret, "new_password": NEW_PASSWORD}
    asked = Asked(f"/recoveries/{rescue.id}/complete", body)
    await killed_again_and_again(tmp_path, redis_url, ready, asked, is_whole, afterwards)
