"""Checks what a recovery is shown: codes that were sent, TOTP codes, and the answer to the secret question.

A wrong one counts on the flow, whichever it was; after ten nothing fits any more, and that looks the same. Whatever is hashed is hashed for decoys too.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Any, Final

from . import store_factors, store_proofs, store_recoveries
from .core import codes, questions, recovery_requests, requests, totp
from .core.questions import QuestionId
from .core.recovery import life
from .core.recovery.facts import FactorKind
from .core.recovery.flow import Phase
from .core.recovery.horizon import horizon_ms
from .core.recovery.points import Answer
from .hashing import HashPool
from .outbox import Outbox
from .parts import Parts
from .second_factors import Proof, SecondFactors, Weighed, WeighedCode, WeighedPasskey
from .store import Db
from .store_proofs import Question
from .store_recoveries import Recovery
from .weighing import NOBODY, Weighing

MAX_MISSES: Final = 10
"""Wrong ones of one recovery. With six starts a day that is one chance in 5 000 of a TOTP code a day, which opens a 72 h wait that everybody is told of."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was compared before the transaction, as it takes long: the question and whether its answer fits, a saved code, a passkey."""

    question: Question | None = None
    fits: bool = False
    second: Weighed | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A factor that was proved; `replacement` takes the place of a saved code."""

    factor: str
    replacement: str | None = None


class Proofs:
    """Checks evidence."""

    def __init__(
        self, parts: Parts, weighing: Weighing, second: SecondFactors, hashes: HashPool, outbox: Outbox
    ) -> None:
        """Args: second: knows saved codes; hashes: compares answers; outbox: counts codes that were typed in."""
        self._parts = parts
        self._weighing = weighing
        self._second = second
        self._hashes = hashes
        self._outbox = outbox

    async def prepared(self, body: recovery_requests.ShownEvidence, recovery: Recovery) -> Checked:
        """The slow comparisons.

        Raises:
            Overloaded: no room for a hash.
        """
        if isinstance(body, recovery_requests.EvidenceSavedCode):
            return await self._weighed(requests.ByRecoveryCode(code=body.value), recovery)
        if isinstance(body, recovery_requests.EvidencePasskey):
            return await self._weighed(requests.ByPasskey(credential=body.credential), recovery)
        if not isinstance(body, recovery_requests.EvidenceAnswer):
            return Checked()
        question = await self._question(self._parts.store.reading, recovery)
        fits = await self._hashes.verify(question.hash if question else None, questions.normal(body.value))
        return Checked(question, fits)

    async def options(self, flow_id: str) -> dict[str, Any]:
        """What a browser needs to use a passkey for a recovery.

        Raises:
            Contradicted: the server has no host name.
            Overloaded: no Redis.
        """
        return await self._second.options(NOBODY, _purpose(flow_id))

    async def accept(
        self, tx: Db, recovery: Recovery, body: recovery_requests.ShownEvidence, checked: Checked
    ) -> Accepted | None:
        """The factor that was proved, used up where it works once; None for a wrong one, which is counted."""
        factor: Accepted | None = None
        if recovery.misses < MAX_MISSES:
            match body:
                case recovery_requests.EvidenceCode():
                    factor = await self._sent_code(tx, recovery, body.value)
                case recovery_requests.EvidenceTotp():
                    factor = await self._totp(tx, recovery, body.value)
                case recovery_requests.EvidenceSavedCode():
                    factor = await self._saved_code(tx, recovery, checked)
                case recovery_requests.EvidencePasskey():
                    factor = await self._passkey(tx, recovery, checked)
                case recovery_requests.EvidenceAnswer():
                    return None
        if factor is None:
            await store_recoveries.keep(tx, replace(recovery, misses=recovery.misses + 1))
        return factor

    async def answer(self, tx: Db, recovery: Recovery, checked: Checked) -> None:
        """Takes an answer to the secret question: the first one, and only from somebody who has proved something, so that a stranger's wrong ones close nothing."""
        now_ms = self._parts.now_ms()
        question = checked.question
        is_heard = recovery.last_factor is not None and recovery.answer is Answer.NOT_ASKED
        if question is None or not is_heard or recovery.flow.phase is not Phase.COLLECTING:
            return
        current = await self._question(tx, recovery)
        if current is None or current.id != question.id or now_ms < current.closed_ms:
            return
        misses, closed_ms = (0, 0) if checked.fits else questions.after_miss(current.misses, now_ms)
        await store_proofs.count_answer(tx, current.id, misses, closed_ms)
        verdict = Answer.RIGHT if checked.fits else Answer.WRONG
        await store_recoveries.keep(tx, replace(recovery, answer=verdict))

    async def question_shown(self, db: Db, recovery: Recovery) -> QuestionId | None:
        """Which question the account has, for somebody who has proved something."""
        if recovery.last_factor is None or recovery.flow.phase is not Phase.COLLECTING:
            return None
        question = await self._question(db, recovery)
        return next((known for known in questions.QUESTIONS if question and known == question.question), None)

    async def _weighed(self, proof: Proof, recovery: Recovery) -> Checked:
        purpose = _purpose(recovery.flow.id)
        return Checked(second=await self._second.weigh(recovery.user or NOBODY, proof, purpose, retiring=True))

    async def _question(self, db: Db, recovery: Recovery) -> Question | None:
        """The question that counts."""
        facts = await self._weighing.facts(db, recovery)
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        ids = [
            factor.id
            for factor in facts.factors
            if factor.kind is FactorKind.QUESTION and life.counts(factor, facts.policy, line_ms, now_ms)
        ]
        return await store_proofs.question_of(db, recovery.user or NOBODY, ids)

    async def _sent_code(self, tx: Db, recovery: Recovery, shown: str) -> Accepted | None:
        now_ms = self._parts.now_ms()
        flow_id = recovery.flow.id
        for sent in await store_recoveries.codes_of(tx, flow_id):
            mark = self._parts.seals.mark("recovery-code", flow_id, sent.contact, shown)
            is_good = sent.tries < codes.MAX_TRIES and now_ms < sent.expires_ms
            if hmac.compare_digest(mark, sent.code_mark) and is_good:
                await store_recoveries.drop_code(tx, flow_id, sent.contact)
                await self._confirm(tx, recovery, sent.contact)
                return Accepted(sent.contact)
        await store_recoveries.count_tries(tx, flow_id)
        return None

    async def _confirm(self, tx: Db, recovery: Recovery, contact: str) -> None:
        """The code was typed in: that country's numbers are not all pumped."""
        for reached in await store_proofs.contacts_in(tx, recovery.user or NOBODY, [contact]):
            to = self._parts.seals.open("contact", reached.id, reached.sealed_value).decode()
            await self._outbox.confirmed(tx, reached.kind, to)

    async def _saved_code(self, tx: Db, recovery: Recovery, checked: Checked) -> Accepted | None:
        if not isinstance(checked.second, WeighedCode):
            return None
        used = await self._second.use(tx, recovery.user or NOBODY, checked.second)
        return None if used is None else Accepted(checked.second.stored.code_set, used.replacement)

    async def _passkey(self, tx: Db, recovery: Recovery, checked: Checked) -> Accepted | None:
        if not isinstance(checked.second, WeighedPasskey):
            return None
        used = await self._second.use(tx, recovery.user or NOBODY, checked.second)
        return None if used is None else Accepted(checked.second.passkey.id)

    async def _totp(self, tx: Db, recovery: Recovery, shown: str) -> Accepted | None:
        """Of all seeds that were ever proved: whether one still counts is weighed later."""
        user = recovery.user or NOBODY
        for seed in await store_factors.seeds_of(tx, user):
            if seed.proved_ms is None:
                continue
            plain = self._parts.seals.open("totp", user, seed.sealed)
            step = totp.accepted_step(plain, shown, self._parts.clock(), seed.last_step)
            if step is not None and await store_factors.use_step(tx, seed.id, step):
                return Accepted(seed.id)
        return None


def _purpose(flow_id: str) -> str:
    """What a passkey's challenge is made for."""
    return f"recovery:{flow_id}"
