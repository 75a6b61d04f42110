"""How much a session may say: the grade of its device, and whether its last second factor was a mature one.

Both are measured against the horizon, so that an intruder's own device and factors never help him (docs/auth-api.md, "Who may say what").
"""

from dataclasses import dataclass

from .core.recovery import life
from .core.recovery.facts import FactorKind, Facts
from .core.recovery.horizon import horizon_ms
from .parts import Parts
from .sessions import FRESH_MS, Present
from .store import Db
from .store_facts import facts_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A session as the rules see it. `factor_matured`: a mature TOTP or passkey was given in it within the last five minutes."""

    device_confirmed: bool
    device_matured: bool
    factor_matured: bool

    @property
    def is_strong(self) -> bool:
        """It may shorten a probation, call something lost, thaw the account and object to a recovery."""
        return self.device_matured and self.factor_matured


async def standing_of(db: Db, parts: Parts, present: Present) -> Standing:
    """The standing of a session now."""
    return standing_in(await facts_of(db, present.account.id, parts.config.factor_policy), present, parts.now_ms())


def standing_in(facts: Facts, present: Present, now_ms: int) -> Standing:
    """The standing of a session, by facts that were read already."""
    session = present.session
    line_ms = horizon_ms(facts, now_ms)
    device = next((device for device in facts.devices if device.id == session.device), None)
    is_fresh = session.otp_ms is not None and now_ms - session.otp_ms <= FRESH_MS
    return Standing(
        device_confirmed=device is not None and device.confirmed_ms is not None,
        device_matured=device is not None and life.is_device_mature(device, facts.policy, line_ms, now_ms),
        factor_matured=is_fresh and _has_matured(facts, session.factor, line_ms, now_ms),
    )


def _has_matured(facts: Facts, factor_id: str | None, line_ms: int, now_ms: int) -> bool:
    return any(
        factor.id == factor_id
        and factor.kind in {FactorKind.TOTP, FactorKind.PASSKEY}
        and life.counts(factor, facts.policy, line_ms, now_ms)
        for factor in facts.factors
    )
