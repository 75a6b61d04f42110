"""`python -m garita_local`: what `make run` starts. Runs the stack until Ctrl-C or SIGTERM.

One line on stdout says that the stack is ready; progress and trouble go to stderr. Ends with 0 when it was stopped
after it had been ready, with 1 when it could not start, and with 128 + signal when it was stopped before.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from garita_local.plan import LOOPBACK_KINDS
from garita_local.stack import Stack
from garita_local.troubles import CannotStart

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the command and leave with its exit code."""
    choices = _parser().parse_args()
    os.umask(0o077)  # whatever a child writes is this user's alone
    sys.exit(asyncio.run(_run(choices)))


async def _run(choices: argparse.Namespace) -> int:
    """Start, say so, wait for a signal, stop."""
    request = _StopRequest()
    stack = Stack(
        state=choices.state,
        http_port=choices.http_port,
        tcp_port=choices.tcp_port,
        gateways=choices.gateways,
        share_ports=bool(choices.share_ports),
        chats=choices.chats,
        loopback=choices.loopback,
        progress=_say,
    )
    try:
        async with stack:
            request.starting = None
            print(ready_line(stack), flush=True)
            await request.asked.wait()
            _say("stopping")
    except CannotStart as trouble:
        _say(str(trouble))
        return 1
    except asyncio.CancelledError:
        if request.number is None:
            raise
        return 128 + request.number
    return 0


class _StopRequest:
    """Turns the first stop signal into an event, and into a cancellation while the stack is still starting.

    Later signals change nothing: a terminal's Ctrl-C may reach us twice, and the stop has its own deadline.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.number: signal.Signals | None = None
        self.starting = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._note, number)

    def _note(self, number: signal.Signals) -> None:
        if self.asked.is_set():
            return
        self.number = number
        self.asked.set()
        if self.starting is not None:
            self.starting.cancel()


def ready_line(stack: Stack) -> str:
    """The line that says where to go."""
    host, port = stack.tcp
    return f"garita ready: {stack.http}  tcp {host}:{port}  outbox {stack.outbox}"


def _say(sentence: str) -> None:
    """Progress or trouble, for the person at the terminal."""
    print(f"garita: {sentence}", file=sys.stderr, flush=True)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the list of all options."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"garita: {message}\n")


def _parser() -> argparse.ArgumentParser:
    """The options; `make run` always passes all of them."""
    parser = _Parser(prog="garita_local", description="Run the whole stack on this machine until Ctrl-C.")
    parser.add_argument("--http-port", type=int, default=8080, help="page, WebSocket and accounts (8080)")
    parser.add_argument("--tcp-port", type=int, default=8081, help="the same protocol over plain TCP (8081)")
    parser.add_argument("--state", type=Path, default=Path("var"), help="where all data lies (./var)")
    parser.add_argument(
        "--loopback",
        choices=LOOPBACK_KINDS,
        default="private",
        help="public: 127.x addresses count, limit and ban like any other, for drills and tests",
    )
    parser.add_argument("--gateways", type=int, default=1, help="gateway processes, each ten ports further (1)")
    parser.add_argument("--share-ports", type=int, choices=(0, 1), default=0, help="1: all gateways on one pair (0)")
    parser.add_argument("--chats", type=int, default=1, help="chat services: one works, the others stand by (1)")
    return parser


if __name__ == "__main__":
    main()
