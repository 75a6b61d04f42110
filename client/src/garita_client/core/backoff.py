"""How long to wait before the next attempt (docs/protocol.md §5).

Full jitter: a random time between 0 and 0.5 s × 2^attempt, at most 30 s, so that thousands of clients that lost the same server do not
come back in step. The count of attempts starts anew only after a connection that held for 30 s: a server that accepts and drops at once
is not a server that is well.
"""

from dataclasses import dataclass

BASE_S = 0.5
CEILING_S = 30.0
GOOD_AFTER_S = 30.0


@dataclass(slots=True)
class Backoff:
    """The waiting times of one client; the caller brings the random number and the clock."""

    base_s: float = BASE_S
    ceiling_s: float = CEILING_S
    good_after_s: float = GOOD_AFTER_S
    attempt: int = 0

    def next_delay_s(self, fraction: float, *, at_least_s: float = 0.0) -> float:
        """The next wait. `fraction` is random in [0, 1); `at_least_s` is what the server asked for."""
        ceiling_s = min(self.ceiling_s, self.base_s * 2.0 ** min(self.attempt, 16))
        self.attempt += 1
        return max(at_least_s, fraction * ceiling_s)

    def connection_ended(self, held_s: float) -> None:
        """Starts anew when the connection that has just ended had held long enough to count as good."""
        if held_s >= self.good_after_s:
            self.attempt = 0


def repeat_delay_s(repeats: int, retry_after_ms: int | None, fraction: float) -> float:
    """The wait before a request is repeated after a temporary error: what the server said, or 0.1 s × 2^repeats up to 5 s, half of it jitter."""
    if retry_after_ms is not None:
        return retry_after_ms / 1000 + 0.05 * fraction
    return min(5.0, 0.1 * 2.0 ** min(repeats, 10)) * (0.5 + 0.5 * fraction)
