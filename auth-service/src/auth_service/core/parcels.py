"""What is handed to the next hop, and what comes of it."""

from dataclasses import dataclass
from enum import Enum

from .retrying import Queue


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way. `message_id` is the same in every try, of letters and digits."""

    to: str
    text: str
    queue: Queue
    message_id: str
    at_ms: int


class Outcome(Enum):
    """What the next hop made of a try; its value is the metrics' label. `LATER` is everything that another try may mend, our own mistakes with it."""

    SENT = "sent"
    LATER = "later"
    UNKNOWN = "unknown"
    """Refused for good: there is no such number or mailbox."""
    STOPPED = "stopped"
    """Refused for good: whoever has the number wants nothing more."""
