"""`python -m bench.chaos`: everything that may fail fails, again and again, while people talk; then the books are held against the database.

Two gateways, two chat services (one stands by), a Redis of its own behind a wire that can be cut, slowed and held, all in a network namespace of their own where one
can be had. Blows come at random from a seed, sometimes two at a time. The exit status is 0 only when everything that was acknowledged is stored and was
delivered once, in order, to every member, and all are back.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import network
from bench.blows import Victims, choices
from bench.crowd import Crowd
from bench.people import People
from bench.stacks import RunningStack, StackTrouble, is_ready, own_stack
from bench.tally import Verdict
from bench.wire import HOST, Wire, redis_server
from garita_client import AuthApi, GaritaError

CALM_S = (0.5, 6.0)
"""Between two blows: shorter than most recoveries, so that blows meet the stack half up."""
TWO_AT_ONCE = 0.25
READY_TIMEOUT_S = 120.0
FIRST_CALM_S = 3.0
AFTERMATH_S = 3.0
"""So long after its end a blow is still taken for the cause of a wait."""


@dataclass
class Dealt:
    """A blow that was dealt, in seconds of the monotonic clock."""

    name: str
    began: float
    ended: float = 0.0


@dataclass
class Outage:
    """What people felt of one kind of blow: the longest wait of one message for its answer, and the longest time in which nobody got one."""

    blow: str
    count: int
    longest_wait_s: float
    longest_silence_s: float


@dataclass
class Outcome:
    """All figures of one run."""

    seed: int
    minutes: float
    people: int
    rooms: dict[int, int]
    namespace: bool
    sent: int
    acknowledged: int
    stored: int
    reactions: int
    deliveries: int
    verdict: dict[str, int]
    ack_ms: dict[str, float]
    reconnects: int
    repeated_requests: int
    gaps_repaired_by_clients: int
    rooms_filled_from_history: int
    logins_by_password: int
    calm_wait_s: float
    outages: list[Outage]
    failures: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, doubled or out of order, everybody back."""
        return not any(self.verdict.values()) and not self.failures and self.sent == self.acknowledged


def main(words: list[str] | None = None) -> int:
    """The command; its exit status."""
    arguments = parser().parse_args(words)
    network.enter(["-m", "bench.chaos", *(sys.argv[1:] if words is None else words)])
    console = Console()
    try:
        outcome = uvloop.run(_run(arguments, console))
    except (StackTrouble, GaritaError) as exc:
        console.print(str(exc), highlight=False)
        return 2
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("stopped")
        return 130
    show(outcome, console)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"good": outcome.good, **asdict(outcome)}, indent=2) + "\n")
    return 0 if outcome.good else 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    told = argparse.ArgumentParser(prog="python -m bench.chaos", description="Hurt a stack while people talk.")
    told.add_argument("--minutes", type=float, default=10.0, help="how long blows are dealt")
    told.add_argument("--people", type=int, default=200, help="each with an account and a connection")
    told.add_argument("--rate", type=float, default=20.0, help="messages a second, of all together")
    told.add_argument("--seed", type=int, default=1, help="of the order, the victims and the lengths")
    told.add_argument("--each-once", action="store_true", help="deal every blow once instead, then end")
    told.add_argument("--only", default="", help="only blows whose name contains one of these words (a,b,c)")
    told.add_argument("--longest-s", type=float, default=20.0, help="the longest that a blow lasts")
    told.add_argument("--json", type=Path, default=Path("bench/out/chaos.json"), help="where the report goes")
    return told


