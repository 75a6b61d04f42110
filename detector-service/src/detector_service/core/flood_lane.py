"""Floods. Who keeps running into limits far faster than any client that waits its turn is banned; who merely writes fast is not.

Every refusal is something a limit already stopped. People collect a few (a pasted text, a household that reconnects after a restart), so the
buckets are deep and leak at the pace of a patient client: only what hammers on fills them. Eleven messages in ten seconds are within the limits and
happen to people, if rarely, so that line is only noted.
"""

from garita_common.core.activity import RateHit

from .counting import Entry, Leak, Window
from .facts import Fact
from .scenarios import CONNECTION_FLOOD, MESSAGE_FLOOD, REFUSAL_FLOOD, Finding, Scenario

REFUSED_CONNECTIONS, REFUSED_CONNECTIONS_PER_S = 200.0, 1.0
"""Fifty clients of one office that come back after a restart make about 7 tries each in the first minute; a loop makes 200 in a second."""
OPENED_CONNECTIONS, OPENED_CONNECTIONS_PER_S = 200.0, 2.0
"""An address holds at most 16 connections: 200 openings within a minute are churn."""
REFUSED_REQUESTS, REFUSED_REQUESTS_PER_S = 100.0, 0.5
"""A connection is closed after 20 errors in 5 s: this is five of those, one right after the other."""
MESSAGES, MESSAGES_SPAN_MS = 11, 10_000
NOTED_FOR_MS = 900_000
"""A flood is noted once in the quarter of an hour that it would weigh in a score, or a fast talker would fill the database with decisions."""

NOT_THEIR_DOING = ("node_", "tier_", "banned")
NOT_THEIR_DOING_ENDS = ("_per_node", "_per_prefix", "_per_tier")


def is_own_doing(event: RateHit) -> bool:
    """Whether the limit counts this peer alone: not the whole node's, not a neighbourhood's, not a ban that is in force anyway."""
    return not event.limit.startswith(NOT_THEIR_DOING) and not event.limit.endswith(NOT_THEIR_DOING_ENDS)


class AddressFloodLane:
    """The connections of one address."""

    __slots__ = ("_opened", "_refused")

    def __init__(self) -> None:
        """No connection yet."""
        self._refused = Leak(REFUSED_CONNECTIONS, REFUSED_CONNECTIONS_PER_S)
        self._opened = Leak(OPENED_CONNECTIONS, OPENED_CONNECTIONS_PER_S)

    @property
    def progress(self) -> float:
        """How far on the way to a line: 0 to 1."""
        return max(self._refused.level / REFUSED_CONNECTIONS, self._opened.level / OPENED_CONNECTIONS)

    def refused(self, subject: str, fact: Fact) -> Finding | None:
        """Counts what a limit of this address turned away."""
        if not self._refused.add(Entry(fact.at_ms, fact.id, fact.count)):
            return None
        found, self._refused = self._refused, Leak(REFUSED_CONNECTIONS, REFUSED_CONNECTIONS_PER_S)
        because = f"it went on after limits had turned it away {round(found.level)} times"
        return _over(CONNECTION_FLOOD, subject, found, REFUSED_CONNECTIONS, REFUSED_CONNECTIONS_PER_S, because)

    def opened(self, subject: str, fact: Fact) -> Finding | None:
        """Counts an admitted connection."""
        if not self._opened.add(Entry(fact.at_ms, fact.id, fact.count)):
            return None
        found, self._opened = self._opened, Leak(OPENED_CONNECTIONS, OPENED_CONNECTIONS_PER_S)
        because = f"it opened {round(found.level)} connections more than {OPENED_CONNECTIONS_PER_S:g} a second"
        return _over(CONNECTION_FLOOD, subject, found, OPENED_CONNECTIONS, OPENED_CONNECTIONS_PER_S, because)


class PersonFloodLane:
    """The requests and messages of one user or device."""

    __slots__ = ("_messages", "_quiet_until_ms", "_refused")

    def __init__(self) -> None:
        """Nothing yet."""
        self._quiet_until_ms = 0
        self._refused = Leak(REFUSED_REQUESTS, REFUSED_REQUESTS_PER_S)
        self._messages = Window(MESSAGES_SPAN_MS)

    @property
    def progress(self) -> float:
        """How far on the way to a ban: 0 to 1. Messages lead to none."""
        return self._refused.level / REFUSED_REQUESTS

    def refused(self, subject: str, fact: Fact) -> Finding | None:
        """Counts a request that a limit refused."""
        if not self._refused.add(Entry(fact.at_ms, fact.id, fact.count)):
            return None
        found, self._refused = self._refused, Leak(REFUSED_REQUESTS, REFUSED_REQUESTS_PER_S)
        because = f"it went on after limits had refused {round(found.level)} of its requests"
        return _over(REFUSAL_FLOOD, subject, found, REFUSED_REQUESTS, REFUSED_REQUESTS_PER_S, because)

    def said(self, subject: str, fact: Fact) -> Finding | None:
        """Counts a committed message."""
        if fact.at_ms < self._quiet_until_ms:
            return None
        window = self._messages
        window.add(Entry(fact.at_ms, fact.id, fact.count))
        if window.total < MESSAGES:
            return None
        self.quiet(fact.at_ms + NOTED_FOR_MS)
        return Finding(
            scenario=MESSAGE_FLOOD,
            subject=subject,
            window_start_ms=window.start_ms,
            evidence=window.evidence,
            numbers={"messages": window.total, "line": MESSAGES, "window_s": MESSAGES_SPAN_MS // 1000},
            because=f"it sent {window.total} messages within {MESSAGES_SPAN_MS // 1000} seconds",
        )

    def quiet(self, until_ms: int) -> None:
        """Messages are not looked at before this time."""
        self._messages = Window(MESSAGES_SPAN_MS)
        self._quiet_until_ms = until_ms


def _over(scenario: Scenario, subject: str, leak: Leak, line: float, leak_per_s: float, because: str) -> Finding:
    return Finding(
        scenario=scenario,
        subject=subject,
        window_start_ms=leak.start_ms,
        evidence=leak.evidence,
        numbers={"level": round(leak.level, 1), "line": line, "leak_per_s": leak_per_s},
        because=because,
    )
