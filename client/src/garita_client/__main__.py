"""The command `garita`: reads the command line, calls one command, and turns every error into one clear sentence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from .commands import accounts, admin, bans, chat, overview, reports, security, status
from .commands.places import Choices, Places
from .commands.terminal import Terminal
from .core.errors import AuthRefused, GaritaError
from .core.texts import language_of

EX_INTERRUPTED = 130


def main(words: list[str] | None = None) -> int:
    """The command; its exit status."""
    arguments = _parser().parse_args(words)
    terminal = Terminal(language_of(os.environ.get("LC_ALL") or os.environ.get("LANG")))
    said = vars(arguments)
    choices = Choices(
        state=said.get("state", Path("var")),
        server=said.get("server"),
        connect=said.get("connect"),
        login=said.get("login"),
    )
    try:
        return asyncio.run(_run(arguments, Places(choices, terminal), terminal))
    except (KeyboardInterrupt, EOFError):
        return EX_INTERRUPTED
    except AuthRefused as exc:
        return _fail(_told(exc))
    except GaritaError as exc:
        return _fail(str(exc))
    except OSError as exc:
        return _fail(f"{exc.filename or ''} {exc.strerror or exc}".strip())


def _run(arguments: argparse.Namespace, places: Places, terminal: Terminal) -> Coroutine[Any, Any, int]:
    match arguments.command:
        case "register":
            return accounts.register(places, terminal, invited=arguments.invite)
        case "login":
            return accounts.login(places, terminal)
        case "logout":
            return accounts.logout(places, terminal, arguments.scope)
        case "totp" | "codes" | "sessions" | "account":
            return _run_account(arguments, places, terminal)
        case "chat":
            return chat.chat(places, terminal, arguments.room)
        case "status":
            return status.status(places, terminal)
        case "audit":
            return admin.verify_audit(places, terminal)
        case "admin":
            return _run_admin(arguments, places, terminal)
        case "reports":
            return reports.show_reports(places, terminal, before=arguments.before)
        case _:
            return _run_bans(arguments, places, terminal)


def _run_account(arguments: argparse.Namespace, places: Places, terminal: Terminal) -> Coroutine[Any, Any, int]:
    match arguments.command:
        case "totp":
            return security.totp(places, terminal)
        case "codes":
            return security.codes(places, terminal)
        case "sessions":
            return security.sessions(places, terminal, vars(arguments).get("end"))
        case _:
            return overview.overview(places, terminal)


def _run_admin(arguments: argparse.Namespace, places: Places, terminal: Terminal) -> Coroutine[Any, Any, int]:
    match arguments.action:
        case "rotate-keys":
            return admin.rotate_keys(places, terminal, now=arguments.now)
        case "invite":
            return admin.invite(places, terminal)
        case "grant":
            return admin.grant(places, terminal, arguments.user)
        case "withdraw":
            return admin.withdraw(places, terminal, arguments.user)
        case _:
            return admin.revoke(places, terminal, arguments.user, arguments.session)


def _run_bans(arguments: argparse.Namespace, places: Places, terminal: Terminal) -> Coroutine[Any, Any, int]:
    match arguments.action:
        case "explain":
            return bans.explain(places, terminal, arguments.decision)
        case "lift":
            return bans.lift(places, terminal, arguments.decision, arguments.reason)
        case _:
            return bans.show_bans(places, terminal, everything=getattr(arguments, "all", False))


def _parser() -> argparse.ArgumentParser:
    # Without defaults: a subcommand's parser would else put its default over what was said before the subcommand.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--server", help="address of the server, such as https://chat.example.org")
    common.add_argument("--state", type=Path, help="state folder of a stack that runs here (./var)")
    common.add_argument("--login", type=Path, help="file with the login (~/.config/garita/login.json)")
    parser = argparse.ArgumentParser(prog="garita", description="Chat, files and administration for Garita.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    join = commands.add_parser("register", parents=[common], help="make an account")
    join.add_argument("--invite", action="store_true", help="with an invite of the operator's, without a contact")
    commands.add_parser("login", parents=[common], help="log in; asks for the second factor where there is one")
    leave = commands.add_parser("logout", parents=[common], help="end the session")
    leave.add_argument("--scope", choices=("this", "others", "all"), default="this")
    commands.add_parser("totp", parents=[common], help="turn two-step login on")
    commands.add_parser(
        "codes", parents=[common], help="make ten recovery codes, for the day the authenticator is gone"
    )
    commands.add_parser("account", parents=[common], help="how your account stands, and what happened to it")
    logins = commands.add_parser("sessions", parents=[common], help="list where you are logged in, end one")
    logins.add_argument("--end", type=int, metavar="number", help="end the session of this number")
    talk = commands.add_parser("chat", parents=[common], help="talk")
    talk.add_argument("room", nargs="?", help="title or id of a room to go into")
    talk.add_argument("--connect", help="tcp://, tls://, ws:// or wss:// address to chat at")
    commands.add_parser("status", parents=[common], help="show the processes of the stack that runs here")
    report = commands.add_parser("reports", parents=[common], help="list what members reported (operators)")
    report.add_argument("--before", type=int, help="go on from this number")
    audit = commands.add_parser("audit", parents=[common], help="check the audit log (operators)")
    audit.add_subparsers(dest="action", required=True, metavar="action").add_parser(
        "verify", parents=[common], help="whether it is as it was written, by its chain and the heads in the log"
    )
    office = commands.add_parser("admin", parents=[common], help="invites, roles, keys and sessions (operators)")
    acts = office.add_subparsers(dest="action", required=True, metavar="action")
    keys = acts.add_parser("rotate-keys", parents=[common], help="make the next signing key")
    keys.add_argument("--now", action="store_true", help="the present key is gone at once, with all access tokens")
    acts.add_parser("invite", parents=[common], help="make a ticket for one registration without a contact")
    for word, what in (("grant", "make an account an administrator's"), ("withdraw", "take that role away")):
        acts.add_parser(word, parents=[common], help=what).add_argument("user", help="user name or id")
    end = acts.add_parser("revoke", parents=[common], help="end a user's sessions")
    end.add_argument("user", help="the user's id")
    end.add_argument("--session", help="only this one")
    ban = commands.add_parser("bans", parents=[common], help="list, explain and lift bans (operators)")
    actions = ban.add_subparsers(dest="action", metavar="action")
    show = actions.add_parser("list", parents=[common], help="the active bans")
    show.add_argument("--all", action="store_true", help="those that have ended too")
    why = actions.add_parser("explain", parents=[common], help="why a decision was made")
    why.add_argument("decision", type=int)
    lift = actions.add_parser("lift", parents=[common], help="take a ban back")
    lift.add_argument("decision", type=int)
    lift.add_argument("--reason", required=True, help="kept in the audit log")
    return parser


def _told(refusal: AuthRefused) -> str:
    """A refusal with what else its answer says."""
    reasons = refusal.problem.get("reasons")
    wait = f" ({refusal.retry_after_s:.0f} s)" if refusal.retry_after_s else ""
    return f"{refusal}{wait}" + (f" [{', '.join(map(str, reasons))}]" if isinstance(reasons, list) else "")


def _fail(sentence: str) -> int:
    print(f"garita: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
