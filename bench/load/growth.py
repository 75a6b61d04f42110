"""Whether a message costs more where there is more of everything: rooms, or messages that are stored already.

The same pairs talk at the same pace in each case, well under what the stack can do, so that how many commands share a transaction is the same too.
"""

from bench.load import figures
from bench.load.children import children
from bench.load.results import Cell, Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes, answered, costed, in_pieces, stack_cpu_s
from bench.load.stand import FAST_ENTRY, FAST_SENDERS, stand
from bench.load.town import Town, room_id

FLAT = 0.10
HEAD = ("stack µs", "gateway µs", "chat µs", "Redis µs", "p50 ms", "p99 ms")
RAISED = FAST_ENTRY | FAST_SENDERS


async def many_rooms(sizes: Sizes, progress: Progress) -> Result:
    """From a few rooms to many: each pair talks in all its rooms in turn."""
    rows: list[tuple[Cell, ...]] = []
    for count in sizes.rooms:
        progress(f"{count} rooms")
        people = Town(2 * sizes.pairs, [_pair(number % sizes.pairs) for number in range(count)])
        rows.append((count, *await _cost(sizes, people)))
    return _result("rooms", ROOMS_TITLE, "rooms", rows)


async def stored(sizes: Sizes, progress: Progress) -> Result:
    """From an empty store to a full one: each pair has one room with its part of all that was said."""
    rows: list[tuple[Cell, ...]] = []
    for count in sizes.stored:
        progress(f"{count} stored messages")
        people = Town(2 * sizes.pairs, [_pair(number) for number in range(sizes.pairs)], said=count)
        rows.append((count, *await _cost(sizes, people)))
    return _result("stored", STORED_TITLE, "stored messages", rows)


async def _cost(sizes: Sizes, people: Town) -> tuple[Cell, ...]:
    """What a message costs in this town, by process, and how long its answer takes."""
    async with children("crew", 2) as (speaking, listening), stand(people, RAISED) as stack:
        rooms: dict[int, list[str]] = {}
        for number, (first, _) in enumerate(people.rooms):
            rooms.setdefault(first, []).append(room_id(number))
        pairs = range(sizes.pairs)
        await in_pieces(listening, [stack.seat(2 * pair + 1, pair % 2, counts=True) for pair in pairs])
        await in_pieces(speaking, [stack.seat(2 * pair, pair % 2, rooms=rooms.get(2 * pair, [])) for pair in pairs])
        senders = [pair for pair in pairs if 2 * pair in rooms]
        await speaking.ask("pace", senders=senders, per_s=sizes.paced_per_s, seconds=sizes.warm_s)
        told, used = await costed(
            stack, speaking.ask("pace", senders=senders, per_s=sizes.paced_per_s, seconds=2 * sizes.seconds)
        )
    latency, total = figures.merged([answered(told)["latency"]]), told["total"]
    parts = [figures.per_unit_us(used[name], total) for name in ("gateway-1", "chat", "redis")]
    whole = figures.per_unit_us(stack_cpu_s(used), total)
    return (whole, *parts, latency.percentile_ms(50), latency.percentile_ms(99))


def _result(name: str, title: str, what: str, rows: list[tuple[Cell, ...]]) -> Result:
    costs = [float(row[1]) for row in rows]
    few, many = rows[0][0], rows[-1][0]
    claim = Claim(
        f"cost per message, {few:,} to {many:,} {what}: farthest from the median",
        100 * figures.spread(costs),
        100 * FLAT,
        unit=" %",
    )
    return Result(name, title, (what, *HEAD), rows, [claim], NOTES, RAISED)


def _pair(number: int) -> list[int]:
    return [2 * number, 2 * number + 1]


ROOMS_TITLE = "Many rooms"
STORED_TITLE = "Many stored messages"
NOTES = [
    "Always the same pairs at the same pace, so that only what is there differs.",
    "A message alone in its transaction is the dearest one there is; what many at a time cost is under one-to-one.",
]
ROOMS = Scenario("rooms", ROOMS_TITLE, lambda sizes: len(sizes.rooms), many_rooms)
STORED = Scenario("stored", STORED_TITLE, lambda sizes: len(sizes.stored), stored)
