"""A room of a thousand: what a delivery costs the gateway, against a bare protocol that writes the same bytes to as many sockets.

Two cases. Message by message: one every 10 ms, so that nothing can be written together; rounds with the stack and with the bare server take turns.
Busy: some hundred messages a second by many speakers; what comes while the room rests leaves in one write per member.
"""

import asyncio

from bench.load import figures
from bench.load.children import Child, LoadFailed, children
from bench.load.one_to_one import mimic
from bench.load.results import Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes, answered, bare_costed, costed, in_pieces
from bench.load.stand import FAST_ENTRY, FAST_SENDERS, Stand, bare_seat, stand
from bench.load.town import Town, room_id

TEXT = "f" * 128
COLUMNS = (
    "case", "members", "messages/s", "deliveries/s", "gateway µs a delivery", "bare µs a delivery",
    "deliveries per CPU-second, to bare", "p50 ms", "p99 ms",
)  # fmt: skip
SETTLE_LOOKS, SETTLE_S = 50, 0.1
APART_PER_S = 100.0
"""Far enough apart that no two messages are written together: a busy room rests 5 ms after each."""
ROUNDS = 3
"""Times the usual number: what the gateway spends beyond the writes is less than what a round differs from the next."""
LEAST_RATIO = 0.9
LEAST_BUSY_PER_S = 500


async def work(sizes: Sizes, progress: Progress) -> Result:
    """Both cases on one stack."""
    raised = FAST_ENTRY | FAST_SENDERS
    members, speakers = sizes.members, sizes.busy_speakers
    people = Town(members, [list(range(members))])
    async with (
        children("crew", 2) as (speaking, listening),
        children("bare") as (bare,),
        stand(people, raised) as stack,
    ):
        progress("connecting")
        await _seat(stack, speaking, listening, bare, sizes)
        pairs: list[tuple[float, float]] = []
        told: dict[str, float] = {}
        for number in range(ROUNDS * sizes.rounds):
            progress(f"message by message, round {number + 1}")
            told, ours_us = await _round(sizes, stack, speaking, members)
            bare_told, bare_cpu_s = await bare_costed(
                bare, speaking.ask("pace", senders=[speakers + 1], per_s=APART_PER_S, seconds=sizes.seconds / 2)
            )
            pairs.append((ours_us, figures.per_unit_us(bare_cpu_s, int(bare_told["total"]) * members)))
        progress("busy")
        before = await _heard(listening, members - speakers - 1)
        busy, used = await costed(
            stack,
            speaking.ask("pace", senders=list(range(1, speakers + 1)), per_s=sizes.busy_per_s, seconds=sizes.seconds),
        )
        await _all_alike(listening, before)
        answered(busy)
        bare_us = sum(theirs for _, theirs in pairs) / len(pairs)
        busy_us = figures.per_unit_us(used["gateway-1"], int(busy["total"]) * members)
    steady = figures.middle_ratio([(theirs, ours) for ours, theirs in pairs])
    busy_ratio = figures.ratio(bare_us, busy_us)
    steady_us = sum(ours for ours, _ in pairs) / len(pairs)
    rows = [
        _row("message by message", members, told, steady_us, bare_us, steady, "delivery"),
        _row("busy", members, busy, busy_us, bare_us, busy_ratio, "delivery"),
    ]
    busy_per_s = busy["acks"] / busy["seconds"]
    claims = [
        Claim("fan-out: deliveries per gateway CPU-second, to bare", steady, LEAST_RATIO, at_most=False),
        Claim("busy room: deliveries per gateway CPU-second, to bare", busy_ratio, 1.0, at_most=False),
        Claim("busy room: messages/s", busy_per_s, LEAST_BUSY_PER_S, at_most=False, unit="/s"),
    ]
    return Result("fan-out", TITLE, COLUMNS, rows, claims, NOTES, raised)


async def _seat(stack: Stand, speaking: Child, listening: Child, bare: Child, sizes: Sizes) -> None:
    """The first member follows everything, the next ones speak when it is busy, all others only hear; half of them over each transport."""
    room, speakers, members = room_id(0), sizes.busy_speakers, sizes.members
    await in_pieces(
        listening, [stack.seat(user, user % 2, counts=True) for user in range(speakers + 1, members)], text=TEXT
    )
    await in_pieces(
        speaking,
        [stack.seat(user, user % 2, rooms=[room], follows=user == 0) for user in range(speakers + 1)],
        text=TEXT, samples=True,
    )  # fmt: skip
    await speaking.ask("send", senders=[0], in_flight=1, seconds=0.2)
    await mimic(bare, speaking)
    ports: list[int] = (await bare.ask("listen"))["ports"]
    await in_pieces(speaking, [bare_seat(room, 0, ports, 0, rooms=[room])], text=TEXT)
    await in_pieces(listening, [bare_seat(room, user % 2, ports, user, counts=True) for user in range(1, members)])


async def _round(sizes: Sizes, stack: Stand, speaking: Child, members: int) -> tuple[dict[str, float], float]:
    told, used = await costed(stack, speaking.ask("pace", senders=[0], per_s=APART_PER_S, seconds=sizes.seconds / 2))
    return answered(told), figures.per_unit_us(used["gateway-1"], int(told["total"]) * members)


async def _heard(listening: Child, count: int) -> list[tuple[int, int]]:
    """Transport and bytes of each of the stack's members who only hear, the first ones of this process.

    Raises:
        LoadFailed: somebody was cut off.
    """
    told = await listening.ask("count")
    if told["lost"]:
        raise LoadFailed(f"{told['lost']} members were cut off.")
    return [(transport, size) for transport, size in told["bytes"][:count]]


async def _all_alike(listening: Child, before: list[tuple[int, int]]) -> None:
    """Everybody must get the same number of bytes, by transport: nobody was left out.

    Raises:
        LoadFailed: somebody was.
    """
    grown: dict[int, set[int]] = {}
    for _ in range(SETTLE_LOOKS):
        after = await _heard(listening, len(before))
        grown = {0: set(), 1: set()}
        for (transport, size), (_, start) in zip(after, before, strict=True):
            grown[transport].add(size - start)
        if all(len(sizes) == 1 for sizes in grown.values()):
            return
        await asyncio.sleep(SETTLE_S)
    raise LoadFailed(f"Members have not got the same: {grown}.")


def _row(
    case: str, members: int, told: dict[str, float], ours_us: float, bare_us: float, ratio: float, latency: str
) -> tuple[str | float, ...]:
    per_s = told["acks"] / told["seconds"]
    times = figures.merged([told[latency]])  # type: ignore[list-item]  # a histogram among numbers
    return (case, members, round(per_s), round(per_s * members), ours_us, bare_us, ratio, times.percentile_ms(50), times.percentile_ms(99))  # fmt: skip


TITLE = "Fan-out in a large room"
NOTES = [
    "Half of the members over WebSocket, half over TCP; texts of 128 bytes. Bare: one write per message and socket, the same bytes.",
    "The gateway's CPU includes hearing Redis, decoding, framing, limits and the answers. p50 and p99: from when a message was due to its delivery.",
    "Every member's bytes are counted; the run fails if one got others than the rest.",
]
SCENARIO = Scenario("fan-out", TITLE, lambda sizes: 2 + ROUNDS * sizes.rounds, work)
