"""What to do when a connection has ended: come back, come back with a new token, or stop with a clear reason (docs/protocol.md §5)."""

from dataclasses import dataclass

from garita_common.core.errors import CloseCode

from .errors import AuthRefused, Banned, Ended, LoginNeeded, Unreachable

_SENTENCES = {
    CloseCode.BAD_TOKEN: "The server does not accept the access token. Log in again.",
    CloseCode.MALFORMED: "The server could not read what this client sent (4501). The client may be too old.",
    CloseCode.CONNECTION_LIMIT: "There are too many connections from this address (4504). Close some and try again.",
    CloseCode.VERSION: "The server speaks another version of the protocol (4505). Update the client.",
    CloseCode.ORIGIN: "The server does not accept connections from this origin (4506).",
    CloseCode.TOO_MANY_ERRORS: "The server ended the connection after too many errors (4507).",
    CloseCode.FRAME_TOO_LARGE: "This client sent a frame that is larger than allowed (4508).",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended; everything is None for one that was simply lost."""

    code: int | None = None
    reason: str = ""
    after_ms: int = 0
    until_ms: int | None = None
    appeal: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Come back, not before `after_s`; `fresh_token`: the one that was used is not to be shown again."""

    after_s: float = 0.0
    fresh_token: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not come back."""

    error: Ended


def decide(ending: Ending, *, token_was_fresh: bool) -> Again | Stop:
    """The next step. `token_was_fresh`: the token had been fetched for this very connection, so another one would fare no better."""
    after_s = ending.after_ms / 1000
    match ending.code:
        case CloseCode.SESSION_ENDED:
            return Again(after_s, fresh_token=True)
        case CloseCode.BAD_TOKEN if not token_was_fresh:
            return Again(after_s, fresh_token=True)
        case CloseCode.BAD_TOKEN:
            return Stop(LoginNeeded(_SENTENCES[CloseCode.BAD_TOKEN], ending.code))
        case CloseCode.BANNED:
            return Stop(Banned(ending.reason or "no reason given", ending.until_ms, ending.appeal))
        case CloseCode.CONNECT_TIMEOUT:
            return Again(after_s)  # `connect` is sent at once: the network or the server was slow
        case int() as code if 4500 <= code < 4600:
            return Stop(Ended(_sentence(code, ending.reason), code))
        case _:
            return Again(after_s)


def decide_without_token(error: AuthRefused | Unreachable) -> Again | Stop:
    """The next step when the accounts service gave no token."""
    if isinstance(error, Unreachable):
        return Again(fresh_token=False)
    match error.code:
        case "session_ended" | "token_invalid":
            return Stop(LoginNeeded("Your session has ended. Log in again."))
        case "banned":
            until, appeal = error.problem.get("until_ms"), error.problem.get("appeal")
            reason = str(error.problem.get("reason", "no reason given"))
            return Stop(Banned(reason, until if isinstance(until, int) else None, str(appeal) if appeal else None))
        case "rate_limited" | "overloaded" | "internal" | "conflict":
            return Again(error.retry_after_s or 0.0)
        case _ if error.status >= 500:
            return Again(error.retry_after_s or 0.0)
        case _:
            return Stop(Ended(str(error)))


def _sentence(code: int, reason: str) -> str:
    known = _SENTENCES.get(CloseCode(code)) if code in CloseCode.__members__.values() else None
    return known or f"The server ended the connection for good ({code}{': ' + reason if reason else ''})."
