"""People in rooms of different sizes who talk until told to stop, and the books of each room.

Everybody is in the plaza; streets hold a quarter, tables ten, and pairs two. A person says one message after the answer to the one before, mostly in small rooms,
so that every room has some talk and the plaza does not drown the rest; now and then it is a reaction to one's own last message instead. Everything that a room
stores counts as heard: messages, reactions, and who came.
"""

import asyncio
import itertools
import random
import time
import uuid
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.people import PersonTokens
from bench.tally import Member, Tally
from garita_client import Client, Event, GaritaError

ENTER_AT_ONCE = 16
ENTER_TIMEOUT_S = 120.0
SEND_TIMEOUT_S = 240.0
SETTLE_TIMEOUT_S = 180.0
STREETS, TABLE, PAIR = 4, 10, 2
PLAZA_SHARE, STREET_SHARE = 0.04, 0.12
REACTION_SHARE = 0.15
STORED = frozenset({"message", "edited", "deleted", "reaction", "member", "room"})
EMOJI = ("👍", "🎉")


@dataclass
class Room:
    """One room's books. `first_heard`: the cmid that was heard first under each seq; `changed`: the seqs that were answered to reactions."""

    size: int
    id: str = ""
    tally: Tally = field(default_factory=Tally)
    first_heard: dict[int, str] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)


@dataclass
class Times:
    """When each message was said and answered, in seconds of the monotonic clock."""

    said: "array[float]" = field(default_factory=lambda: array("d"))
    answered: "array[float]" = field(default_factory=lambda: array("d"))

    def waits(self) -> list[tuple[float, float]]:
        """From when to when each message waited for its answer."""
        return list(zip(self.said, self.answered, strict=True))

    def silences(self) -> list[tuple[float, float]]:
        """From when to when nobody got an answer."""
        return list(itertools.pairwise(sorted(self.answered)))


class Resident:
    """One person with a connection, in several rooms."""

    def __init__(self, name: str, client: Client, crowd: "Crowd") -> None:
        """Args: name: of the account."""
        self.name = name
        self.client = client
        self.members: dict[str, Member] = {}
        self._crowd = crowd
        self._last: dict[str, str] = {}
        self._reactions = 0

    async def enter(self, room: Room) -> None:
        """Becomes a member, with an account of what is heard from here on."""
        joined = await self.client.join(room.id, timeout_s=ENTER_TIMEOUT_S)
        self.settle_in(room, joined.seq)

    def settle_in(self, room: Room, seq: int) -> None:
        """Is a member since that event."""
        self.members[room.id] = member = Member(self.name, joined_seq=seq)
        room.tally.members.append(member)

    async def hear(self) -> None:
        """Writes down everything that is stored."""
        async for event in self.client:
            if event.op in STORED:
                self._heard(event, str(event.room))
            elif event.op in ("reset", "gone"):
                self._crowd.failures.append(f"{self.name}: {event.op}")

    def _heard(self, event: Event, room_id: str) -> None:
        room, member = self._crowd.by_id.get(room_id), self.members.get(room_id)
        if room is None or member is None:
            self._crowd.failures.append(f"{self.name}: {event.op} of a room that is not theirs")
            return
        cmid, seq = event.cmid or "", event.seq or 0
        if seq <= member.joined_seq:
            return  # one's own entry
        member.heard.append(seq)
        self._crowd.deliveries += 1
        if event.op != "message":
            return
        if room.first_heard.setdefault(seq, cmid) != cmid or room.tally.texts.get(cmid) != event.text:
            room.tally.wrong_content += 1

    async def talk(self, every_s: float, chance: random.Random, over: asyncio.Event) -> None:
        """Says something now and then."""
        rooms = sorted((self._crowd.by_id[room] for room in self.members), key=lambda room: -room.size)
        shares = [PLAZA_SHARE, STREET_SHARE, *([1.0] * (len(rooms) - 2))]
        number = 0
        while not over.is_set():
            try:
                async with asyncio.timeout(chance.expovariate(1 / every_s)):
                    await over.wait()
            except TimeoutError:
                number += 1
                (room,) = chance.choices(rooms, shares)
                if room.id in self._last and chance.random() < REACTION_SHARE:
                    await self.react(room)
                else:
                    await self.say(room, f"{self.name} says {number}: " + "x" * chance.randrange(200))

    async def say(self, room: Room, text: str) -> None:
        """One message, with its entries in the books."""
        crowd, cmid = self._crowd, str(uuid.uuid4())
        room.tally.texts[cmid] = text
        said = time.monotonic()
        try:
            sent = await self.client.send(room.id, text, cmid=cmid, timeout_s=SEND_TIMEOUT_S)
        except GaritaError as exc:
            crowd.failures.append(f"{self.name}: {exc}")
            return
        now = time.monotonic()
        self._last[room.id] = sent.mid
        room.tally.acknowledged[cmid] = sent.seq
        room.tally.ack_latency.add((now - said) * 1000)
        crowd.times.said.append(said)
        crowd.times.answered.append(now)

    async def react(self, room: Room) -> None:
        """A reaction to one's own last message there."""
        self._reactions += 1
        mid, emoji = self._last.pop(room.id), EMOJI[self._reactions % len(EMOJI)]
        try:
            changed = await self.client.react(room.id, mid, emoji, timeout_s=SEND_TIMEOUT_S)
        except GaritaError as exc:
            self._crowd.failures.append(f"{self.name}: {exc}")
            return
        if changed.seq is not None:
            room.changed.add(changed.seq)

    def caught_up(self, heads: dict[str, int]) -> bool:
        """Whether everything up to these heads was heard."""
        cursors = [(self.client.cursor(room), heads[room]) for room in self.members]
        return all(cursor is not None and cursor.seq >= head for cursor, head in cursors)


