"""`garita reports`: what members reported, in all rooms. For operators: it needs the operator's token file."""

from typing import Any

from garita_client.core.display import printable
from garita_client.core.errors import GaritaError, Unreachable

from .bans import Operator, show_time, token_of
from .places import Places
from .terminal import Terminal

SHOWN = ("reason", "note", "text")


async def show_reports(places: Places, terminal: Terminal, *, before: int | None) -> int:
    """A page, newest first. Args: before: the number under which it begins."""
    told = await _ask(places, terminal, "/v1/reports" + (f"?before={before}" if before is not None else ""))
    reports = told.get("reports", [])
    if not reports:
        terminal.say("no_reports")
    for report in reports:
        _show(terminal, report)
    if "next" in told:
        terminal.say("more_reports", before=told["next"])
    return 0


def _show(terminal: Terminal, report: dict[str, Any]) -> None:
    room, author, reporter = report["room"], report.get("user", {}), report["reporter"]
    place = f"{room['kind']} {room['id']} {room['title'] or ''}".rstrip()
    terminal.show(printable(f"#{report['id']}  {show_time(report.get('ts'))}  {place}"))
    terminal.show(printable(f"  {reporter['name']} ({reporter['id']}) → {author.get('name')} ({author.get('id')})"))
    terminal.show(printable(f"  mid: {report.get('mid')}"))
    for name in SHOWN:
        if report.get(name):
            terminal.show(f"  {name}: {printable(str(report[name]))}")


async def _ask(places: Places, terminal: Terminal, path: str) -> dict[str, Any]:
    """The answer of the first copy of the chat service that gives one; each can read all."""
    stack = places.stack_needed()
    token = token_of(places, terminal)
    failure: GaritaError = GaritaError(terminal.word("no_operator"))
    for name, facts in stack.processes.items():
        if name.partition("-")[0] == "chat" and facts.inner:
            try:
                return await Operator(facts.inner, token, "chat service").call("GET", path)
            except Unreachable as exc:
                failure = exc
    raise failure
