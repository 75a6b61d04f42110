"""`run.json`: what the launcher says about the stack that runs here."""

import msgspec
from msgspec import Struct

from .errors import GaritaError


class BadRunFile(GaritaError):
    """A file that does not describe a stack."""


class ProcessFacts(Struct, frozen=True):
    """One process; `inner` answers /readyz, which Redis has not."""

    pid: int | None = None
    inner: str | None = None
    http: str | None = None
    tcp: str | None = None


class RunFile(Struct, frozen=True):
    """The stack: where people connect, where operators do, where its secrets are."""

    http: str
    tcp: str
    processes: dict[str, ProcessFacts]
    outbox: str | None = None
    operator: str | None = None
    secrets_dir: str | None = None
    redis_url: str | None = None
    v: int = 1


def parse_run_file(data: bytes) -> RunFile:
    """The stack that a `run.json` describes.

    Raises:
        BadRunFile: it does not.
    """
    try:
        return msgspec.json.decode(data, type=RunFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadRunFile("run.json does not describe a stack of this version; start it anew with make run.") from exc
