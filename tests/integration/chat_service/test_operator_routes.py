"""The operator's view of reports: all of them, with who reported, for the token alone."""

from __future__ import annotations

import uuid
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from chat_service.metrics import Metrics
from chat_service.operator_routes import OperatorRoutes
from garita_common import runtime
from garita_common.config import Secret
from garita_common.core import frames
from tests.fakes.chat_gateway import user_id

from .conftest import OPERATOR_TOKEN, Desk, ok

REGISTRY_NAME = "chat_operator_refused_total"


async def ask(desk: Desk, registry: CollectorRegistry, path: str, token: str = OPERATOR_TOKEN) -> tuple[int, Any]:
    """One request to routes over the desk's database."""
    routes = OperatorRoutes(desk.database, Secret(OPERATOR_TOKEN), Metrics(registry).operator_refused)
    async with (
        runtime.listening(routes.application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"} if token else {}) as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def reported(desk: Desk, kind: str) -> str:
    """A room in which ana has reported a message of bob's."""
    await desk.know("ana", "bob")
    if kind == "direct":
        op = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="ana")
        room = str(ok(await desk.say("bob", op))["room"]["id"])
    else:
        room = await desk.room("bob", kind, "ana")
    mid = uuid.UUID((await desk.message("bob", room, f"algo feo en {kind}"))["mid"])
    report = frames.Report(id=1, cmid=uuid.uuid4(), room=room, mid=mid, reason="abuse", note="de su propia sala")
    ok(await desk.say("ana", report))
    return room


async def test_the_operator_sees_what_no_moderator_would_tell(desk: Desk) -> None:
    """A direct room, which has none, and a room whose owner wrote it; newest first, with the text and who reported."""
    rooms = [await reported(desk, kind) for kind in ("direct", "private")]

    status, told = await ask(desk, CollectorRegistry(), "/reports")

    assert status == 200
    newest, first = told["reports"]
    assert "next" not in told
    assert (first["room"], newest["room"]) == (
        {"id": rooms[0], "kind": "direct", "title": None},
        {"id": rooms[1], "kind": "private", "title": "Plaza"},
    )
    assert first["reporter"] == {"id": user_id("ana"), "name": "ana"}
    assert first["user"] == {"id": user_id("bob"), "name": "bob"}
    assert (first["reason"], first["text"], first["note"]) == ("abuse", "algo feo en direct", "de su propia sala")


async def test_reports_come_by_page(desk: Desk) -> None:
    """Each once, newest first."""
    for _ in range(5):
        await reported(desk, "public")

    seen: list[int] = []
    path = "/reports?limit=2"
    while path:
        _, told = await ask(desk, CollectorRegistry(), path)
        seen += [report["id"] for report in told["reports"]]
        path = f"/reports?limit=2&before={told['next']}" if "next" in told else ""
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("token", ["", OPERATOR_TOKEN[:-1], OPERATOR_TOKEN + "0"])
async def test_without_the_token_there_is_nothing(desk: Desk, token: str) -> None:
    """Refused and counted, before anything is read; also where there is no such route."""
    await reported(desk, "private")
    for path in ("/reports", "/reports?limit=x", "/elsewhere"):
        registry = CollectorRegistry()
        status, told = await ask(desk, registry, path, token)
        assert (status, told["code"]) == (401, "unauthenticated")
        assert "feo" not in str(told)
        assert registry.get_sample_value(REGISTRY_NAME, {"code": "unauthenticated"}) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("/reports?limit=201", 400), ("/reports?limit=0", 400), ("/reports?before=x", 400), ("/elsewhere", 404)],
)
async def test_a_question_that_makes_no_sense_is_refused(desk: Desk, path: str, status: int) -> None:
    """As a problem, with its code."""
    assert (await ask(desk, CollectorRegistry(), path))[0] == status
