"""The horizon: the time before which what was done counts for recovery.

An intruder must not make his own history. So the first login of a device that nobody has confirmed, and whatever such a device changed, draw a line, and
only what was there before it is looked at. The line forgets after 30 days; an event that somebody disputed is held longer.
"""

from .facts import DAY_MS, Facts

WINDOW_MS = 30 * DAY_MS
DISPUTE_MS = 30 * DAY_MS


def horizon_ms(facts: Facts, now_ms: int) -> int:
    """The earliest such event, or now."""
    recent_ms = now_ms - WINDOW_MS
    # Confirming a device later takes back its login; whether it was confirmed when it changed something stays as it was.
    logins = (
        device.first_login_ms for device in facts.devices if device.confirmed_ms is None and not device.registered
    )
    changes = (change.at_ms for change in facts.changes if not change.confirmed)
    disputed = (
        dispute.event_ms
        for dispute in facts.disputes
        if not dispute.closed and dispute.opened_ms <= now_ms < dispute.opened_ms + DISPUTE_MS
    )
    own = [at_ms for at_ms in (*logins, *changes) if recent_ms < at_ms <= now_ms]
    return min([now_ms, *own, *disputed])
