"""`garita bans`: what the detector has decided, why, and taking it back. For operators: it needs the operator's token file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.table import Table

from garita_client.core.display import printable
from garita_client.core.errors import GaritaError, Unreachable

from .places import Places
from .terminal import Terminal

TIMEOUT_S = 10.0


class Operator:
    """A service's operator routes (detector-service/README.md)."""

    def __init__(self, base: str, token: str, service: str = "detector") -> None:
        """Args: base: `http://host:port`; token: the operator's bearer token; service: its name in a complaint."""
        self._service = service
        self._base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request.

        Raises:
            Unreachable: no answer.
            GaritaError: a refusal, in the service's words.
        """
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.request(method, self._base + path, json=body) as answer,
            ):
                told = msgspec.json.decode(await answer.read() or b"{}", type=dict[str, Any])
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as exc:
            raise Unreachable(
                f"The {self._service} does not answer at {self._base}: {str(exc) or 'no answer in time'}."
            ) from exc
        if status >= 400:
            raise GaritaError(
                str(told.get("detail") or told.get("title") or f"The {self._service} answered HTTP {status}.")
            )
        return told


def operator_of(places: Places, terminal: Terminal) -> Operator:
    """The detector of the stack that runs here."""
    stack = places.stack_needed()
    if not stack.operator:
        raise GaritaError(terminal.word("no_operator"))
    return Operator(stack.operator, token_of(places, terminal))


def token_of(places: Places, terminal: Terminal) -> str:
    """The operator's token of the stack that runs here."""
    folder = places.stack_needed().secrets_dir
    if not folder:
        raise GaritaError(terminal.word("no_operator"))
    path = Path(folder) / "operator_token"
    try:
        return path.read_text().strip()
    except OSError as exc:
        raise GaritaError(f"{path}: {exc.strerror}.") from exc


async def show_bans(places: Places, terminal: Terminal, *, everything: bool) -> int:
    """The list, newest first."""
    told = await operator_of(places, terminal).call("GET", "/v1/bans" + ("?all=1" if everything else ""))
    bans = told.get("bans", [])
    if not bans:
        terminal.say("no_bans")
        return 0
    table = Table("#", "", "", "", "")
    table.show_header = False
    for ban in bans:
        table.add_row(
            str(ban["decision"]), printable(str(ban["subject"])), str(ban["state"]), show_time(ban.get("until_ms")),
            printable(str(ban["sentence"])),
        )  # fmt: skip
    terminal.console.print(table)
    return 0


async def explain(places: Places, terminal: Terminal, decision: int) -> int:
    """One decision: the sentence, the numbers, the events."""
    told = await operator_of(places, terminal).call("GET", f"/v1/explain/{decision}")
    terminal.show(printable(str(told.get("sentence", ""))))
    for name, value in dict(told.get("numbers", {})).items():
        terminal.show(f"  {name}: {printable(str(value))}")
    evidence = list(told.get("evidence", []))
    terminal.say("evidence", count=len(evidence))
    for event in evidence:
        terminal.show(f"  {show_time(event.get('at_ms'))}  #{event.get('id')}  {printable(str(event.get('kind')))}")
    return 0


async def lift(places: Places, terminal: Terminal, decision: int, reason: str) -> int:
    """Takes a ban back."""
    told = await operator_of(places, terminal).call("DELETE", f"/v1/bans/{decision}", {"reason": reason})
    terminal.say("lifted" if told.get("pushed", True) else "lifted_later")
    return 0


def show_time(ms: object) -> str:
    """A time of this place's clock, from Unix milliseconds."""
    if not isinstance(ms, int):
        return "-"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
