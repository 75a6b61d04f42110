"""auth_service.secret_question: set, shown, replaced, removed and taken back."""

from __future__ import annotations

from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.owners import fresh

DAY_MS = 86_400_000
ANSWER = {"question_id": "first_concert", "answer": "Los Planetas"}


async def test_a_question_is_shown_from_when_on_it_counts_and_never_its_answer(world: World) -> None:
    """Nothing before it is set, then which one and from when; the newest where it was replaced."""
    owner = await world.register()
    before = await world.ask("GET", "/me/secret-question", token=owner.access)
    set_ms = int(world.clock() * 1000)
    await world.ask("PUT", "/me/secret-question", ANSWER, token=owner.access)
    first = await world.ask("GET", "/me/secret-question", token=owner.access)
    await world.ask("PUT", "/me/secret-question", {**ANSWER, "question_id": "oldest_cousin"}, token=owner.access)

    second = await world.ask("GET", "/me/secret-question", token=owner.access)

    assert before.body == {}
    shown = {"question_id": "first_concert", "added_ms": set_ms, "effective_ms": set_ms + 7 * DAY_MS}
    assert first.body == {"question": shown}
    assert second.body["question"]["question_id"] == "oldest_cousin"


async def test_a_removed_question_can_be_taken_back_for_a_week(world: World) -> None:
    """The removal is answered and pending like any other, wants a fresh proof, and is told."""
    owner = await world.register()
    nothing = await world.ask("DELETE", "/me/secret-question", token=owner.access)
    await world.ask("PUT", "/me/secret-question", ANSWER, token=owner.access)
    world.clock.pass_s(600)
    renewed = await world.refresh(owner.tokens["refresh_token"], owner.device)
    owner.tokens |= renewed.body
    stale = await world.ask("DELETE", "/me/secret-question", token=owner.access)
    token = await fresh(world, owner)
    now_ms = int(world.clock() * 1000)

    removed = await world.ask("DELETE", "/me/secret-question", token=token)

    assert (nothing.status, stale.status, stale.code) == (404, 403, "step_up_required")
    assert removed.status == 202
    assert removed.body["cancel_until_ms"] == now_ms + 7 * DAY_MS
    assert removed.body["effective_ms"] == now_ms + 37 * DAY_MS
    assert (await world.ask("GET", "/me/secret-question", token=token)).body == {}
    pending = (await world.ask("GET", "/me/pending-changes", token=token)).body["changes"]
    assert [(one["kind"], one["factor"]) for one in pending] == [("removal", "question")]
    events = (await world.ask("GET", "/me/security-events", token=token)).body["events"]
    assert events[0]["kind"] == "question_removed"

    kept = await world.ask("DELETE", f"/me/pending-changes/{removed.body['id']}", token=token)

    assert kept.status == 204
    assert (await world.ask("GET", "/me/secret-question", token=token)).body["question"][
        "question_id"
    ] == "first_concert"
