"""`garita audit verify` and `garita admin`: the auth service's operator routes. They need the operator's token file, so they run on the host alone."""

import json
from pathlib import Path
from typing import Any

from garita_client.core.display import printable
from garita_client.core.errors import GaritaError

from .bans import Operator, show_time, token_of
from .places import Places
from .terminal import Terminal

HEADS = 50
"""As many of the newest heads as the service takes; each covers everything before it."""


async def verify_audit(places: Places, terminal: Terminal) -> int:
    """Whether the audit log is as it was written, held against the heads in the service's log. Returns 1 where it is not."""
    heads = heads_in(places.log_of("auth"))
    told = await _auth(places, terminal).call("POST", "/operator/audit/verify", {"heads": heads})
    if told.get("intact"):
        terminal.say("audit_intact", rows=told.get("rows"), heads=len(heads), mac=printable(str(told.get("mac"))))
        return 0
    terminal.say("audit_broken", row=told.get("first_flaw"), rows=told.get("rows"))
    return 1


async def rotate_keys(places: Places, terminal: Terminal, *, now: bool) -> int:
    """The next signing key. Args: now: the present one is gone at once."""
    told = await _auth(places, terminal).call("POST", "/operator/keys/rotate", {"now": now})
    terminal.say("key_made", when=show_time(told.get("signs_ms")))
    return 0


async def revoke(places: Places, terminal: Terminal, user: str, session: str | None) -> int:
    """Ends one session of a user, or all."""
    body: dict[str, Any] = {"user": user} | ({"session": session} if session else {})
    told = await _auth(places, terminal).call("POST", "/operator/revoke", body)
    terminal.say("sessions_ended", count=told.get("ended"))
    return 0


async def invite(places: Places, terminal: Terminal) -> int:
    """A ticket for one registration."""
    told = await _auth(places, terminal).call("POST", "/operator/invites", {})
    terminal.say("invite_made", when=show_time(told.get("expires_ms")))
    terminal.show(printable(str(told.get("invite"))))
    return 0


async def grant(places: Places, terminal: Terminal, user: str) -> int:
    """Makes an account an administrator's. Args: user: its name or id."""
    told = await _auth(places, terminal).call("POST", "/operator/admins/grant", {"user": user})
    terminal.say("admin_granted", user=printable(str(told.get("username"))))
    return 0


async def withdraw(places: Places, terminal: Terminal, user: str) -> int:
    """Takes the role away. Args: user: name or id."""
    told = await _auth(places, terminal).call("POST", "/operator/admins/withdraw", {"user": user})
    terminal.say("admin_withdrawn", user=printable(str(told.get("username"))))
    return 0


def heads_in(path: Path) -> list[dict[str, Any]]:
    """The newest heads of the audit log that a service has written into its log, oldest first; none where there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            found = [head for line in lines if '"audit_head"' in line and (head := _head(line)) is not None]
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise GaritaError(f"{path}: {exc.strerror}.") from exc
    return found[-HEADS:]


def _head(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:  # the last line may be written just now
        return None
    if not isinstance(said, dict) or said.get("event") != "audit_head":
        return None
    return {"seq": said.get("seq"), "mac": said.get("mac")}


def _auth(places: Places, terminal: Terminal) -> Operator:
    facts = places.stack_needed().processes.get("auth")
    if facts is None or not facts.inner:
        raise GaritaError(terminal.word("no_operator"))
    return Operator(facts.inner, token_of(places, terminal), "auth service")
