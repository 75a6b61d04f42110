"""When a message that could not be handed over is tried again, and until when it is worth that."""

from enum import Enum
from typing import Final

MINUTE_MS: Final = 60_000
FIRST_MS: Final = MINUTE_MS
"""What greylisting servers ask for at least."""
LONGEST_MS: Final = 6 * 60 * MINUTE_MS
"""After an outage of any length a notice is out within this."""


class Queue(Enum):
    """The two queues. Codes can be asked for by a stranger, so they are capped; notices warn the owner, so they never are, and never wait behind codes."""

    CODES = "codes"
    NOTICES = "notices"

    @property
    def kept_ms(self) -> int:
        """How long a message is tried: a code is stale after a day at the very most, a notice matters while its links (10 d) still work."""
        return (1 if self is Queue.CODES else 7) * 24 * 60 * MINUTE_MS


def wait_ms(tries: int) -> int:
    """How long to wait after so many failed tries (1 or more): 1 min, doubled each time, at most 6 h."""
    return min(FIRST_MS << min(tries - 1, 20), LONGEST_MS)
