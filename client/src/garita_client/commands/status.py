"""`garita status`: every process of the stack that runs here, its addresses and whether it is ready."""

import asyncio
import os
from urllib.parse import urlsplit

import aiohttp
from rich.table import Table

from garita_client.core.run_file import ProcessFacts, RunFile

from .places import Places
from .terminal import Terminal

TIMEOUT_S = 3.0


async def status(places: Places, terminal: Terminal) -> int:
    """Shows the table; 0 when all is ready."""
    stack = places.stack_needed()
    rows: dict[str, str | None] = {}
    standbys: set[str] = set()
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
        for name, facts in stack.processes.items():
            tasks.create_task(_look(session, stack, name, facts, rows, standbys), name=f"look-{name}")
    table = Table("pid", terminal.word("process"), terminal.word("ports"), terminal.word("state"))
    for name, facts in stack.processes.items():
        trouble = rows[name]
        well = terminal.word("standing_by" if name in standbys else "ready")
        told = well if trouble is None else _told(trouble, terminal)
        table.add_row(str(facts.pid or "-"), name, _addresses(name, facts, stack), told)
    terminal.console.print(table)
    return 0 if all(trouble is None for trouble in rows.values()) else 1


def _told(trouble: str, terminal: Terminal) -> str:
    return terminal.word("not_ready", why=trouble) if trouble else terminal.word("not_running")


def _addresses(name: str, facts: ProcessFacts, stack: RunFile) -> str:
    """All that a process listens on."""
    named = [facts.http, f"tcp {facts.tcp}" if facts.tcp else None, f"inner {facts.inner}" if facts.inner else None]
    if name == "detector" and stack.operator:
        named.append(f"operator {stack.operator}")
    if name == "redis":
        named.append(stack.redis_url)
    return "\n".join(address for address in named if address)


async def _look(
    session: aiohttp.ClientSession,
    stack: RunFile,
    name: str,
    facts: ProcessFacts,
    rows: dict[str, str | None],
    standbys: set[str],
) -> None:
    """None: ready; an empty text: not running; else what is wrong. Copies that are ready to take over are noted in `standbys`."""
    if facts.pid is None or not _runs(facts.pid):
        rows[name] = ""
    elif facts.inner is not None:
        rows[name], text = await _readiness(session, facts.inner)
        if '"role": "standby"' in text:
            standbys.add(name)
    else:
        rows[name] = await _redis(stack.redis_url)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _readiness(session: aiohttp.ClientSession, inner: str) -> tuple[str | None, str]:
    """What is wrong (None: nothing), and all that the service said."""
    try:
        async with session.get(f"{inner}/readyz") as answer:
            text = " ".join((await answer.text()).split())[:200]
            return None if answer.status == 200 else text or f"HTTP {answer.status}", text
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        return str(exc) or "no answer", ""


async def _redis(url: str | None) -> str | None:
    """A private Redis answers PING on its socket."""
    parts = urlsplit(url or "")
    if parts.scheme != "unix":
        return None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(parts.path)
            try:
                writer.write(b"*1\r\n$4\r\nPING\r\n")
                answer = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError) as exc:
        return str(exc) or "no answer"
    return None if answer.startswith((b"+PONG", b"-NOAUTH")) else answer.decode(errors="replace").strip()
