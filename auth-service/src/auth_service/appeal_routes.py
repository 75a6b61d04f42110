"""The endpoints of appeals against bans."""

from dataclasses import dataclass

from .appealing import Appealing
from .core import answers, appeal_messages, problems
from .edge import BASE, Ask, Reply, Route


@dataclass(frozen=True, slots=True)
class AppealHandlers:
    """What the endpoints do."""

    appealing: Appealing

    async def file(self, ask: Ask) -> Reply:
        """POST /appeals/{id}"""
        await self.appealing.file(ask.path["appeal_id"], ask.body, ask.caller)
        return Reply(202, answers.Accepted())

    async def shown(self, ask: Ask) -> Reply:
        """GET /appeals/{id}"""
        return Reply(200, await self.appealing.shown(ask.path["appeal_id"], ask.caller))


def table(do: AppealHandlers) -> tuple[Route, ...]:
    """Both of them."""
    p = problems
    one = f"{BASE}/appeals/{{appeal_id}}"
    return (
        Route("POST", one, "appeal", "Say why a ban is wrong", do.file, {202: answers.Accepted}, appeal_messages.Appeal,
              refusals=(p.NotHere, p.Contradicted, p.ProofRequired), spared=True),
        Route("GET", one, "appeal_state", "How an appeal stands", do.shown, {200: appeal_messages.AppealState},
              refusals=(p.NotHere,), spared=True),
    )  # fmt: skip