class Crowd:
    """All people and rooms of one run."""

    def __init__(self, people: list[tuple[str, PersonTokens]], addresses: list[str]) -> None:
        """Args: addresses: taken in turn, transports and gateways alike."""
        self.residents = [
            Resident(name, Client(addresses[number % len(addresses)], tokens, name="garita chaos"), self)
            for number, (name, tokens) in enumerate(people)
        ]
        self.by_id: dict[str, Room] = {}
        self.times = Times()
        self.deliveries = 0
        self.failures: list[str] = []

    @property
    def rooms(self) -> list[Room]:
        """Every room."""
        return list(self.by_id.values())

    @property
    def connected(self) -> int:
        """How many have a connection now."""
        return sum(resident.client.is_connected for resident in self.residents)

    @property
    def sent(self) -> int:
        """Messages said so far, answered or not."""
        return sum(len(room.tally.texts) for room in self.rooms)

    async def settle_in(self, progress: Callable[[], None]) -> None:
        """Everybody connects; the rooms are made and filled."""
        slots = asyncio.Semaphore(ENTER_AT_ONCE)

        async def connect(resident: Resident) -> None:
            async with slots:
                await resident.client.connected(timeout_s=ENTER_TIMEOUT_S)

        async def fill(members: list[Resident]) -> None:
            async with slots:
                room = Room(len(members))
                first = members[0].client
                made = await first.create_room("public", f"chaos {len(members)}", timeout_s=ENTER_TIMEOUT_S)
                room.id = made.id
                self.by_id[room.id] = room
                members[0].settle_in(room, 1)
                for member in members[1:]:
                    await member.enter(room)
            progress()

        async with asyncio.TaskGroup() as tasks:
            for resident in self.residents:
                tasks.create_task(connect(resident))
        async with asyncio.TaskGroup() as tasks:
            for members in self.groups():
                tasks.create_task(fill(members))

    def groups(self) -> list[list[Resident]]:
        """Who shares a room with whom: everybody in one of each size."""
        everybody = self.residents
        sizes = (len(everybody), max(len(everybody) // STREETS, PAIR), min(TABLE, len(everybody)), PAIR)
        return [
            group
            for size in sizes
            for start in range(0, len(everybody), size)
            if len(group := everybody[start : start + size]) >= 1
        ]

    async def wait_until_heard(self, heads: dict[str, int]) -> bool:
        """Whether everybody has heard everything, in the end."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while time.monotonic() < deadline:
            if all(resident.caught_up(heads) for resident in self.residents):
                return True
            await asyncio.sleep(0.2)
        return False
