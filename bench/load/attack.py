"""Well-behaved pairs while some hundred sockets attack: how much longer the slowest hundredth of their messages takes, and whether memory grows.

All limits are the defaults. Attackers sit on addresses of their own and run at a lower priority than the stack, since here they share its processors.
"""

import asyncio
from dataclasses import dataclass, field
from statistics import median

from bench.load import figures, processes
from bench.load.attackers import KINDS
from bench.load.children import Child, children
from bench.load.results import Cell, Claim, Result
from bench.load.scenario import Progress, Scenario, Sizes, answered, in_pieces
from bench.load.stand import Stand, source, stand
from bench.load.town import Town, room_id

MOST_SLOWER = 1.5
MOST_GROWTH = 0.10
"""Of resident memory between the first attack's end and the last one's: what attackers leave behind."""
ENTRY_PER_S = 150.0
CALM_SHARE = 0.5
MOVES_PER_S = {"flood": 1_000.0, "slowloris": 600.0, "churn": 400.0, "oversize": 400.0}
FLOODERS = 60
SOCKETS_PER_PREFIX = 10
COLUMNS = (
    "phase", "messages/s", "p50 ms", "p99 ms", "gateway CPU, % of a core", "gateway MiB", "chat MiB",
    "connections of attackers", "cut off",
)  # fmt: skip


@dataclass
class _Watch:
    """What memory does meanwhile, in KiB."""

    gateway: list[int] = field(default_factory=list)
    chat: list[int] = field(default_factory=list)

    def look(self, stack: Stand) -> None:
        self.gateway.append(processes.resident_kib(stack.gateway))
        self.chat.append(processes.resident_kib(stack.pids["chat"]))


async def work(sizes: Sizes, progress: Progress) -> Result:
    """Calm before, between and after the attacks: what is calm is the median of these, for a machine has hiccups of its own."""
    pairs = sizes.pairs
    people = Town(2 * pairs + FLOODERS, [[2 * pair, 2 * pair + 1] for pair in range(pairs)])
    rows: list[tuple[Cell, ...]] = []
    watch = _Watch()
    async with children("crew") as (crew,), children("nice") as (attackers,), stand(people, {}) as stack:
        progress("connecting")
        seats = [stack.seat(2 * pair, pair % 2, rooms=[room_id(pair)]) for pair in range(pairs)]
        seats += [stack.seat(2 * pair + 1, pair % 2, follows=True) for pair in range(pairs)]
        await in_pieces(crew, seats, per_s=ENTRY_PER_S)
        calm_p99s: list[float] = []
        attacked: list[tuple[str, float]] = []
        for kind in ("", *(part for attack in KINDS for part in (attack, ""))):
            progress(kind or "calm")
            row, p99 = await _phase(sizes, stack, crew, attackers if kind else None, kind, watch)
            rows.append(row)
            if kind:
                attacked.append((kind, p99))
            else:
                calm_p99s.append(p99)
    calm_p99 = median(calm_p99s)
    claims = [
        Claim(f"under {kind}: p99 of well-behaved pairs, to calm", figures.ratio(p99, calm_p99), MOST_SLOWER)
        for kind, p99 in attacked
    ]
    half = len(watch.gateway) // 2
    growth = max(watch.gateway[half:]) / max(watch.gateway[:half]) - 1
    seconds = sizes.attack_s
    claims.append(
        Claim(
            f"memory of the gateway, second half of {seconds:.0f} s of attacks to the first: growth",
            100 * growth,
            100 * MOST_GROWTH,
            unit=" %",
        )
    )
    return Result("attack", TITLE, COLUMNS, rows, claims, NOTES)


def _seated(sizes: Sizes) -> list[int]:
    """Users in the order in which they came in: those who speak, then those who listen."""
    return [2 * pair for pair in range(sizes.pairs)] + [2 * pair + 1 for pair in range(sizes.pairs)]


async def _phase(
    sizes: Sizes, stack: Stand, crew: Child, attackers: Child | None, kind: str, watch: _Watch
) -> tuple[tuple[Cell, ...], float]:
    await crew.ask("renew", tokens=[stack.token(user) for user in _seated(sizes)])
    seconds = sizes.attack_s / len(KINDS)
    if attackers is None:
        seconds = max(seconds * CALM_SHARE, sizes.seconds)
    talk = {"senders": list(range(sizes.pairs)), "per_s": sizes.pairs, "seconds": seconds, "warm_s": sizes.warm_s}
    cpu_s = processes.cpu_s(stack.gateway)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(crew.ask("pace", **talk))
        watching = tasks.create_task(_watch(stack, watch, over))
        done = await attackers.ask("attack", **_orders(sizes, stack, kind, seconds)) if attackers else {}
        told = await talking
        over.set()
        await watching
    used_s = processes.cpu_s(stack.gateway) - cpu_s
    times = figures.merged([answered(told)["delivery"]])
    p99 = times.percentile_ms(99)
    row = (
        kind or "calm", told["acks"] / seconds, times.percentile_ms(50), p99,
        100 * used_s / (seconds + sizes.warm_s), watch.gateway[-1] / 1024, watch.chat[-1] / 1024, int(done.get("opened", 0)),
        int(done.get("refused", 0)),
    )  # fmt: skip
    return row, p99


def _orders(sizes: Sizes, stack: Stand, kind: str, seconds: float) -> dict[str, object]:
    """What the attackers are told: an address each, at most so many of a /24, and accounts for those who flood."""
    first = 150 + 10 * KINDS.index(kind)
    step = 250 // SOCKETS_PER_PREFIX
    return {
        "kind": kind, "ports": list(stack.ports), "sources": [source(n * step, first) for n in range(sizes.attack_sockets)],
        "tokens": [stack.token(2 * sizes.pairs + n) for n in range(FLOODERS)], "seconds": seconds, "per_s": MOVES_PER_S[kind],
    }  # fmt: skip


async def _watch(stack: Stand, watch: _Watch, over: asyncio.Event) -> None:
    while not over.is_set():
        watch.look(stack)
        try:
            async with asyncio.timeout(1.0):
                await over.wait()
        except TimeoutError:
            continue
    watch.look(stack)


TITLE = "Under attack"
NOTES = [
    "Each pair says a message a second; the times are from when it was due to when the other one has it.",
    "flood: people with accounts who ask 8,000 times a second in all; slowloris: heads of requests in small pieces.",
    "churn: 400 connections a second that say nothing; oversize: frames that announce 1 GiB.",
    "Cut off: how often an attacker found its connection closed, or was not let in.",
]
SCENARIO = Scenario("attack", TITLE, lambda _: 2 + 2 * len(KINDS), work)
