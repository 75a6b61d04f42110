"""What can go wrong for someone who uses the library, as a person would tell it.

Every error is a `GaritaError` whose text is a whole sentence. `Ended` is final: the client does not come back by itself after it.
"""

from typing import Any


class GaritaError(Exception):
    """The root of all of the library's errors."""


class RequestRefused(GaritaError):
    """The server answered a request with an error that a repeat would not mend; `code` is of docs/protocol.md §4."""

    def __init__(self, code: str, message: str) -> None:
        """Args: code: the stable word to decide by; message: the server's sentence."""
        super().__init__(message)
        self.code = code
        self.message = message


class NoAnswer(GaritaError):
    """The caller's deadline passed. `may_have_happened` is true for a change that was sent at least once."""

    def __init__(self, op: str, *, may_have_happened: bool) -> None:
        """Args: op: the operation that was asked."""
        doubt = "; it may have been carried out all the same" if may_have_happened else ""
        super().__init__(f"The server did not answer {op!r} in time{doubt}.")
        self.op = op
        self.may_have_happened = may_have_happened


class TransferFailed(GaritaError):
    """A file's bytes are not what was announced, or a transfer made no progress until its deadline."""


class Unreachable(GaritaError):
    """Nobody answers at an address, now; trying again later may help."""


class Ended(GaritaError):
    """The connection has ended for good; `code` is the server's close code, or None."""

    def __init__(self, sentence: str, code: int | None = None) -> None:
        """Args: sentence: what a person should know and do."""
        super().__init__(sentence)
        self.code = code


class Closed(Ended):
    """The program closed the client itself."""


class LoginNeeded(Ended):
    """The session is over: log in again."""


class Banned(Ended):
    """The server has banned this user, device or address; `until_ms` is None for a ban without an end."""

    def __init__(self, reason: str, until_ms: int | None, appeal: str | None) -> None:
        """Args: appeal: the id to name when one asks for a review."""
        super().__init__(f"Banned: {reason}", 4503)
        self.reason = reason
        self.until_ms = until_ms
        self.appeal = appeal


class AuthRefused(GaritaError):
    """The accounts API refused a request; `code` is of docs/auth-api.md §2, `retry_after_s` where waiting helps."""

    def __init__(self, problem: dict[str, Any], status: int) -> None:
        """Args: problem: the answer's JSON, with all of its further fields."""
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", "internal"))
        wait = problem.get("retry_after")
        self.retry_after_s = float(wait) if isinstance(wait, int | float) else None
        detail = problem.get("detail")
        sentence = str(problem.get("title", "The accounts service refused this."))
        super().__init__(f"{sentence} {detail}" if detail else sentence)
