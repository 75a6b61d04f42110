"""Guessing of passwords. Addresses are banned for it; accounts never are, or anybody could lock an owner out.

Per address: a walk of log-likelihoods (the seventh straight failure crosses its line), a bucket of six that empties in a minute, and the number of
different accounts that failed within ten minutes. An address's walk only ever decays: a success steps down the walk of its account alone and once a
day, so nobody's own logins wash an address clean. Failures on a device that the account knows are the owner's and count nowhere.
"""

from garita_common.core.activity import LoginFailed

from .counting import HALF_LIFE_MS, Entry, Leak, Walk, Window
from .facts import Fact
from .scenarios import ACCOUNT_WALK, LOGIN_BURST, LOGIN_SPRAYING, LOGIN_WALK, Finding

BLOCK_LINE = 9.2
"""ln(0.99 / 0.0001): a guesser is missed in 1 of 100, an owner blocked in 1 of 10 000 straight walks; 6.6 steps of ln 4."""
CHALLENGE_LINE = 4.6
BURST, BURST_PER_S = 6.0, 0.1
SPRAYED, SPRAYED_SPAN_MS = 4, 600_000
DAY_MS = 86_400_000
HALF_LIFE_S = HALF_LIFE_MS // 1000


class AddressLoginLane:
    """The failed logins from one address."""

    __slots__ = ("_burst", "_recent", "_walk")

    def __init__(self) -> None:
        """No failure yet."""
        self._reset()

    @property
    def progress(self) -> float:
        """How far on the way to a line: 0 to 1."""
        sprayed = len(self._recent.tags) / SPRAYED
        return max(self._walk.value / BLOCK_LINE, self._burst.level / BURST, sprayed)

    def failed(self, subject: str, fact: Fact, event: LoginFailed) -> Finding | None:
        """Counts one failure."""
        entry = Entry(fact.at_ms, fact.id, fact.count, event.account)
        value, burst, recent = self._walk.fail(entry), self._burst.add(entry), self._recent
        recent.add(entry)
        accounts = len(recent.tags)
        finding: Finding | None = None
        if accounts >= SPRAYED:
            finding = Finding(
                scenario=LOGIN_SPRAYING,
                subject=subject,
                window_start_ms=recent.start_ms,
                evidence=recent.evidence,
                numbers={"accounts": accounts, "line": SPRAYED, "window_s": SPRAYED_SPAN_MS // 1000},
                because=f"logins to {accounts} different accounts failed from it within 10 minutes",
            )
        elif value >= BLOCK_LINE:
            finding = Finding(
                scenario=LOGIN_WALK,
                subject=subject,
                window_start_ms=self._walk.start_ms,
                evidence=self._walk.evidence,
                numbers={
                    "failures": self._walk.steps,
                    "log_likelihood": round(value, 2),
                    "line": BLOCK_LINE,
                    "half_life_s": HALF_LIFE_S,
                },
                because=f"{self._walk.steps} logins from it failed (log-likelihood {value:.1f}, line {BLOCK_LINE})",
            )
        elif burst:
            finding = Finding(
                scenario=LOGIN_BURST,
                subject=subject,
                window_start_ms=self._burst.start_ms,
                evidence=self._burst.evidence,
                numbers={"level": round(self._burst.level, 1), "line": BURST, "leak_per_s": BURST_PER_S},
                because="more than 6 logins from it failed within 60 seconds",
            )
        if finding is not None:
            self._reset()
        return finding

    def _reset(self) -> None:
        self._walk = Walk()
        self._burst = Leak(BURST, BURST_PER_S)
        self._recent = Window(SPRAYED_SPAN_MS)


class AccountLoginLane:
    """The logins to one account, from wherever."""

    __slots__ = ("_cleared_day", "_walk")

    def __init__(self) -> None:
        """No login yet."""
        self._walk = Walk()
        self._cleared_day = -1

    @property
    def progress(self) -> float:
        """How far on the way to the line: 0 to 1."""
        return self._walk.value / CHALLENGE_LINE

    def failed(self, subject: str, fact: Fact) -> Finding | None:
        """Counts one failure."""
        walk = self._walk
        if walk.fail(Entry(fact.at_ms, fact.id, fact.count)) < CHALLENGE_LINE:
            return None
        self._walk = Walk()
        return Finding(
            scenario=ACCOUNT_WALK,
            subject=subject,
            window_start_ms=walk.start_ms,
            evidence=walk.evidence,
            numbers={
                "failures": walk.steps,
                "log_likelihood": round(walk.value, 2),
                "line": CHALLENGE_LINE,
                "half_life_s": HALF_LIFE_S,
            },
            because=f"{walk.steps} logins to it failed (log-likelihood {walk.value:.1f}, line {CHALLENGE_LINE})",
        )

    def succeeded(self, at_ms: int) -> None:
        """Counts a success, the first of its UTC day."""
        if at_ms // DAY_MS != self._cleared_day:
            self._cleared_day = at_ms // DAY_MS
            self._walk.succeed(at_ms)
