"""The endpoints of administrators. They are on a listener of their own, on loopback unless it is set otherwise, and take `console` tokens alone."""

from dataclasses import dataclass, field, replace
from typing import Any

from . import openapi
from .administering import Administering
from .core import admin_messages as messages
from .core import answers, problems, requests
from .edge import BASE, Ask, Reply, Route
from .origins import Cookies


@dataclass(frozen=True, slots=True)
class AdminHandlers:
    """What the endpoints do."""

    administering: Administering
    cookies: Cookies
    made: dict[str, bytes] = field(default_factory=dict)

    async def user(self, ask: Ask) -> Reply:
        """GET /admin/users/{user}"""
        return Reply(200, await self.administering.user(ask.path["user"]))

    async def lock(self, ask: Ask) -> Reply:
        """POST /admin/users/{user}/lock"""
        await self.administering.lock(ask.present, ask.path["user"])
        return Reply(204)

    async def unlock(self, ask: Ask) -> Reply:
        """POST /admin/users/{user}/unlock"""
        await self.administering.unlock(ask.present, ask.path["user"])
        return Reply(204)

    async def end_sessions(self, ask: Ask) -> Reply:
        """POST /admin/users/{user}/end-sessions"""
        return Reply(200, await self.administering.end_sessions(ask.present, ask.path["user"]))

    async def start_recovery(self, ask: Ask) -> Reply:
        """POST /admin/users/{user}/recoveries"""
        return Reply(201, await self.administering.start_recovery(ask.present, ask.path["user"], ask.body))

    async def appeals(self, ask: Ask) -> Reply:
        """GET /admin/appeals"""
        return Reply(200, await self.administering.appeals(ask.query.get("state", "")))

    async def answer(self, ask: Ask) -> Reply:
        """POST /admin/appeals/{appeal_id}/answer"""
        await self.administering.answer(ask.present, ask.path["appeal_id"], ask.body)
        return Reply(204)

    async def audit(self, ask: Ask) -> Reply:
        """GET /admin/audit"""
        return Reply(200, await self.administering.audited(ask.present, dict(ask.query)))

    async def openapi(self, _: Ask) -> Reply:
        """GET /admin/openapi.json"""
        if "openapi" not in self.made:
            self.made["openapi"] = openapi.document(table(self), self.cookies)
        return Reply(200, self.made["openapi"], cache_s=300)


def table(do: AdminHandlers) -> list[Route]:
    """All of them."""
    p = problems
    there = (p.StepUpRequired, p.NotHere)
    acts = (*there, p.Contradicted)
    one = f"{BASE}/admin/users/{{user}}"
    routes = [
        Route("GET", one, "admin_user", "An account, by id or user name", do.user,
              {200: messages.AdministeredUser}, refusals=there),
        Route("POST", f"{one}/lock", "admin_lock", "Lock an account and end its sessions", do.lock,
              {204: None}, requests.Nothing, refusals=acts),
        Route("POST", f"{one}/unlock", "admin_unlock", "Unlock an account", do.unlock,
              {204: None}, requests.Nothing, refusals=acts),
        Route("POST", f"{one}/end-sessions", "admin_end_sessions", "End all sessions of an account", do.end_sessions,
              {200: messages.Ended}, requests.Nothing, refusals=there),
        Route("POST", f"{one}/recoveries", "admin_recovery", "Begin a recovery for an account's owner", do.start_recovery,
              {201: answers.RecoveryStarted}, messages.StartRecoveryFor, refusals=acts),
        Route("GET", f"{BASE}/admin/appeals", "admin_appeals", "Appeals against bans", do.appeals,
              {200: messages.AdministeredAppeals}, refusals=(p.StepUpRequired, p.InvalidRequest),
              query=(("state", "`open` (the default), `upheld` or `refused`"),)),
        Route("POST", f"{BASE}/admin/appeals/{{appeal_id}}/answer", "admin_appeal_answer", "Answer an appeal", do.answer,
              {204: None}, messages.AnswerAppeal, refusals=acts),
        Route("GET", f"{BASE}/admin/audit", "admin_audit", "Search the audit log", do.audit,
              {200: messages.AuditRows}, refusals=(p.StepUpRequired, p.InvalidRequest),
              query=(("subject", "A user's id"), ("event", "Such as `login.ok`"), ("actor", "Who did it: a device, a user, `operator`"),
                     ("ip_mark", "The mark of an address"), ("before", "Rows before this number"), ("limit", "At most 200; 50"))),
    ]  # fmt: skip
    return [
        *(replace(route, needs_token=True, audience="console") for route in routes),
        Route("GET", f"{BASE}/admin/openapi.json", "admin_openapi", "This document", do.openapi, {200: dict[str, Any]}),
    ]
