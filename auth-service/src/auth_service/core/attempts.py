"""When guessing is slowed: what the number of recent tries says about the next one.

Every try is counted before the password is hashed and given back when it was right, so that a hundred tries at once count as a hundred. A name that
nobody has is counted like any other. An owner's known device has a count of its own: strangers who guess can never shut it out.
"""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Tries:
    """How many tries there are, the present one included, and when an earlier closing ends (Unix ms, 0: none)."""

    last_15_min: int
    last_hour: int
    shut_until_ms: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds, in tries that failed. `proof_after` None: no proof of work is ever asked; `picture_after` None: no picture."""

    proof_after: int | None
    shut_after_15_min: int | None
    shut_after_hour: int | None
    shut_ms: int
    picture_after: int | None = None


class Verdict(Enum):
    """What the present try may do."""

    FREE = auto()
    PROOF = auto()
    PICTURE = auto()
    SHUT = auto()


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, and until when it is shut (Unix ms), which is to be remembered when `newly_shut`."""

    verdict: Verdict
    shut_until_ms: int = 0
    newly_shut: bool = False


def judge(tries: Tries, policy: Policy, now_ms: int) -> Judged:
    """What the present try may do. `PROOF` means: free with a proof of work, `PICTURE`: free with a greater one and a picture."""
    if tries.shut_until_ms > now_ms:
        return Judged(Verdict.SHUT, tries.shut_until_ms)
    if _over(tries.last_15_min, policy.shut_after_15_min) or _over(tries.last_hour, policy.shut_after_hour):
        return Judged(Verdict.SHUT, now_ms + policy.shut_ms, newly_shut=True)
    if _over(tries.last_15_min, policy.picture_after):
        return Judged(Verdict.PICTURE)
    if _over(tries.last_15_min, policy.proof_after):
        return Judged(Verdict.PROOF)
    return Judged(Verdict.FREE)


def _over(tries: int, failures: int | None) -> bool:
    return failures is not None and tries > failures
