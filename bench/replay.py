"""`python -m bench.replay`: a real day of a public chat through the whole stack, and the books afterwards.

Every author is a client of its own with its own account, half of them over WebSocket, half over TCP; messages come at their real times and
lengths, faster than life. Ends with a report; the exit status is 0 only when nothing was lost, doubled or out of order.
"""

import argparse
import asyncio
import contextlib
import gzip
import os
import resource
import signal
import sys
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.day import Day, NoSuchDay, choose, load
from bench.people import People, PersonTokens
from bench.players import CONNECT_AT_ONCE, Course, Player, make_players, settle
from bench.report import Report, show, write
from bench.stacks import RunningStack, StackTrouble, given_stack, own_stack
from bench.tally import Tally
from garita_client import AuthApi, GaritaError

CHATLOGS = Path(__file__).parents[2] / "shared" / "data" / "chatlogs"
FILE = "rbtv_days.calibration.csv.gz"
MOST_PEOPLE = 400
SPEED = 300.0
LOOK_S = 0.5


def main(words: list[str] | None = None) -> int:
    """The command; its exit status."""
    arguments = parser().parse_args(words)
    console = Console()
    try:
        day = _day(arguments)
        report = uvloop.run(_run(arguments, day, console))
    except (NoSuchDay, StackTrouble, GaritaError) as exc:
        console.print(str(exc), highlight=False)
        return 2
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("stopped")
        return 130
    show(report, console)
    write(report, arguments.json)
    return 0 if report.good else 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    told = argparse.ArgumentParser(prog="python -m bench.replay", description="Replay a real day of chat.")
    told.add_argument("--chatlogs", type=Path, default=Path(os.environ.get("GARITA_CHATLOGS", CHATLOGS)))
    told.add_argument("--state", type=Path, help="state folder of a running stack; without it one is started")
    told.add_argument("--gateways", type=int, default=1, help="of the stack that is started")
    told.add_argument("--date", help="day to play, such as 2016-12-09; else the busiest whole one that fits --people")
    told.add_argument("--people", type=int, default=MOST_PEOPLE, help="most authors of a day that is chosen by itself")
    told.add_argument("--from-hour", type=float, default=0.0, help="begin so many hours after the first message")
    told.add_argument("--hours", type=float, default=24.0, help="play so many hours")
    told.add_argument("--speed", type=float, default=SPEED, help="times faster than life")
    told.add_argument("--json", type=Path, default=Path("bench/out/replay.json"), help="where the report goes")
    return told


def _day(arguments: argparse.Namespace) -> Day:
    path = arguments.chatlogs / FILE
    if not path.exists():
        raise NoSuchDay(f"{path} is not there: say where the chat logs are with --chatlogs or GARITA_CHATLOGS.")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        day = choose(load(file), arguments.date, arguments.people).part(arguments.from_hour, arguments.hours)
    if not day.lines:
        raise NoSuchDay("There are no messages in these hours.")
    return day


async def _run(arguments: argparse.Namespace, day: Day, console: Console) -> Report:
    """The stack, the people, the replay; SIGTERM ends it like Ctrl-C, so that a stack of our own is never left behind."""
    whole = asyncio.current_task()
    assert whole is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, whole.cancel)
    columns = (
        TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[news]}"),
    )  # fmt: skip
    stack_of = given_stack(arguments.state) if arguments.state else own_stack(arguments.gateways)
    with Progress(*columns, console=console, refresh_per_second=2) as bar:
        async with stack_of as stack, AuthApi(f"{stack.facts.http}/v1/auth", connections=16) as api:
            registering = bar.add_task("accounts", total=len(day.authors), news="")
            people = await People(stack, api).gather(len(day.authors), lambda: bar.advance(registering))
            return await _replay(arguments, day, stack, people, bar)