async def _run(arguments: argparse.Namespace, console: Console) -> Outcome:
    whole = asyncio.current_task()
    assert whole is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, whole.cancel)
    columns = (TextColumn("{task.description:12}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[news]}"))
    async with contextlib.AsyncExitStack() as open_parts:
        bar = open_parts.enter_context(Progress(*columns, console=console, refresh_per_second=2))
        in_namespace = network.set_up()
        redis = await open_parts.enter_async_context(redis_server(_free_port))
        wire = await open_parts.enter_async_context(Wire(redis.port).running())
        os.environ["REDIS_URL"] = f"redis://{HOST}:{wire.port}"
        stack = await open_parts.enter_async_context(own_stack(2, 2, keep_redis=True))
        api = await open_parts.enter_async_context(AuthApi(f"{stack.facts.http}/v1/auth", connections=16))
        registering = bar.add_task("accounts", total=arguments.people, news="")
        people = await People(stack, api).gather(arguments.people, lambda: bar.advance(registering))
        crowd = Crowd(people, _addresses(stack))
        for resident in crowd.residents:
            await open_parts.enter_async_context(resident.client)
        filling = bar.add_task("rooms", total=len(crowd.groups()), news="")
        await crowd.settle_in(lambda: bar.advance(filling))
        chance = random.Random(arguments.seed)
        victims = Victims(stack, redis, wire, chance, in_namespace, arguments.longest_s)
        dealt: list[Dealt] = []
        async with asyncio.TaskGroup() as hearing:
            ears = [hearing.create_task(resident.hear()) for resident in crowd.residents]
            await _talk(arguments, victims, crowd, dealt, bar)
            await _settle(stack, crowd)
            for ear in ears:
                ear.cancel()
        logins = sum(tokens.logins for _, tokens in people)
        return _outcome(arguments, stack, crowd, dealt, in_namespace, logins)


async def _talk(
    arguments: argparse.Namespace, victims: Victims, crowd: Crowd, dealt: list[Dealt], bar: Progress
) -> None:
    """People talk while blows are dealt, and end when the blows have."""
    over = asyncio.Event()
    every_s = len(crowd.residents) / arguments.rate
    seconds = arguments.minutes * 60
    playing = bar.add_task("blows", total=None if arguments.each_once else seconds, news="")
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:

        async def watch() -> None:
            while True:
                now = [blow.name for blow in dealt if not blow.ended]
                news = f"{crowd.connected}/{len(crowd.residents)} connected, {len(crowd.times.answered)}/{crowd.sent} answered, {len(dealt)} blows {', '.join(now)}"
                bar.update(playing, completed=min(time.monotonic() - began, seconds), news=news)
                await asyncio.sleep(0.5)

        watching = tasks.create_task(watch())
        async with asyncio.TaskGroup() as talking:
            for number, resident in enumerate(crowd.residents):
                talking.create_task(resident.talk(every_s, random.Random(f"{arguments.seed}/{number}"), over))
            await asyncio.sleep(FIRST_CALM_S)
            await _deal(arguments, victims, dealt, began + seconds)
            await asyncio.sleep(FIRST_CALM_S)
            over.set()
        watching.cancel()


async def _deal(arguments: argparse.Namespace, victims: Victims, dealt: list[Dealt], until: float) -> None:
    """All blows, one after the other or now and then two at a time."""
    named = {
        name: blow
        for name, blow in choices(victims).items()
        if not arguments.only or any(word in name for word in arguments.only.split(","))
    }

    async def deal(name: str) -> None:
        blow, victim = named[name]
        entry = Dealt(name, time.monotonic())
        dealt.append(entry)
        await blow(victims, victim)
        entry.ended = time.monotonic()

    if arguments.each_once:
        for name in named:
            await deal(name)
            await asyncio.sleep(CALM_S[0])
        return
    while time.monotonic() < until:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deal(victims.chance.choice(list(named))))
            if victims.chance.random() < TWO_AT_ONCE:
                tasks.create_task(deal(victims.chance.choice(list(named))))
        await asyncio.sleep(victims.chance.uniform(*CALM_S))


