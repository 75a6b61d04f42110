"""Keeping count: what was sent, acknowledged, stored, and heard by whom, and what is wrong with it.

Every fault is found here, independently of what the client library promises: each member's list of `seq`s is held against the database.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

FIRST_MS = 0.05
RATIO = 1.05


@dataclass
class Latencies:
    """A histogram with buckets 5 % apart, from 50 µs on: millions of values in a few hundred numbers."""

    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0
    longest_ms: float = 0.0

    def add(self, ms: float) -> None:
        """One value."""
        bucket = int(math.log(ms / FIRST_MS) / math.log(RATIO)) + 1 if ms > FIRST_MS else 0
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total += 1
        self.longest_ms = max(self.longest_ms, ms)

    def percentile_ms(self, percent: float) -> float:
        """The upper edge of the bucket in which that part of the values ends."""
        wanted, seen = self.total * percent / 100, 0
        for bucket, count in sorted(self.counts.items()):
            seen += count
            if seen >= wanted:
                return min(FIRST_MS * RATIO**bucket, self.longest_ms)
        return 0.0

    def told(self) -> dict[str, float]:
        """The usual percentiles, in milliseconds."""
        named = {f"p{percent:g}": round(self.percentile_ms(percent), 2) for percent in (50, 90, 99, 99.9)}
        return named | {"max": round(self.longest_ms, 2)}


@dataclass
class Member:
    """What one client heard: the `seq` of each message, in the order of hearing, after its own join at `joined_seq`."""

    name: str
    joined_seq: int = 0
    heard: "array[int]" = field(default_factory=lambda: array("q"))
    resets: int = 0


@dataclass(frozen=True)
class Stored:
    """A message in the database."""

    seq: int
    cmid: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """All that may be wrong; nothing is when every number is 0."""

    acknowledged_not_stored: int
    stored_twice: int
    stored_otherwise: int
    seq_gaps: int
    lost_deliveries: int
    doubled_deliveries: int
    out_of_order: int
    foreign_deliveries: int
    wrong_content: int

    @property
    def faults(self) -> int:
        """The sum."""
        return sum(vars(self).values())


@dataclass
class Tally:
    """One replay's books."""

    texts: dict[str, str] = field(default_factory=dict)
    """Per cmid what was to be said."""
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Per cmid the seq of the answer."""
    members: list[Member] = field(default_factory=list)
    wrong_content: int = 0
    ack_latency: Latencies = field(default_factory=Latencies)
    delivery_latency: Latencies = field(default_factory=Latencies)

    def judge(self, stored: Iterable[Stored], head: int, stored_seqs: set[int], *, heard_all: bool = False) -> Verdict:
        """Holds everything against the database: `stored` its messages, `stored_seqs` the seq of every event of the room, `head` the last.

        Args: heard_all: members wrote down every event, not only messages.
        """
        messages = list(stored)
        by_cmid: dict[str, list[Stored]] = {}
        for message in messages:
            by_cmid.setdefault(message.cmid, []).append(message)
        message_seqs = sorted(stored_seqs) if heard_all else [message.seq for message in messages]
        faults = [_judge_member(member, message_seqs) for member in self.members]
        return Verdict(
            acknowledged_not_stored=sum(cmid not in by_cmid for cmid in self.acknowledged),
            stored_twice=sum(len(found) - 1 for found in by_cmid.values()),
            stored_otherwise=sum(self._differs(found[0]) for found in by_cmid.values()),
            seq_gaps=sum(seq not in stored_seqs for seq in range(1, head + 1)),
            lost_deliveries=sum(lost for lost, _, _, _ in faults),
            doubled_deliveries=sum(doubled for _, doubled, _, _ in faults),
            out_of_order=sum(disordered for _, _, disordered, _ in faults),
            foreign_deliveries=sum(foreign for _, _, _, foreign in faults),
            wrong_content=self.wrong_content,
        )

    def _differs(self, message: Stored) -> bool:
        """Whether a stored message is not what was sent and answered."""
        seq = self.acknowledged.get(message.cmid, message.seq)
        return self.texts.get(message.cmid) != message.text or seq != message.seq


def _judge_member(member: Member, message_seqs: list[int]) -> tuple[int, int, int, int]:
    """Lost, doubled, out of order and foreign deliveries of one member."""
    expected = {seq for seq in message_seqs if seq > member.joined_seq}
    heard = set(member.heard)
    disordered = sum(later < earlier for earlier, later in zip(member.heard, member.heard[1:], strict=False))
    return len(expected - heard), len(member.heard) - len(heard), disordered, len(heard - expected)
