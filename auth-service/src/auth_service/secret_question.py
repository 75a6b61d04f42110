"""Setting and removing the secret question. What is set waits a week before it counts; what it replaces counts on as it did."""

from . import store_proofs
from .changes import Changes
from .core import answers, questions, requests
from .core.events import Kind, Table
from .core.problems import InvalidRequest, NotHere
from .core.recovery.life import SHORT_PROBATION_MS
from .hashing import HashPool
from .parts import Parts
from .removing import Removing
from .second_factors import SecondFactors
from .sessions import Present


class SecretQuestion:
    """One question of an account."""

    def __init__(
        self, parts: Parts, second: SecondFactors, hashes: HashPool, removing: Removing, changes: Changes
    ) -> None:
        """Args: second: asks for a fresh proof; hashes: hashes the answer like a password; removing: takes it away; changes: tells the owner."""
        self._parts = parts
        self._second = second
        self._hashes = hashes
        self._removing = removing
        self._changes = changes

    async def shown(self, present: Present) -> answers.OwnQuestion:
        """Which question is set, to every session of the account; never the answer."""
        row = await store_proofs.set_now(self._parts.store.reading, present.account.id)
        if row is None:
            return answers.OwnQuestion()
        return answers.OwnQuestion(
            question=answers.SetQuestion(
                question_id=row["question"], added_ms=row["added_ms"], effective_ms=row["matures_ms"]
            )
        )

    async def remove(self, present: Present) -> answers.Removal:
        """Begins its removal. There is no way for a lost one: whoever has learned an answer gets no more than a shorter wait by it.

        Raises:
            StepUpRequired, Contradicted: as `Removing.remove`.
            NotHere: none is set.
        """
        row = await store_proofs.set_now(self._parts.store.reading, present.account.id)
        if row is None:
            raise NotHere
        return await self._removing.remove(present, Table.QUESTIONS, Kind.QUESTION_REMOVED, row["id"], lost=False)

    async def set(self, present: Present, body: requests.SetQuestion) -> answers.Effective:
        """Sets the question and its answer.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: the account is frozen or was recovered a short while ago.
            InvalidRequest: the answer is too short.
            Overloaded: no room for a hash.
        """
        await self._second.demand(self._parts.store.reading, present)
        normal = questions.normal(body.answer)
        if len(normal) < questions.MIN_CHARS:
            raise InvalidRequest(f"answer: at least {questions.MIN_CHARS} letters or digits.")
        user, parts = present.account.id, self._parts
        hashed = await self._hashes.hash(normal)
        matures_ms = parts.now_ms() + SHORT_PROBATION_MS
        new = store_proofs.Question(parts.new_id(), body.question_id, hashed, 0, 0)
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            for old in await store_proofs.set_question(tx, user, new, parts.now_ms(), matures_ms):
                await self._changes.record(tx, present, Kind.QUESTION_REMOVED, old)
            await self._changes.record(tx, present, Kind.QUESTION_ADDED, new.id)
        return answers.Effective(effective_ms=matures_ms)
