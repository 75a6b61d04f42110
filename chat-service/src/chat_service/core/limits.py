"""The service's limits by name, what a user may do in a day, and how much may be said in a room.

A limit that is in dry run refuses nothing; what it would have refused is counted (`Turn.refuse`).
"""

from enum import Enum

from garita_common.core.buckets import BucketTable, Rate

DAY_MS = 86_400_000


class Limit(Enum):
    """What is refused; the names are those of `GARITA_CHAT_DRY_RUN` and, but for ROOM_SEND, of the settings themselves."""

    ROOM_SEND = "room_send"
    ROOMS_PER_USER = "rooms_per_user"
    MEMBERS_PER_ROOM = "members_per_room"
    UNANSWERED_ROOMS = "unanswered_rooms"
    NEW_ROOMS_PER_DAY = "new_rooms_per_day"
    DIRECT_ROOMS_PER_DAY = "direct_rooms_per_day"
    INVITATIONS_PER_DAY = "invitations_per_day"
    REPORTS_PER_DAY = "reports_per_day"
    REACTIONS_PER_MESSAGE = "reactions_per_message"
    REACTIONS_PER_USER = "reactions_per_user"
    FILE_BYTES = "file_bytes"
    DAILY_BYTES = "daily_bytes"
    OPEN_UPLOADS = "open_uploads"


def day_of(now_ms: int) -> int:
    """The day, UTC, as a number. Daily allowances are counted by it: one row per user instead of one per act, at the price of two days' worth around midnight."""
    return now_ms // DAY_MS


def until_tomorrow_ms(now_ms: int) -> int:
    """When the next day's allowance begins, in milliseconds from now."""
    return DAY_MS - now_ms % DAY_MS


class RoomBudget:
    """A token bucket per room, over transactions: what one took that did not commit is given back.

    The service owns the rooms, so the count is exact. The table is bounded: the room that was quiet for longest goes out first, and one that was quiet
    for burst / rate seconds has a full bucket anyway.
    """

    def __init__(self, rate: Rate, max_rooms: int) -> None:
        """Args: max_rooms: buckets that are kept."""
        self._table = BucketTable(rate, max_rooms)
        self._now_s = 0.0
        self._taken: list[str] = []

    def __len__(self) -> int:
        """How many rooms have a bucket now."""
        return len(self._table)

    def begin(self, now_s: float) -> None:
        """A new transaction. Args: now_s: of a monotonic clock."""
        self._now_s = now_s
        self._taken.clear()

    def take(self, room: str) -> float:
        """Takes one token and returns 0, or takes nothing and returns the seconds until there is one."""
        wait_s = self._table.take(room, self._now_s)
        if not wait_s:
            self._taken.append(room)
        return wait_s

    def undo(self) -> None:
        """Gives back what the transaction took."""
        for room in self._taken:
            self._table.of(room, self._now_s).give_back()
        self._taken.clear()
