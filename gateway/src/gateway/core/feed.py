"""A gateway's place in one log (a room's events, or a user's own), and who of its connections follows it from where.

The store numbers a log's events without gaps; pub/sub may lose some, and a connection may have come with a cursor of its own. So every event passes
three questions: is it the next one for this gateway, for this member, or does it have to wait?

    opening    the place is not known yet: live events are held
    live       `seq` is the last event seen; the next one is passed on, older ones are dropped, a greater one is a gap
    repairing  a gap was found and the store has been asked: live events are held

A member is in exactly one of three sets. `aligned`: it has got everything up to `seq` (nearly all are here, and a live event goes to this set as a
whole). `ahead`: its recovery has told it more than this gateway has heard yet; live events up to its own place are not for it. `waiting`: its recovery is
under way; live events are kept for it in order, at most `MAX_HELD`, beyond which it has to ask again.

Nothing here does I/O: methods return what is to be written to whom.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

MAX_HELD = 256


class Event(Protocol):
    """An entry of a log."""

    @property
    def seq(self) -> int:
        """Its number: one more than that of the entry before."""


M = TypeVar("M")
E = TypeVar("E", bound=Event)


class Delivery(NamedTuple, Generic[M, E]):
    """These events, in order, to these members. `members` may be a live view: it is to be used before anything else is asked of the feed.

    `is_whole`: they are all who are aligned.
    """

    events: Sequence[E]
    members: Collection[M]
    is_whole: bool = False


class Outcome(NamedTuple, Generic[M, E]):
    """What is to be written, in order, and whether the store has to be asked for what is missing."""

    deliveries: list[Delivery[M, E]]
    gap: bool = False


class Feed(Generic[M, E]):
    """One log at one gateway. Members are compared by identity and hashed. `changes` grows whenever `aligned` becomes another set."""

    __slots__ = (
        "_held",
        "_overflown",
        "ahead",
        "aligned",
        "changes",
        "empty_since_s",
        "epoch",
        "repairing",
        "rest_until_s",
        "seq",
        "waiting",
    )

    def __init__(self) -> None:
        """A feed whose place is not known yet."""
        self.epoch = ""
        self.seq = -1
        self.repairing = False
        self.aligned: dict[M, None] = {}
        self.changes = 0
        self.ahead: dict[M, int] = {}
        self.waiting: dict[M, list[E] | None] = {}
        self.empty_since_s: float | None = None
        self.rest_until_s = 0.0
        self._held: list[tuple[str, Sequence[E]]] = []
        self._overflown = False

    @property
    def is_live(self) -> bool:
        """Whether the place is known and no gap is being repaired."""
        return self.seq >= 0 and not self.repairing

    @property
    def is_empty(self) -> bool:
        """Whether nobody follows it."""
        return not (self.aligned or self.ahead or self.waiting)

    def __contains__(self, member: object) -> bool:
        """Whether the member follows this log, wherever it stands."""
        return member in self.aligned or member in self.ahead or member in self.waiting

    def members(self) -> list[M]:
        """Everybody who follows it."""
        return [*self.aligned, *self.ahead, *self.waiting]

    def take(self, epoch: str, events: Sequence[E]) -> Outcome[M, E]:
        """New events as they were published: in order and without gaps among themselves."""
        if not self.is_live:
            self._hold(epoch, events)
            return Outcome([])
        if epoch != self.epoch:
            return self._gap(epoch, events)
        fresh = events if events[0].seq > self.seq else [event for event in events if event.seq > self.seq]
        if not fresh:
            return Outcome([])
        if fresh[0].seq != self.seq + 1:
            return self._gap(epoch, events)
        return Outcome(self._advance(fresh))

    def opened(self, epoch: str, head: int) -> Outcome[M, E]:
        """The place is known now, from the store's answer to somebody's recovery; a later answer changes nothing."""
        if self.seq >= 0:
            return Outcome([])
        self.epoch, self.seq = epoch, head
        return self._replay()

    def ask_repair(self) -> None:
        """Holds live events from now on: the store is being asked for what follows `seq`."""
        self.repairing = True

    def repaired(self, events: Iterable[E]) -> Outcome[M, E]:
        """The store has told everything after `seq`; what was held follows."""
        self.repairing = False
        fresh = [event for event in events if event.seq > self.seq]
        deliveries = self._advance(fresh) if fresh else []
        replayed = self._replay()
        return Outcome([*deliveries, *replayed.deliveries], replayed.gap)

    def reset(self) -> None:
        """Forgets the place and everybody: what is stored is no longer what was passed on."""
        self.epoch, self.seq, self.repairing = "", -1, False
        self._held, self._overflown = [], False
        for members in (self.aligned, self.ahead, self.waiting):
            members.clear()
        self.changes += 1

    def wait(self, member: M) -> None:
        """From now on live events are kept for this member."""
        self.aligned.pop(member, None)
        self.changes += 1
        self.ahead.pop(member, None)
        self.waiting[member] = []

    def settle(self, member: M, head: int) -> list[E] | None:
        """The member has been told everything up to `head`: returns what was kept for it beyond that, or None if that was too much (it waits on)."""
        held = self.waiting[member]
        if held is None:
            self.waiting[member] = []
            return None
        del self.waiting[member]
        later = [event for event in held if event.seq > head]
        reached = later[-1].seq if later else head
        if reached > self.seq:
            self.ahead[member] = reached
        else:
            self.aligned[member] = None
            self.changes += 1
        return later

    def leave(self, member: M) -> None:
        """The member does not follow this log any more."""
        self.aligned.pop(member, None)
        self.changes += 1
        self.ahead.pop(member, None)
        self.waiting.pop(member, None)

    def _gap(self, epoch: str, events: Sequence[E]) -> Outcome[M, E]:
        self.repairing = True
        self._hold(epoch, events)
        return Outcome([], gap=True)

    def _hold(self, epoch: str, events: Sequence[E]) -> None:
        if self._overflown or len(self._held) >= MAX_HELD:
            self._held, self._overflown = [], True
        else:
            self._held.append((epoch, events))

    def _replay(self) -> Outcome[M, E]:
        """Takes what was held in the meantime; too much of it was dropped, and then there may be a gap that has to be looked for."""
        held, overflown = self._held, self._overflown
        self._held, self._overflown = [], False
        if overflown:
            self.repairing = True
            return Outcome([], gap=True)
        deliveries: list[Delivery[M, E]] = []
        for epoch, events in held:
            outcome = self.take(epoch, events)
            deliveries += outcome.deliveries
            if outcome.gap:
                return Outcome(deliveries, gap=True)
        return Outcome(deliveries)

    def _advance(self, events: Sequence[E]) -> list[Delivery[M, E]]:
        """Passes on events that follow `seq` without a gap."""
        for member, held in self.waiting.items():
            if held is not None:
                if len(held) + len(events) > MAX_HELD:
                    self.waiting[member] = None
                else:
                    held.extend(events)
        if not self.ahead:
            self.seq = events[-1].seq
            return [Delivery(events, self.aligned.keys(), is_whole=True)] if self.aligned else []
        deliveries: list[Delivery[M, E]] = []
        for event in events:
            self.seq = event.seq
            if self.aligned:
                deliveries.append(Delivery([event], list(self.aligned)))
            for member in [member for member, seq in self.ahead.items() if seq <= event.seq]:
                del self.ahead[member]
                self.aligned[member] = None
                self.changes += 1
        return deliveries
