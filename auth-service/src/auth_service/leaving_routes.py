"""The endpoints of taking one's data along and of leaving."""

from dataclasses import dataclass

from .core import leaving_answers, problems, requests
from .edge import BASE, Ask, Reply, Route
from .exporting import Exporting
from .leaving import Leaving


@dataclass(frozen=True, slots=True)
class LeavingHandlers:
    """What the endpoints do."""

    leaving: Leaving
    exporting: Exporting

    async def delete(self, ask: Ask) -> Reply:
        """DELETE /me"""
        return Reply(202, await self.leaving.ask(ask.present))

    async def ask_export(self, ask: Ask) -> Reply:
        """POST /me/export"""
        return Reply(202, await self.exporting.ask(ask.present))

    async def export(self, ask: Ask) -> Reply:
        """GET /me/export"""
        found = await self.exporting.fetch(ask.present)
        return Reply(200 if isinstance(found, bytes) else 202, found)


def table(do: LeavingHandlers) -> tuple[Route, ...]:
    """All of them."""
    p = problems
    fresh = (p.StepUpRequired, p.Contradicted)
    return (
        Route("DELETE", f"{BASE}/me", "me_delete", "Delete the account, in 14 days", do.delete,
              {202: leaving_answers.Deletion}, needs_token=True, refusals=fresh),
        Route("POST", f"{BASE}/me/export", "export_ask", "Have all data of the account put together", do.ask_export,
              {202: leaving_answers.ExportState}, requests.Nothing, needs_token=True, refusals=fresh),
        Route("GET", f"{BASE}/me/export", "export", "All data of the account", do.export,
              {200: leaving_answers.Exported, 202: leaving_answers.ExportState}, needs_token=True, refusals=(*fresh, p.NotHere)),
    )  # fmt: skip
