"""One transaction's work in hand: the rows it sees, and what is to be said once it has committed.

Handlers get a `Turn` and return a `Done`; they decide everything before their first write, so that a refusal leaves nothing behind. Events
gathered here are published only if the transaction commits: a turn that failed is thrown away whole. `tally` counts commands by operation and outcome.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET

from garita_common.core import ids
from garita_common.core.errors import AppError, LimitReached
from garita_common.core.frames import Search, Send, Typing
from garita_common.core.records import AttachRoom, Command, Directive, PersonalEvent, RoomEvent

from . import store_audit
from .core import speech
from .core.moderation import Action, Entry
from .core.rooms import Role, Room, RoomLimits, TalkLimits, User
from .core.uploads import UploadLimits
from .store import Store

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers that handlers hold requests against."""

    rooms: RoomLimits
    uploads: UploadLimits
    talk: TalkLimits


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler answers: the fields of an `ok`, or an error that has changed something. `body` empty: the client hears nothing yet, nothing is kept."""

    body: bytes
    directive: Directive | None = None
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message, for the record of activity."""

    gateway: str
    command: Command
    op: Send


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


@dataclass(slots=True)
class Turn:
    """See the module."""

    store: Store
    now_ms: int
    entropy: Entropy
    rules: Rules
    room_events: dict[tuple[str, str], list[RoomEvent]] = field(default_factory=dict)
    personal_events: dict[str, list[PersonalEvent]] = field(default_factory=dict)
    room_passing: dict[tuple[str, str], dict[tuple[str, str], bytes]] = field(default_factory=dict)
    own_passing: dict[str, dict[tuple[str, str], bytes]] = field(default_factory=dict)
    searches: list[Asked] = field(default_factory=list)
    sent: list[Sent | Typed] = field(default_factory=list)
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)

    def publish(self, room: Room, event: RoomEvent) -> None:
        """Says a stored event to the room after the commit."""
        self.room_events.setdefault((room.id, room.epoch), []).append(event)

    def pass_on(self, room: Room, op: str, user: User, frame: bytes) -> None:
        """Says something in passing to the room after the commit; of one kind and user only the newest."""
        self.room_passing.setdefault((room.id, room.epoch), {})[(op, user.id)] = frame

    def pass_to_own(self, room: Room, op: str, user: User, frame: bytes) -> None:
        """Says something in passing to the user's own connections after the commit; of one kind and room only the newest."""
        self.own_passing.setdefault(user.id, {})[(op, room.id)] = frame

    def require_space(self, room: Room | None, user: User) -> None:
        """Lets a user come into a room (None: a new one).

        Raises:
            LimitReached: the user is in as many rooms as one may be in, or the room is full.
        """
        if self.store.count_rooms_of(user.id) >= self.rules.rooms.rooms_per_user:
            raise LimitReached(f"A user is in at most {self.rules.rooms.rooms_per_user} rooms.")
        if room is not None and room.members >= self.rules.rooms.members_per_room:
            raise LimitReached("This room is full.")

    def enter(self, room: Room, user: User, role: Role) -> AttachRoom:
        """Makes a user a member; gives the cursor after which the user's own `joined` is the first event."""
        attach = AttachRoom(room.id, room.epoch, room.head)
        self.store.add_member(room, user.id, role)
        self._membership(room, user, "joined")
        return attach

    def exit(self, room: Room, user: User) -> None:
        """Ends a user's membership."""
        self.store.remove_member(room, user.id)
        self._membership(room, user, "left")

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

    def _membership(self, room: Room, user: User, change: Literal["joined", "left"]) -> None:
        frame = speech.encode(speech.Member(room.id, room.epoch, room.head + 1, self.now_ms, speech.ref(user), change))
        self.publish(room, self.store.append(room, frame, leaver=user.id if change == "left" else ""))
