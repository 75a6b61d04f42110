"""What a request has to bring where machines are feared: a dearer proof of work, and the answer to a picture or a clip."""

from .challenges import Challenges
from .core.problems import ProofRequired
from .core.requests import Action, Answered, Proof
from .parts import Caller
from .pictures import Pictures

KINDS = ("image", "audio")


class Looking:
    """Takes both together."""

    def __init__(self, challenges: Challenges, pictures: Pictures) -> None:
        """Args: challenges: proofs of work."""
        self._challenges = challenges
        self._pictures = pictures

    async def take(
        self, proof: Proof | None, given: Answered | None, action: Action, flow: str, caller: Caller, *, factor: int
    ) -> None:
        """Takes a proof and an answer for a request. Args: flow: what the picture was asked for; factor: how many times the usual work.

        Raises:
            ProofRequired: one of them is missing or wrong; says which kinds of picture there are.
            InvalidRequest, Overloaded: as `Challenges.take`.
        """
        if given is None:  # before the proof is used up
            raise ProofRequired(self._challenges.make(action, factor), KINDS)
        try:
            await self._challenges.take(proof, action, caller, factor)
        except ProofRequired as exc:
            raise ProofRequired(exc.fields["challenge"], KINDS) from exc
        browser = caller.device_cookie or caller.browser_cookie or given.browser or ""
        if not await self._pictures.take(given, action, flow, browser):
            raise ProofRequired(self._challenges.make(action, factor), KINDS)
