"""`garita totp`, `garita codes` and `garita sessions`: second factors, and where the account is logged in."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from garita_client.account import Account
from garita_client.auth_api import AuthApi, Session
from garita_client.core.display import printable
from garita_client.core.errors import AuthRefused, GaritaError

from .factors import choose_factor, tell_successor, type_factor
from .places import Places
from .terminal import Terminal

TRIES = 5
Outcome = TypeVar("Outcome")


async def totp(places: Places, terminal: Terminal) -> int:
    """Turns two-step login on: shows the key, and asks for a code that proves that the app has it."""
    login = places.login_needed()
    async with AuthApi(places.api_of(login.server)) as api:
        account = Account(api, places.store)
        if (await account.me()).totp:
            terminal.say("totp_already")
            return 0
        made = await _proven(account, terminal, account.begin_totp)
        terminal.say("totp_secret", secret=_in_fours(made.secret), uri=made.otpauth_uri)
        await _confirm(account, terminal)
    terminal.say("totp_on")
    return 0


async def codes(places: Places, terminal: Terminal) -> int:
    """Makes ten saved codes and shows them: the second factor that every terminal can take."""
    login = places.login_needed()
    async with AuthApi(places.api_of(login.server)) as api:
        account = Account(api, places.store)
        made = await _proven(account, terminal, account.make_codes)
    terminal.say("own_codes")
    for code in made:
        terminal.show(f"  {code}")
    return 0


async def sessions(places: Places, terminal: Terminal, end: int | None) -> int:
    """Lists the logins of the account, or ends the one with that number of the list."""
    login = places.login_needed()
    async with AuthApi(places.api_of(login.server)) as api:
        account = Account(api, places.store)
        known = await account.sessions()
        if end is None:
            for number, session in enumerate(known, 1):
                terminal.show(_line(terminal, number, session))
            return 0
        chosen = _chosen(terminal, known, end)
        await _proven(account, terminal, lambda: account.end_session(chosen.id))
    terminal.say("session_ended", number=end)
    return 0


async def _prove(account: Account, terminal: Terminal, method: str | None) -> str | None:
    """By a second factor, or the password where there is none. The successor of a saved code."""
    if method is None:
        return await account.step_up("password", await terminal.ask("ask_password", secret=True))
    return await account.step_up(method, await type_factor(terminal, method))


def _chosen(terminal: Terminal, known: tuple[Session, ...], number: int) -> Session:
    """Raises: GaritaError: there is none of that number, or it is the one that asks."""
    if not 0 < number <= len(known):
        raise GaritaError(terminal.word("no_such_session", number=number))
    if known[number - 1].current:
        raise GaritaError(terminal.word("session_own"))
    return known[number - 1]


async def _proven(account: Account, terminal: Terminal, deed: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Does it; where the server wants to know first that it is the person, asks for a second factor, or the password where there is none."""
    try:
        return await deed()
    except AuthRefused as exc:
        if exc.code != "step_up_required":
            raise
        methods = tuple(map(str, exc.problem.get("methods") or ()))
    terminal.say("prove")
    method = await choose_factor(terminal, methods) if methods else None
    for attempt in range(TRIES):
        try:
            tell_successor(terminal, await _prove(account, terminal, method))
            break
        except AuthRefused as exc:
            if exc.code not in ("invalid_credentials", "invalid_code") or attempt == TRIES - 1:
                raise
            terminal.show(str(exc))
    return await deed()


async def _confirm(account: Account, terminal: Terminal) -> None:
    for attempt in range(TRIES):
        code = (await terminal.ask("ask_totp")).strip()
        try:
            await account.confirm_totp(code)
            return
        except AuthRefused as exc:
            if exc.code not in ("code_invalid", "invalid_code") or attempt == TRIES - 1:
                raise
            terminal.say("wrong_code")


def _line(terminal: Terminal, number: int, session: Session) -> str:
    device = printable(session.device_label or session.client_id or "?")
    this = terminal.word("session_this") if session.current else ""
    told = terminal.word(
        "session_line",
        number=number,
        device=device,
        created=day(session.created_ms),
        seen=day(session.last_seen_ms),
        this=this,
    )
    return told.rstrip()


def day(ms: int) -> str:
    """A time for people, here."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _in_fours(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
