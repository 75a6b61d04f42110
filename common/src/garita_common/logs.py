"""Logging: structlog as JSON lines on standard error, with a constant event name and fields.

Never a text, token, code, password or plain address: `AddressHash` turns an address into a keyed hash. What a peer can cause as often as it likes is
a counter and at most one line a minute (`Sparingly`).
"""

import hashlib
import hmac
import logging
import sys
from collections.abc import Callable

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from .config import Secret


def configure(service: str, level: str) -> None:
    """Sets the process's logging up; called once by `__main__`."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(message)s")
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record of aiohttp's server is about a fault of ours: malformed HTTP is a stranger's, who must not write our logs."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


class AddressHash:
    """Addresses as they may stand in a log: the same address gives the same 12 characters, and nobody without the key can go back."""

    def __init__(self, key: Secret) -> None:
        """Args: key: the secret `address_key`."""
        self._key = key.bytes()

    def __call__(self, address: str) -> str:
        """The address's keyed hash."""
        return hmac.new(self._key, address.encode(), hashlib.sha256).hexdigest()[:12]


class Sparingly:
    """At most one line per event name and reason in `every_s`: a stranger must not write our logs."""

    def __init__(self, monotonic: Callable[[], float], every_s: float = 60.0) -> None:
        """Args: monotonic: the clock, in seconds; every_s: the time between two equal lines."""
        self._monotonic = monotonic
        self._every_s = every_s
        self._last: dict[tuple[str, str], float] = {}

    def due(self, event: str, reason: str) -> bool:
        """Whether this line may be written now. Reasons come from enums, so the table stays small."""
        now_s = self._monotonic()
        last_s = self._last.get((event, reason))
        if last_s is not None and now_s - last_s < self._every_s:
            return False
        self._last[(event, reason)] = now_s
        return True