async def _settle(stack: RunningStack, crowd: Crowd) -> None:
    """Waits until every process is ready and everybody has heard everything that is stored."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    waiting = list(stack.facts.processes)
    async with aiohttp.ClientSession() as session:
        while waiting and time.monotonic() < deadline:
            facts = stack.facts.processes
            waiting = [name for name in waiting if not await is_ready(session, facts[name].inner)]
            await asyncio.sleep(0.2)
    crowd.failures += [f"{name} is not ready again" for name in waiting]
    heads = {room: stack.stored(room)[2] for room in crowd.by_id}
    if not await crowd.wait_until_heard(heads):
        crowd.failures.append("not everybody heard everything in time")


def _outcome(
    arguments: argparse.Namespace,
    stack: RunningStack,
    crowd: Crowd,
    dealt: list[Dealt],
    in_namespace: bool,
    logins: int,
) -> Outcome:
    verdict: Counter[str] = Counter(dict.fromkeys(Verdict.__dataclass_fields__, 0))
    stored = reactions = 0
    for room in crowd.rooms:
        messages, seqs, head = stack.stored(room.id)
        stored += len(messages)
        verdict.update(asdict(room.tally.judge(messages, head, seqs, heard_all=True)))
        verdict["acknowledged_not_stored"] += len(room.changed - seqs)
        reactions += len(room.changed)
    counters = [resident.client.counters for resident in crowd.residents]
    first_blow = dealt[0].began if dealt else time.monotonic()
    slowest = max(crowd.rooms, key=lambda room: room.tally.ack_latency.total)
    return Outcome(
        seed=arguments.seed,
        minutes=arguments.minutes,
        people=len(crowd.residents),
        rooms=dict(Counter(room.size for room in crowd.rooms)),
        namespace=in_namespace,
        sent=crowd.sent,
        acknowledged=sum(len(room.tally.acknowledged) for room in crowd.rooms),
        stored=stored,
        reactions=reactions,
        deliveries=crowd.deliveries,
        verdict=dict(verdict),
        ack_ms=slowest.tally.ack_latency.told(),
        reconnects=sum(counter.connections - 1 for counter in counters),
        repeated_requests=sum(counter.repeats for counter in counters),
        gaps_repaired_by_clients=sum(counter.gaps for counter in counters),
        rooms_filled_from_history=sum(counter.fills for counter in counters),
        logins_by_password=logins,
        calm_wait_s=max((end - begin for begin, end in crowd.times.waits() if end < first_blow), default=0.0),
        outages=_outages(crowd, dealt),
        failures=crowd.failures[:50],
    )


def _outages(crowd: Crowd, dealt: list[Dealt]) -> list[Outage]:
    """What was felt by kind of blow: a wait counts for the blow that it met longest, while that lasted or soon after."""
    found = {name: Outage(name, count, 0.0, 0.0) for name, count in Counter(blow.name for blow in dealt).items()}
    for begin, end in crowd.times.waits():
        if (blow := _cause(dealt, begin, end)) is not None:
            found[blow].longest_wait_s = max(found[blow].longest_wait_s, end - begin)
    for begin, end in crowd.times.silences():
        if (blow := _cause(dealt, begin, end)) is not None:
            found[blow].longest_silence_s = max(found[blow].longest_silence_s, end - begin)
    return sorted(found.values(), key=lambda outage: -outage.longest_wait_s)


def _cause(dealt: list[Dealt], begin: float, end: float) -> str | None:
    met = [(min(end, blow.ended + AFTERMATH_S) - max(begin, blow.began), blow.name) for blow in dealt]
    longest, name = max(met, key=lambda row: row[0], default=(0.0, ""))
    return name if longest > 0 else None


def show(outcome: Outcome, console: Console) -> None:
    """The tables."""
    table = Table(title=f"{outcome.minutes:g} min of blows, seed {outcome.seed}")
    table.add_column("")
    table.add_column("", justify="right")
    rooms = ", ".join(f"{count} of {size}" for size, count in sorted(outcome.rooms.items(), reverse=True))
    rows: dict[str, Any] = {
        "people": outcome.people,
        "rooms": rooms,
        "blows": sum(row.count for row in outcome.outages),
    }
    rows |= {name: getattr(outcome, name) for name in ("sent", "acknowledged", "stored", "reactions", "deliveries")}
    rows |= outcome.verdict | {
        "acknowledged after, ms": "  ".join(f"{name} {value:g}" for name, value in outcome.ack_ms.items())
    }
    rows |= {
        name: getattr(outcome, name)
        for name in (
            "reconnects", "repeated_requests", "gaps_repaired_by_clients", "rooms_filled_from_history", "logins_by_password",
        )
    }  # fmt: skip
    for name, value in rows.items():
        table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    felt = Table("blow", "times", "longest wait", "longest silence", title="what people felt of it, seconds")
    for row in outcome.outages:
        felt.add_row(row.blow, str(row.count), f"{row.longest_wait_s:.1f}", f"{row.longest_silence_s:.1f}")
    console.print(felt)
    if not outcome.namespace:
        console.print("There is no network namespace to be had here: no gateway was cut off.")
    for failure in outcome.failures[:20]:
        console.print(failure, highlight=False)
    console.print("good: nothing lost, doubled or out of order" if outcome.good else "NOT GOOD")


def _addresses(stack: RunningStack) -> list[str]:
    """TCP and WebSocket of every gateway, in turn."""
    gateways = [facts for name, facts in stack.facts.processes.items() if name.startswith("gateway")]
    return [address for facts in gateways for address in (f"tcp://{facts.tcp}", facts.http) if address]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
