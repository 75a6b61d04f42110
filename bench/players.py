"""The clients of a replay: one per author, each with its own account and connection, half of them on each transport.

Each says its messages in order at their time, one after the answer to the other, and never faster than the limit of its connection: a
person whose burst is squeezed by the replay's speed waits, as a well-behaved client does.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field

from bench.day import Day, made_up_text
from bench.people import PersonTokens
from bench.tally import Member, Tally
from garita_client import Client, Event, GaritaError

SEND_BURST = 9.0
SEND_PER_S = 1.9
"""Just below the limits of docs/protocol.md §6 (10 and 2/s), so that clocks that differ a little do not make refusals."""

CONNECT_AT_ONCE = 24
JOIN_TIMEOUT_S = 120.0
SEND_TIMEOUT_S = 180.0
SETTLE_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One message to say: when (seconds after the start) and what."""

    at_s: float
    text: str


@dataclass
class Pace:
    """A bucket like the server's."""

    level: float = SEND_BURST
    filled_at_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Takes one; how long to wait before using it."""
        self.level = min(SEND_BURST, self.level + (now_s - self.filled_at_s) * SEND_PER_S) - 1
        self.filled_at_s = now_s
        return max(0.0, -self.level / SEND_PER_S)


@dataclass
class Course:
    """What is shared by all players of one replay."""

    tally: Tally
    room: str = ""
    started: float = 0.0
    sent_at: dict[str, float] = field(default_factory=dict)
    first_heard: dict[int, str] = field(default_factory=dict)
    deliveries: int = 0
    held_back: int = 0
    held_back_s: float = 0.0
    latest_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    acks: int = 0
    last_ack: float = 0.0


class Player:
    """One author's client."""

    def __init__(self, client: Client, member: Member, plan: list[Planned], course: Course) -> None:
        """Args: plan: this author's messages, in order."""
        self.client = client
        self.member = member
        self._plan = plan
        self._course = course
        self._pace = Pace(filled_at_s=time.monotonic())

    async def enter(self) -> None:
        """Connects and joins the room."""
        await self.client.connected(timeout_s=JOIN_TIMEOUT_S)
        joined = await self.client.join(self._course.room, timeout_s=JOIN_TIMEOUT_S)
        self.member.joined_seq = joined.seq

    async def hear(self) -> None:
        """Writes down every message that is heard."""
        course, member = self._course, self.member
        async for event in self.client:
            if event.op == "message":
                self._heard(event)
            elif event.op in ("reset", "gone"):
                member.resets += 1
                course.failures.append(f"{member.name}: {event.op}")

    def _heard(self, event: Event) -> None:
        course, cmid, seq = self._course, event.cmid or "", event.seq or 0
        self.member.heard.append(seq)
        course.deliveries += 1
        if course.first_heard.setdefault(seq, cmid) != cmid or course.tally.texts.get(cmid) != event.text:
            course.tally.wrong_content += 1
        said = course.sent_at.get(cmid)
        if said is not None:
            course.tally.delivery_latency.add((time.monotonic() - said) * 1000)

    def caught_up(self, head: int) -> bool:
        """Whether the client has heard everything up to a seq."""
        cursor = self.client.cursor(self._course.room)
        return cursor is not None and cursor.seq >= head

    async def play(self) -> None:
        """Says all of its messages."""
        course = self._course
        for planned in self._plan:
            due = course.started + planned.at_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            wait_s = self._pace.wait_s(time.monotonic())
            if wait_s:
                course.held_back += 1
                course.held_back_s += wait_s
                await asyncio.sleep(wait_s)
            course.latest_s = max(course.latest_s, time.monotonic() - due)
            await self.say(planned.text)

    async def say(self, text: str) -> None:
        """One message, with its entries in the books."""
        course, cmid = self._course, str(uuid.uuid4())
        course.tally.texts[cmid] = text
        course.sent_at[cmid] = said = time.monotonic()
        try:
            sent = await self.client.send(course.room, text, cmid=cmid, timeout_s=SEND_TIMEOUT_S)
        except GaritaError as exc:
            course.failures.append(f"{self.member.name}: {exc}")
            return
        course.last_ack = time.monotonic()
        course.tally.acknowledged[cmid] = sent.seq
        course.tally.ack_latency.add((course.last_ack - said) * 1000)
        course.acks += 1


def plans(day: Day, speed: float) -> dict[str, list[Planned]]:
    """Per author what is said when, faster than life."""
    begin = day.lines[0].at_s
    made: dict[str, list[Planned]] = {author: [] for author in day.authors}
    for number, line in enumerate(day.lines):
        made[line.author].append(Planned((line.at_s - begin) / speed, made_up_text(number, line.length)))
    return made


def make_players(
    people: list[tuple[str, PersonTokens]], day: Day, speed: float, addresses: list[str], course: Course
) -> list[Player]:
    """One player per author, the transports (and gateways) taken in turn."""
    players = []
    made = plans(day, speed)
    for number, ((name, tokens), plan) in enumerate(zip(people, made.values(), strict=True)):
        client = Client(addresses[number % len(addresses)], tokens, name="garita bench")
        member = Member(name)
        course.tally.members.append(member)
        players.append(Player(client, member, plan, course))
    return players


async def settle(players: list[Player], head: int) -> bool:
    """Waits until every client has heard up to the room's head; False when some have not in good time."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while time.monotonic() < deadline:
        if all(player.caught_up(head) for player in players):
            return True
        await asyncio.sleep(0.2)
    return False
