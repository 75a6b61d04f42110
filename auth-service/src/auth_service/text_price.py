"""What a text costs whoever asks for it in an unknown context: the first of a day a proof of work, each further one sixteen times that, and a picture.

Counted by what the caller names (a number, the name that is recovered, the account of its own session), never by what only we know: so a name of nobody costs the
same, and the price tells nobody anything. The caps of `core/caps.py` hold beside it, and in silence.
"""

from collections.abc import Sequence
from typing import Final

from .challenges import Challenges
from .core.problems import InvalidRequest, Overloaded, ProofRequired
from .core.requests import Action, Answered, Proof
from .limits import Limit, Limiter
from .looking import Looking
from .parts import Caller

FACTOR: Final = 16
FIRST: Final = Limit("text_first", 1, 86_400)


class TextPrice:
    """Asks for it."""

    def __init__(self, limiter: Limiter, challenges: Challenges, looking: Looking) -> None:
        """Args: limiter: remembers first texts."""
        self._limiter = limiter
        self._challenges = challenges
        self._looking = looking

    async def take(
        self,
        names: Sequence[str],
        proof: Proof | None,
        picture: Answered | None,
        action: Action,
        flow: str,
        caller: Caller,
    ) -> None:
        """Takes what a text costs. Args: names: marks of what it is counted by; flow: what a picture for it is asked for.

        Raises:
            ProofRequired: with `kinds` where it is not the first of the day for one of the names.
            InvalidRequest, Overloaded: as `Challenges.take`.
        """
        firsts = [name for name in names if await self._limiter.wait_s(FIRST, name) <= 0]
        if len(firsts) < len(names):
            await self._looking.take(proof, picture, action, flow, caller, factor=FACTOR)
            return
        try:
            await self._challenges.take(proof, action, caller)
        except (ProofRequired, InvalidRequest, Overloaded):
            for name in firsts:  # nothing was bought
                await self._limiter.wait_s(FIRST, name, -1)
            raise
