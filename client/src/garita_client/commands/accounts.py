"""`garita register`, `garita login`, `garita logout`."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from garita_client.account import Account
from garita_client.auth_api import AuthApi, Flow, SecondStep, Ticket, User
from garita_client.core.errors import AuthRefused, GaritaError

from .factors import choose_factor, tell_successor, type_factor
from .places import Places
from .terminal import Terminal

Done = TypeVar("Done")
TRIES = 5
OUTBOX_TIMEOUT_S = 10.0


async def register(places: Places, terminal: Terminal, *, invited: bool = False) -> int:
    """A new account, step by step. Args: invited: by a ticket of the operator's, without a contact."""
    server = places.server_for_new()
    async with AuthApi(places.api_of(server)) as api:
        account = Account(api, places.store)
        if invited:
            return await _register_invited(account, terminal)
        contact = (await terminal.ask("ask_contact")).strip()
        password = await _new_password(terminal)
        terminal.say("proof")
        email, phone = (contact, None) if "@" in contact else (None, contact)
        flow = await account.register(email=email, phone=phone, password=password, locale=terminal.language)
        ticket = await _confirm(account, flow, contact, places.outbox_of(server), terminal)
        user = await _choose_name(lambda name: account.complete(flow, ticket, name), terminal)
    terminal.say("welcome", name=user.username)
    return 0


async def _register_invited(account: Account, terminal: Terminal) -> int:
    """The ticket is typed, not said on the command line, where others of this machine could read it."""
    invite = (await terminal.ask("ask_invite", secret=True)).strip()
    password = await _new_password(terminal)
    terminal.say("proof")
    begun = await account.register_invited(invite, password=password, locale=terminal.language)
    user, codes = await _choose_name(lambda name: account.complete_invited(begun, name), terminal)
    terminal.say("saved_codes")
    for code in codes:
        terminal.show(f"  {code}")
    terminal.say("welcome", name=user.username)
    return 0


async def login(places: Places, terminal: Terminal) -> int:
    """Name, password, and the second factor where there is one."""
    async with AuthApi(places.api_of(places.server_for_new())) as api:
        account = Account(api, places.store)
        identifier = (await terminal.ask("ask_identifier")).strip()
        password = await terminal.ask("ask_password", secret=True)
        outcome = await _by_password(account, identifier, password, terminal)
        user = outcome if isinstance(outcome, User) else await _second_factor(account, outcome, terminal)
    terminal.say("welcome", name=user.username)
    return 0


async def logout(places: Places, terminal: Terminal, scope: str) -> int:
    """Ends this session, the others, or all."""
    login = places.login_needed()
    async with AuthApi(places.api_of(login.server)) as api:
        await Account(api, places.store).logout(scope)
    terminal.say("logged_out")
    return 0


async def _by_password(account: Account, identifier: str, password: str, terminal: Terminal) -> SecondStep | User:
    try:
        return await account.login(identifier, password)
    except AuthRefused as exc:
        if exc.code != "challenge_required":
            raise
        # The proof of work was done; what is wanted besides cannot be shown here.
        raise GaritaError(terminal.word("picture_wanted")) from exc


async def _new_password(terminal: Terminal) -> str:
    for _ in range(TRIES):
        password = await terminal.ask("ask_new_password", secret=True)
        if password == await terminal.ask("ask_again", secret=True):
            return password
        terminal.say("not_the_same")
    raise GaritaError(terminal.word("not_the_same"))


async def _confirm(account: Account, flow: Flow, contact: str, outbox: str | None, terminal: Terminal) -> Ticket:
    """The code that was sent; a demo server shows it, so it need only be confirmed with Enter."""
    shown = await _demo_code(outbox, contact) if outbox else None
    if shown:
        terminal.say("demo_code", code=shown)
    for attempt in range(TRIES):
        code = (await terminal.ask("ask_code", default=shown or "")).strip()
        try:
            return await account.verify(flow, code)
        except AuthRefused as exc:
            if exc.code != "code_invalid" or attempt == TRIES - 1:
                raise
            terminal.say("wrong_code")
    raise GaritaError(terminal.word("wrong_code"))


async def _choose_name(complete: Callable[[str], Awaitable[Done]], terminal: Terminal) -> Done:
    while True:
        name = (await terminal.ask("ask_name")).strip()
        try:
            return await complete(name)
        except AuthRefused as exc:
            if exc.code == "username_taken":
                terminal.say("name_taken")
            elif exc.code == "invalid_request":
                terminal.show(str(exc))
            else:
                raise


async def _second_factor(account: Account, step: SecondStep, terminal: Terminal) -> User:
    method = await choose_factor(terminal, step.methods)
    if method == "sms":
        await _send_text(account, step, terminal)
    for attempt in range(TRIES):
        try:
            entered = await account.login_mfa(step.ticket, await type_factor(terminal, method), method)
        except AuthRefused as exc:
            if exc.code != "invalid_code" or attempt == TRIES - 1:
                raise
            terminal.say("wrong_code")
        else:
            tell_successor(terminal, entered.recovery_code)
            return entered.user
    raise GaritaError(terminal.word("wrong_code"))


async def _send_text(account: Account, step: SecondStep, terminal: Terminal) -> None:
    try:
        await account.send_text(step.ticket)
    except AuthRefused as exc:
        if exc.code != "challenge_required":
            raise
        raise GaritaError(terminal.word("text_picture")) from exc


async def _demo_code(outbox: str, contact: str) -> str | None:
    """The newest code that would have been sent to a contact; None when the outbox does not say."""
    timeout = aiohttp.ClientTimeout(total=OUTBOX_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(outbox) as answer:
            entries = json.loads(await answer.text()) if answer.status == 200 else []
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    wanted = contact.casefold()
    texts = [str(entry.get("text", "")) for entry in entries if str(entry.get("to", "")).casefold() == wanted]
    found = re.search(r"\b\d{6}\b", texts[-1]) if texts else None
    return found.group() if found else None
