"""Appeals: a banned person says why the ban is wrong, and an administrator answers.

Whoever is banned was told an appeal id with the ban (close code 4503, or 403 `banned`). Nobody guesses one, so no account and no address is asked for: a banned
person has neither to show. The work comes with the refusal of the first request, so that it needs no other endpoint that a ban or a neighbour may have closed.
Answering does not lift the ban: the detector alone writes bans, and the administrator asks it to.
"""

import re

from msgspec import UNSET

from garita_common.core.bans import Ban

from . import store_appeals
from .audit import Audit
from .ban_watch import BanWatch
from .challenges import Challenges
from .core import appeal_messages
from .core.appeal_messages import Appeal
from .core.problems import Contradicted, InvalidRequest, NotHere
from .limits import Limit, Limiter
from .parts import Caller, Parts

MAX_TEXT_BYTES = 1024
_ID = re.compile("[0-9a-f]{16}")


class Appealing:
    """Takes appeals, and says what became of them."""

    def __init__(self, parts: Parts, challenges: Challenges, limiter: Limiter, bans: BanWatch, audit: Audit) -> None:
        """Args: bans: says which bans there are; audit: keeps that somebody appealed."""
        self._parts = parts
        self._challenges = challenges
        self._limiter = limiter
        self._bans = bans
        self._audit = audit
        self._per_appeal = Limit("appeal_id", parts.config.appeals_per_ban_per_day, 86_400)
        self._bad_ids = Limit("bad_appeal_prefix", parts.config.bad_undos_per_prefix_per_h, 3600)

    async def file(self, appeal: str, body: Appeal, caller: Caller) -> None:
        """Takes words for a ban that is in force.

        Raises:
            NotHere: no such ban now.
            Contradicted: it was answered already.
            ProofRequired, InvalidRequest, TooMany, Overloaded: as their names say.
        """
        ban = await self._ban(appeal, caller)
        if not body.text.strip() or len(body.text.encode()) > MAX_TEXT_BYTES:
            raise InvalidRequest("text is 1 to 1024 bytes of UTF-8.")
        known = await store_appeals.by_id(self._parts.store.reading, appeal)
        if known is not None and known.state != "open":
            raise Contradicted("This appeal was answered.")
        await self._challenges.take(body.captcha, "appeal", caller)
        await self._limiter.take(self._per_appeal, appeal)
        async with self._parts.store.writing() as tx:
            await store_appeals.add(tx, ban, body.text, self._parts.now_ms())
            await self._audit.write(tx, "appeal.received", caller=caller, appeal=appeal, ban=ban.decision)

    async def shown(self, appeal: str, caller: Caller) -> appeal_messages.AppealState:
        """How an appeal stands.

        Raises:
            NotHere: nobody appealed with this id.
            TooMany: too many unknown ids from one address.
        """
        found = await store_appeals.by_id(self._parts.store.reading, appeal)
        if found is None:
            raise await self._unknown(caller)
        return appeal_messages.AppealState(state=found.state, answer=found.answer or UNSET)

    async def _ban(self, appeal: str, caller: Caller) -> Ban:
        self._bans.demand_book()
        ban = self._bans.book.of_appeal(appeal, self._parts.now_ms()) if _ID.fullmatch(appeal) else None
        if ban is None:
            raise await self._unknown(caller)
        return ban

    async def _unknown(self, caller: Caller) -> NotHere:
        if caller.counted:
            await self._limiter.take(self._bad_ids, caller.unit)
        return NotHere()
