"""The messages that a terminal has shown, so that a person can name one by its number: its `seq` in the room."""

from collections import OrderedDict
from dataclasses import dataclass

from .hearing import Event

KEPT_PER_ROOM = 500
"""What somebody may scroll back to in a terminal; older ones are asked for by their number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message, as far as it must be known to answer, change or take it back."""

    seq: int
    mid: str
    user: str
    text: str
    deleted: bool = False


class Seen:
    """Per room the newest messages that were shown."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
        self._rooms: dict[str, OrderedDict[int, Shown]] = {}
        self._numbers: dict[str, int] = {}
        self._reactions: set[tuple[str, str]] = set()

    def note(self, event: Event, own: str) -> None:
        """Takes in a message, what became of one, or a reaction of one's own."""
        room = event.room_id
        if room is None or event.seq is None:
            return
        if event.op == "message" and event.mid and event.user:
            self._keep(room, Shown(event.seq, event.mid, event.user.id, event.text or "", event.deleted))
        elif event.op in ("edited", "deleted") and event.of is not None and not event.void:
            known = self._of(room).get(event.of)
            if known is not None:
                text = event.text or "" if event.op == "edited" else ""
                self._keep(room, Shown(known.seq, known.mid, known.user, text, event.op == "deleted" or known.deleted))
        elif event.op == "reaction" and event.user and event.user.id == own:
            change = self._reactions.add if event.on else self._reactions.discard
            change((event.mid or "", event.emoji or ""))

    def message(self, room: str, number: int) -> Shown | None:
        """The message of this number, None where it was not shown or is no message."""
        return self._of(room).get(number)

    def last_of(self, room: str, user: str) -> Shown | None:
        """The newest message of somebody that still stands."""
        shown = self._of(room).values()
        return next((one for one in reversed(list(shown)) if one.user == user and not one.deleted), None)

    def number_of(self, mid: str) -> int | None:
        """The number of a message that another one answers."""
        return self._numbers.get(mid)

    def has_reacted(self, mid: str, emoji: str) -> bool:
        """Whether one's own reaction stands on a message."""
        return (mid, emoji) in self._reactions

    def _of(self, room: str) -> OrderedDict[int, Shown]:
        return self._rooms.get(room) or OrderedDict()

    def _keep(self, room: str, shown: Shown) -> None:
        kept = self._rooms.setdefault(room, OrderedDict())
        kept[shown.seq] = shown
        self._numbers[shown.mid] = shown.seq
        if len(kept) > KEPT_PER_ROOM:
            _, gone = kept.popitem(last=False)
            self._numbers.pop(gone.mid, None)