async def _replay(
    arguments: argparse.Namespace,
    day: Day,
    stack: RunningStack,
    people: list[tuple[str, PersonTokens]],
    bar: Progress,
) -> Report:
    course = Course(Tally())
    addresses = _addresses(stack)
    players = make_players(people, day, arguments.speed, addresses, course)
    async with contextlib.AsyncExitStack() as open_clients:
        entering = bar.add_task("connections", total=len(players), news="")
        await _enter(players, course, open_clients, lambda: bar.advance(entering))
        async with asyncio.TaskGroup() as hearing:
            ears = [hearing.create_task(player.hear()) for player in players]
            took_s = await _play(day, players, course, bar)
            _, _, head = stack.stored(course.room)
            if not await settle(players, head):
                course.failures.append("not every client heard everything in time")
            for ear in ears:
                ear.cancel()
    messages, seqs, head = stack.stored(course.room)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Report(
        date=day.date,
        hours=day.hours,
        speed=arguments.speed,
        people=len(players),
        transports=_transports(players),
        took_s=took_s,
        sent=len(course.tally.texts),
        acknowledged=len(course.tally.acknowledged),
        stored=len(messages),
        deliveries=course.deliveries,
        verdict=course.tally.judge(messages, head, seqs),
        ack_ms=course.tally.ack_latency.told(),
        delivery_ms=course.tally.delivery_latency.told(),
        client=_client_figures(players, people, course),
        failures=course.failures,
        client_cpu_s=round(usage.ru_utime + usage.ru_stime, 1),
    )


async def _enter(players: list[Player], course: Course, opened: contextlib.AsyncExitStack, progress: object) -> None:
    """The first player makes the room; then all come in, some at a time."""
    assert callable(progress)
    for player in players:
        await opened.enter_async_context(player.client)
        if not course.room:
            await player.client.connected(timeout_s=60)
            course.room = (await player.client.create_room("public", f"replay {time.time():.0f}")).id
    slots = asyncio.Semaphore(CONNECT_AT_ONCE)

    async def enter(player: Player) -> None:
        async with slots:
            await player.enter()
        progress()

    async with asyncio.TaskGroup() as tasks:
        for player in players:
            tasks.create_task(enter(player))


async def _play(day: Day, players: list[Player], course: Course, bar: Progress) -> float:
    """All messages; the seconds it took."""
    playing = bar.add_task("messages", total=len(day.lines), news="")
    course.started = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(players, course, bar, playing))
        async with asyncio.TaskGroup() as work:
            for player in players:
                work.create_task(player.play())
        watching.cancel()
    _news(players, course, bar, playing)
    return time.monotonic() - course.started


async def _watch(players: list[Player], course: Course, bar: Progress, task: TaskID) -> None:
    while True:
        _news(players, course, bar, task)
        await asyncio.sleep(LOOK_S)


def _news(players: list[Player], course: Course, bar: Progress, task: TaskID) -> None:
    connected = sum(player.client.is_connected for player in players)
    news = f"{connected}/{len(players)} connected, {course.deliveries:,} delivered"
    bar.update(task, completed=course.acks, news=news)


def _addresses(stack: RunningStack) -> list[str]:
    """TCP and WebSocket of every gateway, in turn."""
    gateways = [facts for name, facts in stack.facts.processes.items() if name.startswith("gateway")]
    found = [address for facts in gateways for address in (f"tcp://{facts.tcp}", facts.http) if address]
    return found or [f"tcp://{stack.facts.tcp}", stack.facts.http]


def _transports(players: list[Player]) -> dict[str, int]:
    counted = {"TCP": 0, "WebSocket": 0}
    for player in players:
        counted["TCP" if type(player.client.address).__name__ == "RawAddress" else "WebSocket"] += 1
    return counted


def _client_figures(players: list[Player], people: list[tuple[str, PersonTokens]], course: Course) -> dict[str, float]:
    """What the clients went through on the way."""
    counters = [player.client.counters for player in players]
    return {
        "reconnects": sum(counter.connections - 1 for counter in counters),
        "repeated_requests": sum(counter.repeats for counter in counters),
        "rate_limited_answers": sum(counter.rate_limited for counter in counters),
        "busy_answers": sum(counter.busy for counter in counters),
        "gaps_repaired": sum(counter.gaps for counter in counters),
        "rooms_filled_from_history": sum(counter.fills for counter in counters),
        "logins_by_password": sum(tokens.logins for _, tokens in people),
        "held_back_by_own_pace": course.held_back,
        "latest_message_s": round(course.latest_s, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
