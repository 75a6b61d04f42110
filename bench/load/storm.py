"""A reconnect storm: everybody is cut off while others talk on, and comes back at the same moment with cursors. All limits are the defaults.

The limit on new connections stretches a storm on purpose; clients that are refused come back as docs/protocol.md §5 says. In the end everybody must
have heard every message once and in order.
"""

import asyncio
import sqlite3
from contextlib import closing

from bench.load import figures, processes
from bench.load.children import Child, LoadFailed, children
from bench.load.results import Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes, in_pieces
from bench.load.stand import Stand, bare_seat, stand
from bench.load.town import Town, room_id

ROOMS = 10
ENTRY_PER_S = 150.0
"""Under the accept rate of the defaults."""
SPEAKER_PER_S = 1.5
GONE_S = 2.0
COLUMNS = (
    "clients", "all back after s", "p50 ms", "p99 ms", "tries a client", "gateway ms CPU a return", "bare ms CPU", "ratio to bare",
    "missed meanwhile", "lost or doubled",
)  # fmt: skip


async def work(sizes: Sizes, progress: Progress) -> Result:
    """One storm on a stack, one on the bare server."""
    rooms = min(ROOMS, sizes.storm_clients)
    clients = sizes.storm_clients
    people = Town(clients + rooms, [[clients + room, *range(room, clients, rooms)] for room in range(rooms)])
    async with (
        children("crew", 2) as (speaking, returning),
        children("bare") as (bare,),
        stand(people, {}) as stack,
    ):
        progress("connecting")
        await in_pieces(
            returning, [stack.seat(user, user % 2, follows=True) for user in range(clients)], per_s=ENTRY_PER_S
        )
        await in_pieces(
            speaking, [stack.seat(clients + room, room % 2, rooms=[room_id(room)]) for room in range(rooms)]
        )
        progress("the storm")
        told, cpu_s, missed = await _storm(sizes, stack, speaking, returning, rooms)
        settled = await returning.ask("settle", heads=_heads(stack))
        if settled["behind"]:
            raise LoadFailed(f"{settled['behind']} clients have not heard everything.")
        await returning.ask("close")
        progress("the same at the bare server")
        bare_ms = await _bare_ms(bare, returning, clients)
    latency = figures.merged([told["latency"]])  # type: ignore[list-item]  # a histogram among numbers
    ours_ms = cpu_s * 1000 / clients
    faults = int(settled["out_of_order"]) + int(told["unrecovered"])
    row = (
        clients, told["took_s"], latency.percentile_ms(50), latency.percentile_ms(99), told["tries"] / clients, ours_ms, bare_ms,
        figures.ratio(bare_ms, ours_ms), missed, faults,
    )  # fmt: skip
    claims = [Claim("storm: messages lost, doubled or out of order", faults, 0)]
    return Result("storm", TITLE, COLUMNS, [row], claims, NOTES)


async def _storm(
    sizes: Sizes, stack: Stand, speaking: Child, returning: Child, rooms: int
) -> tuple[dict[str, float], float, int]:
    """Cuts everybody off and lets them come back, while others talk: the figures, the gateway's CPU of the return, and what was said meanwhile."""
    gone_s = min(GONE_S, sizes.seconds)
    words = {"senders": list(range(rooms)), "per_s": rooms * SPEAKER_PER_S, "seconds": gone_s + sizes.seconds}
    async with asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(speaking.ask("pace", **words))
        await returning.ask("drop")
        before = sum(_heads(stack).values())
        await asyncio.sleep(gone_s)
        missed = sum(_heads(stack).values()) - before
        cpu_s = processes.cpu_s(stack.gateway)
        told = await returning.ask("come_back")
        cpu_s = processes.cpu_s(stack.gateway) - cpu_s
        await talking
    return told, cpu_s, missed


def _heads(stack: Stand) -> dict[str, int]:
    """Every room's newest seq, from the database itself."""
    path = stack.stack.layout.database("chat")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return dict(database.execute("SELECT id, head FROM rooms"))


async def _bare_ms(bare: Child, returning: Child, clients: int) -> float:
    ports: list[int] = (await bare.ask("listen"))["ports"]
    await bare.ask("say", ack="", push="", greeting='{"op":"ok","id":1}')
    await in_pieces(returning, [bare_seat("storm", user % 2, ports, user) for user in range(clients)])
    await returning.ask("drop")
    cpu_s = processes.cpu_s(bare.pid)
    await returning.ask("come_back")
    return (processes.cpu_s(bare.pid) - cpu_s) * 1000 / clients


TITLE = "Reconnect storm"
NOTES = [
    "All clients are cut off, miss what is said for 2 s, and come back in the same moment with their cursors.",
    "The limits are the defaults: 200 new connections a second, 400 at once; who is refused waits and tries again.",
    "A return is a connection, a token, the cursors of a room and of the personal log, and what was missed. The bare server only says hello.",
]
SCENARIO = Scenario("storm", TITLE, lambda _: 3, work)
