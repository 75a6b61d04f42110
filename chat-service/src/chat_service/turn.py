"""One transaction's work in hand: the rows it sees, and what is to be said once it has committed.

Handlers get a `Turn` and return a `Done`; they decide everything before their first write, so that a refusal leaves nothing behind. Events
gathered here are published only if the transaction commits: a turn that failed is thrown away whole. `tally` counts commands by operation and outcome.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET

from garita_common.core import ids
from garita_common.core.buckets import Rate
from garita_common.core.errors import AppError, LimitReached, Quota, RateLimited
from garita_common.core.frames import Edit, Report, Search, Send, Typing
from garita_common.core.records import AttachRoom, Command, Directive, PersonalEvent, RoomEvent

from . import store_allowances, store_audit
from .core import limits, speech
from .core.limits import Limit, RoomBudget
from .core.moderation import Action, Entry
from .core.rooms import MAX_ATTACHED_ROOMS, Kind, Role, Room, RoomLimits, TalkLimits, User
from .core.uploads import UploadLimits
from .store import Store

Entropy = Callable[[int], bytes]
MAX_WAIT_S = 60.0
"""No longer wait is named, whatever the rate."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers that handlers hold requests against; those in `dry_run` only count what they would refuse."""

    rooms: RoomLimits
    uploads: UploadLimits
    talk: TalkLimits
    room_send: Rate
    per_day: Mapping[Limit, int]
    dry_run: frozenset[Limit] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler answers: the fields of an `ok`, or an error that has changed something. `body` empty: the client hears nothing yet, nothing is kept.

    `about`: who wrote what was reported just now, for the record of activity.
    """

    body: bytes
    directive: Directive | None = None
    error: AppError | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message, or another text of one, for the record of activity."""

    gateway: str
    command: Command
    op: Send | Edit


