"""One batch on the database's thread: one transaction, and what is to be said once it has committed.

If the transaction fails, all of it is rolled back, with every row that was remembered, and the commands run one by one, each in a transaction of its
own, so that only the one at fault is answered `internal`.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from garita_common.core.errors import Internal
from garita_common.core.frames import Change
from garita_common.core.records import Command, PersonalEvent, Reply, RoomEvent

from . import commands, store_outbox
from .core.limits import RoomBudget
from .database import FenceLost, transact
from .store import Store
from .store_outbox import Log
from .turn import Asked, Entropy, Reported, Rules, Sent, Turn, Typed

log = structlog.get_logger()

MAX_ROOM_BUDGETS = 50_000
"""About 14 MB. The quietest room goes out first, and at the service's pace it has been quiet for seconds by then: its bucket is full again."""

Stamped = tuple[str, Command]
"""A command and the id of the gateway that sent it."""


@dataclass(slots=True)
class Committed:
    """What is to be said now that it is stored, in order. `is_marked`: the marks were written too."""

    replies: list[tuple[str, Reply]] = field(default_factory=list)
    room_events: dict[tuple[str, str], list[RoomEvent]] = field(default_factory=dict)
    personal_events: dict[str, list[PersonalEvent]] = field(default_factory=dict)
    room_passing: dict[tuple[str, str], dict[tuple[str, str], bytes]] = field(default_factory=dict)
    own_passing: dict[str, dict[tuple[str, str], bytes]] = field(default_factory=dict)
    searches: list[Asked] = field(default_factory=list)
    sent: list[Sent | Typed | Reported] = field(default_factory=list)
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    would_refuse: Counter[str] = field(default_factory=Counter)
    is_marked: bool = False
    is_split: bool = False

    @property
    def is_said(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.replies or self.room_passing or self.own_passing or self.sent)

    def add(self, turn: Turn, replies: list[tuple[str, Reply]]) -> None:
        """Takes over what a committed turn has to say."""
        self.replies += replies
        for key, events in turn.room_events.items():
            self.room_events.setdefault(key, []).extend(events)
        for user, notices in turn.personal_events.items():
            self.personal_events.setdefault(user, []).extend(notices)
        for key, frames in turn.room_passing.items():
            self.room_passing.setdefault(key, {}).update(frames)
        for user, frames in turn.own_passing.items():
            self.own_passing.setdefault(user, {}).update(frames)
        self.searches += turn.searches
        self.sent += turn.sent
        self.tally += turn.tally
        self.would_refuse += turn.would_refuse


class BatchRunner:
    """Runs batches under one fence."""

    def __init__(
        self,
        fence: int,
        rules: Rules,
        clock_ms: Callable[[], int],
        entropy: Entropy,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: clock_ms: Unix milliseconds; entropy: gives so many random bytes; monotonic_s: for what may be said in a room."""
        self._fence = fence
        self._rules = rules
        self._clock_ms = clock_ms
        self._entropy = entropy
        self._monotonic_s = monotonic_s
        self._budget = RoomBudget(rules.room_send, MAX_ROOM_BUDGETS)

    def run(self, db: sqlite3.Connection, batch: list[Stamped], marks: dict[Log, int]) -> Committed:
        """Carries a batch out and writes the marks along with it.

        Raises:
            FenceLost: another copy owns the database; nothing was kept.
        """
        done = Committed()
        try:
            turn, replies = self._transact(db, batch, marks)
        except FenceLost:
            raise
        except Exception as exc:  # noqa: BLE001  # the edge where a fault of ours becomes `internal`
            log.warning("batch_split", commands=len(batch), error=type(exc).__name__)
            return self._one_by_one(db, batch)
        done.add(turn, replies)
        done.is_marked = True
        return done

    def _one_by_one(self, db: sqlite3.Connection, batch: list[Stamped]) -> Committed:
        done = Committed(is_split=True)
        for stamped in batch:
            try:
                turn, replies = self._transact(db, [stamped], {})
            except FenceLost:
                raise
            except Exception:
                log.exception("command_failed", op=commands.op_name(stamped[1]))
                done.replies.append((stamped[0], commands.refusal(stamped[1], Internal())))
                done.tally[(commands.op_name(stamped[1]), Internal.code)] += 1
            else:
                done.add(turn, replies)
        return done

    def _transact(
        self, db: sqlite3.Connection, batch: list[Stamped], marks: dict[Log, int]
    ) -> tuple[Turn, list[tuple[str, Reply]]]:
        self._budget.begin(self._monotonic_s())
        try:
            return transact(db, self._fence, lambda inside: self._turn(inside, batch, marks))
        except BaseException:
            self._budget.undo()
            raise

    def _turn(
        self, db: sqlite3.Connection, batch: list[Stamped], marks: dict[Log, int]
    ) -> tuple[Turn, list[tuple[str, Reply]]]:
        now_ms = self._clock_ms()
        turn = Turn(Store(db, now_ms), now_ms, self._entropy, self._rules, self._budget)
        ops = [commands.read(command) for _, command in batch]
        turn.store.expect([
            (command.user, op.cmid.bytes) for (_, command), op in zip(batch, ops, strict=True) if isinstance(op, Change)
        ])  # fmt: skip
        replies = []
        for (gateway, command), op in zip(batch, ops, strict=True):
            reply = commands.execute(turn, gateway, command, op)
            if reply is not None:
                replies.append((gateway, reply))
        turn.store.flush()
        if marks:
            store_outbox.mark(db, marks)
        return turn, replies
