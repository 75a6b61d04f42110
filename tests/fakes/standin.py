"""A stand-in for a service process, for tests of the launcher: a real process that answers /readyz and ends on SIGTERM.

Run as `python standin.py NAME DIARY`; the port is the one that GARITA_<NAME>_INNER_PORT says. It adds a line to the
diary when it starts and when it ends. What else it does is told by the environment:
STANDIN_<NAME>=deaf ignores SIGTERM, =crash ends at once with code 3, =config says a sentence and ends with 78,
=unready never is ready, =parent starts a child of its own that sleeps.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def main() -> None:
    """Be the service until told to end."""
    name, diary = sys.argv[1], Path(sys.argv[2])
    manner = os.environ.get(f"STANDIN_{name.upper()}", "")
    _note(diary, f"start {name} {os.getpid()}")
    if manner == "crash":
        sys.exit("out of order")
    if manner == "config":
        sys.stderr.write('{"event":"starting"}\nThe quota is not a number.\n')
        sys.exit(78)
    if manner == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        _note(diary, f"child {name} {child.pid}")
    if manner == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: _end(diary, name))
    status = 503 if manner == "unready" else 200

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            """Say nothing."""

    HTTPServer(("127.0.0.1", int(os.environ[f"GARITA_{name.upper()}_INNER_PORT"])), Ready).serve_forever()


def _end(diary: Path, name: str) -> None:
    _note(diary, f"end {name}")
    os._exit(0)


def _note(diary: Path, line: str) -> None:
    """One line, whole even when several processes write at once."""
    descriptor = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


if __name__ == "__main__":
    main()
