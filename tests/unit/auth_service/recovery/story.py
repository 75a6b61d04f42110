"""The story that the recovery tests are about.

The account is 400 days old, with the phone P1 and the mailbox M1 proved at registration, unless a test says otherwise. Day 0 is the thief's first act, from a
device that nobody ever confirmed.
"""

from dataclasses import replace

from auth_service.core.recovery.facts import DAY_MS, Change, Device, Dispute, Factor, FactorKind, Facts
from auth_service.core.recovery.places import Place
from auth_service.core.recovery.points import Answer, Evidence

DAY_0 = 1_000 * DAY_MS
BORN = DAY_0 - 400 * DAY_MS
OWNERS, THIEFS = "owners-device", "thiefs-device"


def day(number: float) -> int:
    """A time of the story."""
    return DAY_0 + int(number * DAY_MS)


def first(name: str, kind: FactorKind, *, confirmed_ms: int = DAY_0 - 30 * DAY_MS) -> Factor:
    """A factor from the registration."""
    return Factor(name, kind, BORN, BORN, confirmed_ms)


def added(name: str, kind: FactorKind, at_ms: int) -> Factor:
    """A factor added later, with the whole probation."""
    return Factor(name, kind, at_ms, at_ms + 30 * DAY_MS, at_ms)


P1, M1 = first("P1", FactorKind.PHONE), first("M1", FactorKind.EMAIL)
SEEN = tuple(BORN + n * DAY_MS for n in range(0, 400, 7))
MATURE = Device(OWNERS, BORN, BORN, SEEN, registered=True)
STRANGE = Device(THIEFS, DAY_0)
QUESTION = Factor("Q", FactorKind.QUESTION, BORN, BORN + 7 * DAY_MS)
ACCOUNT = Facts((P1, M1, QUESTION), (MATURE,))
OLD_P1 = replace(P1, confirmed_ms=DAY_0 - int(25 * 30.44 * DAY_MS), proved_ms=BORN - 500 * DAY_MS)
TWO_PHONES = replace(
    ACCOUNT, factors=(P1, M1, Factor("P2", FactorKind.PHONE, BORN + DAY_MS, BORN + 40 * DAY_MS, DAY_0))
)
EVENT = Change("c", DAY_0, confirmed=False)
TAKEN_OVER = Facts(
    (
        replace(P1, removed_ms=DAY_0),
        replace(M1, removed_ms=DAY_0),
        replace(first("codes", FactorKind.CODES), removed_ms=DAY_0),
        added("P2", FactorKind.PHONE, DAY_0),
        added("M2", FactorKind.EMAIL, DAY_0),
    ),
    (replace(MATURE, removed_ms=DAY_0), STRANGE),
    (EVENT,),
)
SLEEPER = Facts((P1, M1), (MATURE, STRANGE))
STRUCK = Facts(
    (
        replace(P1, removed_ms=day(45)),
        replace(M1, removed_ms=day(45)),
        added("T", FactorKind.TOTP, day(45)),
        added("P2", FactorKind.PHONE, day(45)),
    ),
    (MATURE, STRANGE),
    (Change("c", day(45), confirmed=False),),
)
DISPUTED = Facts(
    (P1, M1, added("P2", FactorKind.PHONE, DAY_0)),
    (MATURE,),
    (Change("c", DAY_0, confirmed=True),),
    (Dispute(DAY_0, day(9)),),
)


def shown(
    *proved: str, device: str | None = None, place: Place = Place.NONE, answer: Answer = Answer.NOT_ASKED
) -> Evidence:
    """What a recovery has shown."""
    return Evidence(frozenset(proved), device, place, answer)


MAIL_ONLY = Facts((Factor("M1", FactorKind.EMAIL, DAY_0, DAY_0, DAY_0),), (Device(OWNERS, DAY_0, registered=True),))
WITH_THIEFS_PHONE = replace(MAIL_ONLY, factors=(*MAIL_ONLY.factors, added("P2", FactorKind.PHONE, day(2))))
PHONE_ONLY = Facts((P1,), (MATURE,))
PHONE_OLD = Facts((replace(P1, confirmed_ms=DAY_0 - int(26 * 30.44 * DAY_MS), proved_ms=BORN - 600 * DAY_MS),))
