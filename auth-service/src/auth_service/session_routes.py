"""The endpoints of sessions and of the password, as `routes.py` has the others."""

from dataclasses import dataclass

from msgspec import UNSET

from .core import answers, problems, requests
from .edge import BASE, Ask, Reply, Route
from .ending import Ending
from .origins import Cookies
from .store_endings import Asked
from .store_sessions import StoredSession


@dataclass(frozen=True, slots=True)
class SessionHandlers:
    """What the endpoints do. `cookies`: how they are called here."""

    ending: Ending
    cookies: Cookies

    async def log_out(self, ask: Ask) -> Reply:
        """POST /logout"""
        ends_ms = await self.ending.log_out(ask.present, ask.body)
        return self._ended(ask, ends_ms, is_own=ask.body.scope != "others")

    async def listed(self, ask: Ask) -> Reply:
        """GET /sessions"""
        listed = await self.ending.listed(ask.present)
        current = ask.present.session.id
        return Reply(200, answers.Sessions(sessions=[_shown(session, asked, current) for session, asked in listed]))

    async def end(self, ask: Ask) -> Reply:
        """DELETE /sessions/{id}"""
        return self._ended(ask, await self.ending.end_one(ask.present, ask.path["session_id"]), is_own=False)

    async def answer(self, ask: Ask) -> Reply:
        """POST /sessions/{id}/answer"""
        await self.ending.answer(ask.present, ask.path["session_id"], ask.body)
        return Reply(204)

    async def change_password(self, ask: Ask) -> Reply:
        """PUT /me/password"""
        ends_ms = await self.ending.change_password(ask.present, ask.body)
        return self._ended(ask, ends_ms, is_own=not ask.body.keep_this_session)

    def _ended(self, ask: Ask, ends_ms: int | None, *, is_own: bool) -> Reply:
        """204, or when the sessions end that are asked first."""
        gone: dict[str, str | None] = {self.cookies.refresh: None} if ask.caller.web and is_own else {}
        if ends_ms is None:
            return Reply(204, cookies=gone)
        return Reply(202, answers.AskedFirst(ends_ms=ends_ms), gone)


def table(do: SessionHandlers) -> tuple[Route, ...]:
    """All of them."""
    p = problems
    ended = {204: None, 202: answers.AskedFirst}
    return (
        Route("POST", f"{BASE}/logout", "logout", "End this session, the others, or all", do.log_out,
              ended, requests.LogOut, needs_token=True, sets_cookies=True, spared=True),
        Route("GET", f"{BASE}/sessions", "sessions", "List the living sessions", do.listed,
              {200: answers.Sessions}, needs_token=True),
        Route("DELETE", f"{BASE}/sessions/{{session_id}}", "session_delete", "End one session", do.end,
              ended, needs_token=True, refusals=(p.StepUpRequired, p.NotHere)),
        Route("POST", f"{BASE}/sessions/{{session_id}}/answer", "session_answer",
              "Say whether it was you who wanted a session to end", do.answer,
              {204: None}, requests.AnswerAsked, needs_token=True, refusals=(p.StepUpRequired, p.NotHere)),
        Route("PUT", f"{BASE}/me/password", "password", "Change the password", do.change_password,
              ended, requests.ChangePassword, needs_token=True, sets_cookies=True,
              refusals=(p.InvalidCredentials, p.Contradicted, p.WeakPassword, p.Overloaded)),
    )  # fmt: skip


def _shown(session: StoredSession, asked: Asked | None, current: str) -> answers.Session:
    question = None
    if asked is not None:
        question = answers.AskedToEnd(by_device_label=asked.by_label, asked_ms=asked.asked_ms, ends_ms=asked.ends_ms)
    return answers.Session(
        id=session.id,
        device_label=session.device_label,
        client_id=session.client_id,
        created_ms=session.created_ms,
        last_seen_ms=session.last_seen_ms,
        expires_ms=session.expires_ms,
        current=session.id == current,
        asked=UNSET if question is None else question,
    )
