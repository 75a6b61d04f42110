"""`garita account`: how one's account stands. It only shows; the page is where it is changed."""

from garita_client.account import Account
from garita_client.auth_api import AuthApi, Change, Contact, Happenings, User
from garita_client.core.display import printable
from garita_client.core.happenings import happening

from .places import Places
from .security import day
from .terminal import Terminal

SHOWN = 20


async def overview(places: Places, terminal: Terminal) -> int:
    """Names, addresses and numbers, second factors, what is about to change, and what has happened."""
    login = places.login_needed()
    async with AuthApi(places.api_of(login.server)) as api:
        account = Account(api, places.store)
        user = await account.me()
        contacts, changes, happened = await account.contacts(), await account.changes(), await account.happenings()
    _tell_user(terminal, user)
    for contact in contacts:
        terminal.show(_contact(terminal, contact))
    for change in changes:
        terminal.show(_change(terminal, change))
    _tell_happenings(terminal, happened)
    terminal.say("account_page", address=f"{login.server}/#/account")
    return 0


def _tell_user(terminal: Terminal, user: User) -> None:
    terminal.show(f"{printable(user.username)} ({printable(user.display_name)})")
    state = terminal.word("account_on" if user.totp else "account_off")
    terminal.say("account_factors", totp=state, passkeys=user.passkeys, codes=user.recovery_codes)


def _contact(terminal: Terminal, contact: Contact) -> str:
    at_ms = contact.effective_ms if contact.state == "retiring" else contact.matures_ms
    words = [terminal.word(f"contact_{contact.state}", date=day(at_ms))]
    words += [terminal.word(f"contact_{mark}") for mark in ("asked", "suspect") if getattr(contact, mark)]
    return f"{printable(contact.value)}  {' '.join(words)}"


def _change(terminal: Terminal, change: Change) -> str:
    factor = terminal.word(f"factor_{change.factor}") if change.factor else ""
    return terminal.word(
        f"change_{change.kind}", factor=factor, date=day(change.effective_ms), until=day(change.cancel_until_ms)
    )


def _tell_happenings(terminal: Terminal, happened: Happenings) -> None:
    if happened.frozen_until_ms:
        terminal.say("account_frozen", date=day(happened.frozen_until_ms))
    if happened.guarded_until_ms:
        terminal.say("account_guarded", date=day(happened.guarded_until_ms))
    for one in happened.events[:SHOWN]:
        device = printable(one.device_label) if one.device_label else ""
        doubt = "" if one.confirmed or not device else terminal.word("not_confirmed")
        terminal.show(f"{day(one.at_ms)}  {happening(terminal.language, one.kind)}  {device} {doubt}".rstrip())