@dataclass(frozen=True, slots=True)
class Typed:
    """Somebody has begun to write, for the record of activity."""

    gateway: str
    command: Command
    op: Typing


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, which is carried out after the commit, beside it."""

    gateway: str
    command: Command
    op: Search


@dataclass(frozen=True, slots=True)
class Reported:
    """A new report of a message that `about` wrote, for the record of activity."""

    gateway: str
    command: Command
    op: Report
    about: str


@dataclass(slots=True)
class Turn:
    """See the module."""

    store: Store
    now_ms: int
    entropy: Entropy
    rules: Rules
    budget: RoomBudget
    room_events: dict[tuple[str, str], list[RoomEvent]] = field(default_factory=dict)
    personal_events: dict[str, list[PersonalEvent]] = field(default_factory=dict)
    room_passing: dict[tuple[str, str], dict[tuple[str, str], bytes]] = field(default_factory=dict)
    own_passing: dict[str, dict[tuple[str, str], bytes]] = field(default_factory=dict)
    searches: list[Asked] = field(default_factory=list)
    sent: list[Sent | Typed | Reported] = field(default_factory=list)
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    would_refuse: Counter[str] = field(default_factory=Counter)

    def publish(self, room: Room, event: RoomEvent) -> None:
        """Says a stored event to the room after the commit."""
        self.room_events.setdefault((room.id, room.epoch), []).append(event)

    def pass_on(self, room: Room, op: str, user: User, frame: bytes) -> None:
        """Says something in passing to the room after the commit; of one kind and user only the newest."""
        self.room_passing.setdefault((room.id, room.epoch), {})[(op, user.id)] = frame

    def pass_to_own(self, room: Room, op: str, user: User, frame: bytes) -> None:
        """Says something in passing to the user's own connections after the commit; of one kind and room only the newest."""
        self.own_passing.setdefault(user.id, {})[(op, room.id)] = frame

    def refuse(self, limit: Limit, error: AppError) -> None:
        """Refuses what is over a limit, or counts it where the limit is in dry run.

        Raises:
            AppError: `error`.
        """
        if limit not in self.rules.dry_run:
            raise error
        self.would_refuse[limit.value] += 1

    def require_space(self, room: Room | None, user: User, *, unasked: bool = False) -> None:
        """Lets a user come into a room (None: a new one). Args: unasked: into a direct room, by the other one.

        Raises:
            LimitReached: the user is in as many rooms as one may be in, or has left as many direct rooms unanswered as may wait, or the room is full.
        """
        numbers, places = self.rules.rooms, self.store.count_rooms_of(user.id)
        error = LimitReached(f"A user is in at most {numbers.rooms_per_user} rooms.")
        if places >= MAX_ATTACHED_ROOMS:
            raise error  # also in dry run: a connection could not be attached to more
        if places >= numbers.rooms_per_user:
            self.refuse(Limit.ROOMS_PER_USER, error)
        if unasked and self.store.count_unasked(user.id) >= numbers.unanswered_rooms:
            self.refuse(Limit.UNANSWERED_ROOMS, LimitReached("This user has many conversations to answer already."))
        if room is not None and room.members >= numbers.members_per_room:
            self.refuse(Limit.MEMBERS_PER_ROOM, LimitReached("This room is full."))

    def spend(self, user: User, limit: Limit) -> None:
        """Takes one of today's allowance: the last thing asked before the first write.

        Raises:
            Quota: it is used up; `retry_after_ms` is until midnight, UTC.
        """
        day = limits.day_of(self.now_ms)
        if store_allowances.used(self.store.db, user.id, limit.value, day) >= self.rules.per_day[limit]:
            self.refuse(limit, Quota(retry_after_ms=limits.until_tomorrow_ms(self.now_ms)))
        store_allowances.use(self.store.db, user.id, limit.value, day)
        self.store.writes += 1

    def charge(self, room: Room) -> None:
        """Takes from what may be said in a room, before a seq is taken.

        Raises:
            RateLimited: everybody together has said too much there.
        """
        wait_s = self.budget.take(room.id)
        if wait_s:
            wait_ms = math.ceil(min(wait_s, MAX_WAIT_S) * 1000)
            self.refuse(Limit.ROOM_SEND, RateLimited("This room is too busy.", retry_after_ms=wait_ms))

    def enter(self, room: Room, user: User, role: Role, *, unasked: bool = False) -> AttachRoom:
        """Makes a user a member; gives the cursor after which the user's own `joined` is the first event."""
        attach = AttachRoom(room.id, room.epoch, room.head)
        self.store.add_member(room, user.id, role, unasked=unasked)
        self.say_member(room, user, "joined", role=role)
        return attach

    def exit(
        self, room: Room, user: User, change: Literal["left", "kicked", "banned"] = "left", *, by: User | None = None
    ) -> None:
        """Ends a user's membership. A room that loses its last owner by it gets another, where somebody may inherit."""
        self.store.remove_member(room, user.id)
        self.say_member(room, user, change, by=by, leaver=user.id)
        if room.kind is Kind.DIRECT or self.store.count_owners(room.id):
            return
        heir = self.store.heir(room.id)
        if heir is not None:
            self.store.set_role(room.id, heir.id, Role.OWNER)
            self.say_member(room, heir, "role", role=Role.OWNER)

    def say_member(
        self,
        room: Room,
        user: User,
        change: speech.MemberChange,
        *,
        by: User | None = None,
        role: Role | None = None,
        leaver: str = "",
    ) -> None:
        """Says what has become of a user in a room. Args: leaver: the user, if this ended a membership."""
        frame = speech.Member(
            room=room.id,
            epoch=room.epoch,
            seq=room.head + 1,
            ts=self.now_ms,
            user=speech.ref(user),
            change=change,
            by=speech.ref(by) if by is not None else UNSET,
            role=role.value if role is not None else UNSET,
        )
        self.publish(room, self.store.append(room, speech.encode(frame), leaver=leaver))

    def tell(
        self,
        user: User,
        kind: Literal["invited", "joined", "direct"],
        room: Room,
        *,
        by: User | None = None,
        attach: AttachRoom | None = None,
    ) -> None:
        """Writes an entry into a user's own log, said to all of the user's connections after the commit."""
        frame = speech.encode(
            speech.Notice(
                log="@me",
                seq=self.store.notice_head(user.id) + 1,
                kind=kind,
                room=speech.room_object(room, self.peer(room, user.id)),
                ts=self.now_ms,
                by=speech.ref(by) if by is not None else UNSET,
            )
        )
        event = self.store.append_notice(user.id, frame, attach)
        self.personal_events.setdefault(user.id, []).append(event)

    def note(
        self,
        room: Room,
        action: Action,
        *,
        by: User | None,
        user: User | None = None,
        mid: str = "",
        note: str = "",
        **detail: str,
    ) -> int:
        """Writes an entry into the room's audit trail, which its moderators can read; gives the entry's number.

        Args: by: the moderator, or nobody for a report; user: the one concerned; detail: see `Entry`.
        """
        self.store.writes += 1
        return store_audit.add_entry(
            self.store.db, Entry(room.id, self.now_ms, action, by=by, user=user, mid=mid, note=note, detail=detail)
        )

    def peer(self, room: Room, beholder: str) -> User | None:
        """The other one of a direct room."""
        peer = room.peer_of(beholder)
        return None if peer is None else self.store.user(peer) or User(peer, "")

    def own_room(self, room: Room, user: str) -> dict[str, object]:
        """A room object as one user sees it."""
        read = self.store.marks(room.id, user).read
        return speech.own_room_object(room, self.peer(room, user), self.store.role(room.id, user), read)

    def new_id(self) -> bytes:
        """Random bytes for an id."""
        return self.entropy(ids.ID_BYTES)
