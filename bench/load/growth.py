"""Whether a message costs more where there is more of everything: rooms, or messages that are stored already.

A stack for each case, all of them up at the same time; rounds take turns over them, so that what slows the machine down slows all cases. The same few senders
talk in each, one request in flight each, so that how many commands share a transaction and how many rooms a transaction touches is the same too.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median

from bench.load import figures
from bench.load.children import Child, children
from bench.load.results import Cell, Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes, answered, costed, in_pieces, stack_cpu_s
from bench.load.stand import FAST_ENTRY, FAST_SENDERS, Stand, stand
from bench.load.town import Town, room_id

FLAT = 0.10
SENDERS = 10
NAMES = ("gateway-1", "chat", "redis")
HEAD = ("stack µs", "gateway µs", "chat µs", "Redis µs", "detector µs", "messages/s", "p50 ms", "p99 ms")
RAISED = FAST_ENTRY | FAST_SENDERS


@dataclass
class _Case:
    """One stack and its crew, and what each round has found."""

    count: int
    stack: Stand
    crew: Child
    senders: list[int]
    rows: list[tuple[float, ...]] = field(default_factory=list)


async def many_rooms(sizes: Sizes, progress: Progress) -> Result:
    """From a few rooms to many: each sender talks in all its rooms in turn."""
    towns = {
        count: Town(2 * sizes.pairs, [_pair(number % sizes.pairs) for number in range(count)]) for count in sizes.rooms
    }
    return _result("rooms", ROOMS_TITLE, "rooms", await _cases(sizes, progress, towns, "rooms"))


async def stored(sizes: Sizes, progress: Progress) -> Result:
    """From an empty store to a full one: each pair has one room with its part of all that was said."""
    towns = {
        count: Town(2 * sizes.pairs, [_pair(number) for number in range(sizes.pairs)], said=count)
        for count in sizes.stored
    }
    return _result("stored", STORED_TITLE, "stored messages", await _cases(sizes, progress, towns, "stored messages"))


async def _cases(sizes: Sizes, progress: Progress, towns: dict[int, Town], what: str) -> list[_Case]:
    async with AsyncExitStack() as opened:
        cases = []
        for count, people in towns.items():
            progress(f"{count} {what}: setting up")
            cases.append(await _set_up(sizes, opened, count, people))
        for number in range(sizes.rounds):
            progress(f"round {number + 1}")
            for case in cases:
                case.rows.append(await _round(sizes, case))
    return cases


async def _set_up(sizes: Sizes, opened: AsyncExitStack, count: int, people: Town) -> _Case:
    speaking, listening = await opened.enter_async_context(children("crew", 2))
    stack = await opened.enter_async_context(stand(people, RAISED))
    rooms: dict[int, list[str]] = {}
    for number, (first, _) in enumerate(people.rooms):
        rooms.setdefault(first, []).append(room_id(number))
    pairs = range(sizes.pairs)
    await in_pieces(listening, [stack.seat(2 * pair + 1, pair % 2, counts=True) for pair in pairs])
    await in_pieces(speaking, [stack.seat(2 * pair, pair % 2, rooms=rooms.get(2 * pair, [])) for pair in pairs])
    senders = [pair for pair in pairs if 2 * pair in rooms][:SENDERS]
    return _Case(count, stack, speaking, senders)


async def _round(sizes: Sizes, case: _Case) -> tuple[float, ...]:
    """What a message costs in this case, by process, and how long its answer takes."""
    told, used = await costed(
        case.stack,
        case.crew.ask("send", senders=case.senders, in_flight=1, seconds=sizes.seconds, warm_s=sizes.warm_s),
    )
    latency, total = figures.merged([answered(told)["latency"]]), told["total"]
    parts = [figures.per_unit_us(used[name], total) for name in (*NAMES, "detector")]
    whole = figures.per_unit_us(stack_cpu_s(used), total)
    return (whole, *parts, told["acks"] / told["seconds"], latency.percentile_ms(50), latency.percentile_ms(99))


def _result(name: str, title: str, what: str, cases: list[_Case]) -> Result:
    rows: list[tuple[Cell, ...]] = [
        (case.count, *(median(column) for column in zip(*case.rows, strict=True))) for case in cases
    ]
    rounds = [list(costs) for costs in zip(*([row[0] for row in case.rows] for case in cases), strict=True)]
    few, many = cases[0].count, cases[-1].count
    text = f"cost per message, {few:,} to {many:,} {what}: farthest from the median"
    claim = Claim(text, 100 * figures.spread_in_turns(rounds), 100 * FLAT, unit=" %")
    return Result(name, title, (what, *HEAD), rows, [claim], NOTES, RAISED)


def _pair(number: int) -> list[int]:
    return [2 * number, 2 * number + 1]


ROOMS_TITLE = "Many rooms"
STORED_TITLE = "Many stored messages"
NOTES = [
    "Always the same ten senders with one request in flight each, so that only what is there differs; medians of rounds that take turns over the cases.",
    "Spread: each case's cost to the median of its round, the median over the rounds; how far the farthest is from 1.",
]
ROOMS = Scenario("rooms", ROOMS_TITLE, lambda sizes: len(sizes.rooms) + sizes.rounds, many_rooms)
STORED = Scenario("stored", STORED_TITLE, lambda sizes: len(sizes.stored) + sizes.rounds, stored)
