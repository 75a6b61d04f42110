"""Asking for a second factor in a terminal: whichever of the account's can be typed. A passkey cannot, and that is said."""

from collections.abc import Iterable

from garita_client.core.errors import GaritaError

from .terminal import Terminal

TYPED = ("totp", "recovery_code", "sms", "code")
"""What can be typed, the usual one first."""


async def choose_factor(terminal: Terminal, methods: Iterable[str]) -> str:
    """One of the account's methods that can be typed.

    Raises:
        GaritaError: there are passkeys alone.
    """
    offered = tuple(methods)
    usable = [method for method in TYPED if method in offered]
    if not usable:
        raise GaritaError(terminal.word("only_passkeys"))
    if "passkey" in offered:
        terminal.say("no_passkeys")
    return usable[0] if len(usable) == 1 else await _chosen(terminal, usable)


async def type_factor(terminal: Terminal, method: str) -> str:
    """What is typed for a method."""
    return (await terminal.ask(f"ask_{method}")).strip()


def tell_successor(terminal: Terminal, code: str | None) -> None:
    """A used saved code has a successor, which is told only now."""
    if code is not None:
        terminal.say("new_saved_code", code=code)


async def _chosen(terminal: Terminal, usable: list[str]) -> str:
    for number, method in enumerate(usable, 1):
        terminal.show(f"{number}  {terminal.word(f'way_{method}')}")
    said = (await terminal.ask("ask_way", default="1")).strip()
    return usable[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(usable) else usable[0]
