"""What a recovery's evidence is worth.

Only what counts (`life.counts`) is worth something; nothing that was added, confirmed or used after the horizon is. E-mail addresses are one channel, worth
its points once, however many there are; so are phones, of which the oldest is worth most. Location and the secret question are no possession:
they can shorten a wait, never open the gate.
"""

from dataclasses import dataclass, field
from enum import Enum

from .facts import MONTH_MS, Factor, FactorKind, Facts
from .horizon import horizon_ms
from .life import counts, is_device_mature
from .phones import in_order
from .places import Place

SAVED_CODE, TOTP, PASSKEY, EMAIL, DEVICE = 70, 60, 100, 40, 20
FIRST_PHONE, FIRST_PHONE_OLD = 60, 20
OTHER_PHONE, OTHER_PHONE_OLD = 40, 15
QUESTION_RIGHT, QUESTION_WRONG, QUESTION_FROM = 10, -15, 55
CONFIRMED_WITHIN_MS = 24 * MONTH_MS + 10 * 24 * 3_600_000
"""24 months of the calendar: 730 days."""

CHANNELS: dict[FactorKind, str] = {
    FactorKind.EMAIL: "email",
    FactorKind.PHONE: "sms",
    FactorKind.TOTP: "totp",
    FactorKind.PASSKEY: "passkey",
    FactorKind.CODES: "code",
}


class Answer(Enum):
    """What became of the secret question."""

    NOT_ASKED = "not_asked"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one recovery has shown: ids of factors that were proved, the device it came from, where from, and the question's answer."""

    proved: frozenset[str] = frozenset()
    device: str | None = None
    place: Place = Place.NONE
    answer: Answer = Answer.NOT_ASKED


@dataclass(frozen=True, slots=True)
class Assessment:
    """`points` in all; `channels`: each possession channel and its worth; `one_contact`: the account has nothing but the contact that was proved."""

    points: int
    channels: dict[str, int] = field(default_factory=dict)
    one_contact: bool = False
    contradicted: bool = False

    @property
    def possession(self) -> int:
        """The worth of the best channel."""
        return max(self.channels.values(), default=0)


def assess(facts: Facts, evidence: Evidence, now_ms: int) -> Assessment:
    """Weighs the evidence now."""
    line_ms = horizon_ms(facts, now_ms)
    counted = [factor for factor in facts.factors if counts(factor, facts.policy, line_ms, now_ms)]
    order = [phone.id for phone in in_order(facts, line_ms, now_ms)]
    channels: dict[str, int] = {}
    total = 0
    for factor in counted:
        if factor.id not in evidence.proved or factor.kind is FactorKind.QUESTION:
            continue
        worth = _worth(factor, order, now_ms)
        channel = CHANNELS[factor.kind]
        if factor.kind is FactorKind.PHONE or channel not in channels:
            total += worth  # phones add up, as they are asked one after another; all else is one channel, once
        channels[channel] = max(channels.get(channel, 0), worth)
    total += _circumstances(facts, evidence, line_ms, now_ms)
    if total >= QUESTION_FROM and any(factor.kind is FactorKind.QUESTION for factor in counted):
        total += {Answer.RIGHT: QUESTION_RIGHT, Answer.WRONG: QUESTION_WRONG, Answer.NOT_ASKED: 0}[evidence.answer]
    return Assessment(
        max(total, 0), channels, _is_one_contact(counted, evidence), evidence.place is Place.CONTRADICTION
    )


def worth_of(facts: Facts, factor_id: str, now_ms: int) -> int:
    """What one factor is worth by itself: the weight of its objection (`flow.object_to`)."""
    return assess(facts, Evidence(frozenset({factor_id})), now_ms).points


def _worth(factor: Factor, phone_order: list[str], now_ms: int) -> int:
    match factor.kind:
        case FactorKind.CODES:
            return SAVED_CODE
        case FactorKind.TOTP:
            return TOTP
        case FactorKind.PASSKEY:
            return PASSKEY
        case FactorKind.EMAIL:
            return EMAIL
        case FactorKind.PHONE:
            fresh = now_ms - max(factor.confirmed_ms, factor.proved_ms or 0) <= CONFIRMED_WITHIN_MS
            if phone_order[:1] == [factor.id]:
                return FIRST_PHONE if fresh else FIRST_PHONE_OLD
            return OTHER_PHONE if fresh else OTHER_PHONE_OLD
        case FactorKind.QUESTION:
            return 0


def _circumstances(facts: Facts, evidence: Evidence, line_ms: int, now_ms: int) -> int:
    """A mature device and the place."""
    on_device = any(
        device.id == evidence.device and is_device_mature(device, facts.policy, line_ms, now_ms)
        for device in facts.devices
    )
    return (DEVICE if on_device else 0) + evidence.place.value


def _is_one_contact(counted: list[Factor], evidence: Evidence) -> bool:
    """Whether the account has nothing that counts but one contact, and that is what was proved. The question is not looked at, nor is any device."""
    factors = [factor for factor in counted if factor.kind is not FactorKind.QUESTION]
    return (
        len(factors) == 1
        and factors[0].kind in {FactorKind.EMAIL, FactorKind.PHONE}
        and factors[0].id in evidence.proved
    )
