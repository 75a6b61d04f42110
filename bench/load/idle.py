"""What a connection costs that says nothing: resident memory in the gateway, all limits on, every user a different one, each in a room.

Measured on a fresh stack per transport, since a process does not give memory back; the bare server holds as many sockets for comparison.
"""

import asyncio

from bench.load import figures, processes
from bench.load.children import Child, all_do, children
from bench.load.results import Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes
from bench.load.stand import FAST_ENTRY, Stand, bare_seat, stand
from bench.load.town import Town, room_id
from bench.load.wire import TCP, TRANSPORT_NAMES, WS

MOST_KIB = {WS: 20.0, TCP: 8.0}
ROOM_MEMBERS = 100
CREWS = 2
COLUMNS = ("transport", "connections", "KiB a connection", "KiB at the bare server", "connections/s", "CPU ms a connect", "idle CPU, % of a core")  # fmt: skip


async def work(sizes: Sizes, progress: Progress) -> Result:
    """Both transports, one after the other."""
    count = sizes.idle_connections
    rooms = [list(range(start, min(start + ROOM_MEMBERS, count))) for start in range(0, count, ROOM_MEMBERS)]
    people = Town(count, rooms)
    rows: list[tuple[str | float, ...]] = []
    claims: list[Claim] = []
    for transport in (WS, TCP):
        name = TRANSPORT_NAMES[transport]
        progress(f"{count} {name} connections")
        async with children("crew", CREWS) as crews, children("bare") as (bare,), stand(people, FAST_ENTRY) as stack:
            row, kib = await _measure(sizes, stack, bare, crews, transport)
        rows.append(row)
        claims.append(Claim(f"idle: KiB resident per {name} connection", kib, MOST_KIB[transport], unit=" KiB"))
    return Result("idle", TITLE, COLUMNS, rows, claims, NOTES, FAST_ENTRY)


async def _measure(
    sizes: Sizes, stack: Stand, bare: Child, crews: list[Child], transport: int
) -> tuple[tuple[str | float, ...], float]:
    count = sizes.idle_connections
    empty_kib, cpu_s = processes.resident_kib(stack.gateway), processes.cpu_s(stack.gateway)
    seats = [stack.seat(user, transport, counts=True) for user in range(count)]
    told = await all_do(crews, "connect", [{"seats": seats[number::CREWS]} for number in range(CREWS)])
    connect_s = processes.cpu_s(stack.gateway) - cpu_s
    await asyncio.sleep(sizes.seconds)
    full_kib, cpu_s = processes.resident_kib(stack.gateway), processes.cpu_s(stack.gateway)
    await asyncio.sleep(sizes.seconds)
    idle_s = processes.cpu_s(stack.gateway) - cpu_s
    connected = sum(int(one["connected"]) for one in await all_do(crews, "count"))
    await all_do(crews, "close")
    bare_kib = await _bare_kib(bare, crews, transport, count)
    kib = (full_kib - empty_kib) / count
    per_s = count / max(float(one["took_s"]) for one in told)
    row = (TRANSPORT_NAMES[transport], connected, kib, bare_kib, per_s, figures.per_unit_us(connect_s, count) / 1000,
           100 * idle_s / sizes.seconds)  # fmt: skip
    return row, kib


async def _bare_kib(bare: Child, crews: list[Child], transport: int, count: int) -> float:
    ports: list[int] = (await bare.ask("listen"))["ports"]
    await bare.ask("say", ack="", push="", greeting='{"op":"ok","id":1}')
    empty_kib = processes.resident_kib(bare.pid)
    seats = [bare_seat(room_id(user), transport, ports, user, counts=True) for user in range(count)]
    await all_do(crews, "connect", [{"seats": seats[number::CREWS]} for number in range(CREWS)])
    return (processes.resident_kib(bare.pid) - empty_kib) / count


TITLE = "Idle connections"
NOTES = [
    "Resident memory of the gateway process (smaps_rollup), before and after; the kernel's socket buffers are not part of a process.",
    "Every connection is another user on an address of its own, connected with a token, attached to its log and to a room of 100, pinged every 25 s.",
]
SCENARIO = Scenario("idle", TITLE, lambda _: 2, work)
