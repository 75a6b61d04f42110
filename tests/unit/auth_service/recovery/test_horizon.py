"""Up to when what was done counts."""

from dataclasses import replace

from auth_service.core.recovery.facts import Change, Device, Dispute, Facts
from auth_service.core.recovery.horizon import horizon_ms

from .story import (
    DAY_0,
    MATURE,
    THIEFS,
    day,
)


def test_the_horizon_is_the_earliest_act_of_a_strange_device() -> None:
    """A login of one, or what one changed; confirming it later takes back only the login."""
    strange = Device(THIEFS, day(-20))
    change = Change("c", day(-10), confirmed=False)

    assert horizon_ms(Facts(devices=(MATURE,)), DAY_0) == DAY_0
    assert horizon_ms(Facts(devices=(MATURE, strange), changes=(change,)), DAY_0) == day(-20)
    assert horizon_ms(Facts(devices=(replace(strange, confirmed_ms=day(-1)),), changes=(change,)), DAY_0) == day(-10)
    assert horizon_ms(Facts(devices=(replace(strange, first_login_ms=day(-30)),)), DAY_0) == DAY_0
    assert horizon_ms(Facts(changes=(replace(change, confirmed=True),)), DAY_0) == DAY_0


def test_a_dispute_holds_its_event_for_thirty_days_or_until_a_recovery() -> None:
    """However old the event is."""
    dispute = Dispute(day(-60), day(-29))

    assert horizon_ms(Facts(disputes=(dispute,)), DAY_0) == day(-60)
    assert horizon_ms(Facts(disputes=(replace(dispute, opened_ms=day(-30)),)), DAY_0) == DAY_0
    assert horizon_ms(Facts(disputes=(replace(dispute, closed=True),)), DAY_0) == DAY_0
