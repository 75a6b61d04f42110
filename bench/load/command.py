"""`python -m bench`: lists the scenarios; `python -m bench run [NAME …]` runs them, shows their tables and writes docs/performance.md.

Results are kept in bench/out/load.json by scenario, so that a part can be run again and the page is written from all of them. What a scenario finds is never a
reason to fail: the exit status says only whether everything ran.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.load import attack, fan_out, growth, idle, one_to_one, page, storm
from bench.load.children import LoadFailed
from bench.load.results import Result, columns_of
from bench.load.scenario import TINY, Scenario, Sizes
from garita_local.troubles import CannotStart

SCENARIOS: tuple[Scenario, ...] = (
    idle.SCENARIO, one_to_one.SCENARIO, fan_out.SCENARIO, growth.ROOMS, growth.STORED, storm.SCENARIO, attack.SCENARIO,
)  # fmt: skip
OUT = Path("bench/out/load.json")
PAGE = Path("docs/performance.md")


def main(words: list[str]) -> int:
    """The command; its exit status."""
    arguments = parser().parse_args(words)
    console = Console()
    if arguments.command is None:
        for scenario in SCENARIOS:
            console.print(f"{scenario.name:12} {scenario.title}", highlight=False)
        console.print("\npython -m bench run [NAME …] runs them; --help says with what.", highlight=False)
        return 0
    known = {scenario.name: scenario for scenario in SCENARIOS}
    strange = [name for name in arguments.names if name not in known]
    if strange:
        console.print(f"There is no scenario {', '.join(strange)}; there are {', '.join(known)}.", highlight=False)
        return 2
    chosen = [known[name] for name in arguments.names] or list(SCENARIOS)
    try:
        results = uvloop.run(_run(chosen, sizes_of(arguments), console))
    except (LoadFailed, CannotStart) as exc:
        console.print(str(exc), highlight=False)
        return 1
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("stopped")
        return 130
    for result in results:
        show(result, console)
    kept = page.keep(results, arguments.json)
    if not arguments.tiny or arguments.page != PAGE:
        page.write(kept, arguments.page)
        console.print(f"{arguments.page} has it all.", highlight=False)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    told = argparse.ArgumentParser(prog="python -m bench", description="Measure the stack under load.")
    run = told.add_subparsers(dest="command").add_parser("run", help="run scenarios, all of them unless named")
    run.add_argument("names", nargs="*", metavar="NAME")
    run.add_argument("--tiny", action="store_true", help="only show that everything runs; the figures mean nothing")
    run.add_argument("--seconds", type=float, help="how long one measured case lasts")
    run.add_argument("--connections", type=int, help="of idle")
    run.add_argument("--senders", type=int, nargs="+", help="of one-to-one")
    run.add_argument("--in-flight", type=int, nargs="+", help="requests of each sender of one-to-one")
    run.add_argument("--members", type=int, help="of the room of fan-out")
    run.add_argument("--clients", type=int, help="of the storm")
    run.add_argument("--stored", type=int, nargs="+", help="messages that are stored already")
    run.add_argument("--rooms", type=int, nargs="+", help="rooms that are there")
    run.add_argument("--attack-seconds", type=float, help="all attacks together")
    run.add_argument("--json", type=Path, default=OUT, help="where results are kept")
    run.add_argument("--page", type=Path, default=PAGE, help="where the page goes; its plot is put beside it")
    return told


def sizes_of(arguments: argparse.Namespace) -> Sizes:
    """The sizes that were asked for, over the usual ones."""
    asked = {
        "seconds": arguments.seconds,
        "idle_connections": arguments.connections,
        "senders": tuple(arguments.senders) if arguments.senders else None,
        "in_flight": tuple(arguments.in_flight) if arguments.in_flight else None,
        "members": arguments.members,
        "storm_clients": arguments.clients,
        "stored": tuple(arguments.stored) if arguments.stored else None,
        "rooms": tuple(arguments.rooms) if arguments.rooms else None,
        "attack_s": arguments.attack_seconds,
    }
    base = TINY if arguments.tiny else Sizes()
    return replace(base, **{name: value for name, value in asked.items() if value is not None})


def show(result: Result, console: Console) -> None:
    """One scenario's table and what it was held against."""
    table = Table(title=result.title)
    for number, column in enumerate(result.columns):
        table.add_column(column, justify="right" if number else "left")
    for row in columns_of(result.rows):
        table.add_row(*row)
    console.print(table)
    for claim in result.claims:
        console.print(f"  {'yes' if claim.holds else 'NO '}  {page.sentence(claim)}", highlight=False)


async def _run(chosen: Iterable[Scenario], sizes: Sizes, console: Console) -> list[Result]:
    """One after another, with progress; SIGTERM ends it like Ctrl-C, so that no stack is left behind.

    Raises:
        LoadFailed, CannotStart: a scenario could not be run.
    """
    whole = asyncio.current_task()
    assert whole is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, whole.cancel)
    columns = (
        TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[news]}"),
    )  # fmt: skip
    results = []
    with Progress(*columns, console=console, refresh_per_second=2) as bar:
        tasks = [
            (scenario, bar.add_task(scenario.name, total=scenario.steps(sizes), news="", start=False))
            for scenario in chosen
        ]
        for scenario, task in tasks:
            bar.start_task(task)
            begun_s = time.monotonic()
            steps = 0

            def tell(news: str, task: object = task) -> None:
                nonlocal steps
                bar.update(task, completed=steps, news=news)  # type: ignore[arg-type]  # a TaskID, bound early
                steps += 1

            try:
                result = await scenario.work(sizes, tell)
            except ExceptionGroup as exc:
                raise _first(exc) from exc
            bar.update(task, completed=scenario.steps(sizes), news="")
            bar.stop_task(task)
            results.append(replace(result, took_s=round(time.monotonic() - begun_s, 1)))
    return results


def _first(exc: BaseException) -> BaseException:
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
