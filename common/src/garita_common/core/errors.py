"""Every error that can reach a peer, with the one place where its code, status and sentence are fixed.

A class says what kind of fault it is; an instance carries data. An edge (the socket loop, an HTTP middleware) translates it once. Two
families: `PeerError` (the peer's fault: counted, logged as INFO at most) and `OurError` (ours: logged as ERROR). An exception that is no
`AppError` becomes `Internal` with no detail. docs/protocol.md §3 and §4 list the codes.
"""

from enum import IntEnum
from typing import ClassVar


class CloseCode(IntEnum):
    """Why the server ends a connection (docs/protocol.md §4). 44xx: come back; 45xx: do not."""

    DRAIN = 4401
    INTERNAL = 4402
    SESSION_ENDED = 4403
    SLOW_CONSUMER = 4408
    NO_PONG = 4409
    STATE_LOST = 4410
    REPLACED = 4411
    RATE_LIMITED = 4413
    CHALLENGE_REQUIRED = 4414
    BAD_TOKEN = 4500
    MALFORMED = 4501
    CONNECT_TIMEOUT = 4502
    BANNED = 4503
    CONNECTION_LIMIT = 4504
    VERSION = 4505
    ORIGIN = 4506
    TOO_MANY_ERRORS = 4507
    FRAME_TOO_LARGE = 4508

    @property
    def reconnect(self) -> bool:
        """Whether a client should come back by itself: where only time ran out, a slow network or a busy server may have held its `connect` up."""
        return self < 4500 or self is CloseCode.CONNECT_TIMEOUT


class AppError(Exception):
    """An error with a public face; raise a subclass.

    `sentence` is what the peer reads: it never holds a path, a query, a traceback or another user's data. `retry_after_ms` is given only
    where waiting helps.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    close: ClassVar[CloseCode | None] = None
    temporary: ClassVar[bool] = False
    default_sentence: ClassVar[str] = "Something went wrong on our side. Please try again."

    def __init__(self, sentence: str | None = None, *, retry_after_ms: int | None = None) -> None:
        """Args: sentence: overrides the class's public sentence; retry_after_ms: when a repeat may succeed."""
        self.sentence = sentence or self.default_sentence
        self.retry_after_ms = retry_after_ms
        super().__init__(f"{self.code}: {self.sentence}")


class PeerError(AppError):
    """The peer did something it may not do, or asked for something that is not there."""

    status = 400


class OurError(AppError):
    """We could not do what we should have done."""


class Internal(OurError):
    """An unforeseen fault of ours; the log has the rest."""

    temporary = True


class Busy(OurError):
    """A part we need does not answer now. `outcome` is "unknown" when the request may have been carried out all the same."""

    code = "busy"
    status = 503
    temporary = True
    default_sentence = "The service is busy. Please repeat the request with the same cmid."

    def __init__(
        self, sentence: str | None = None, *, retry_after_ms: int | None = 1000, outcome: str | None = None
    ) -> None:
        """Args: outcome: "unknown", or None where the request was surely not carried out."""
        super().__init__(sentence, retry_after_ms=retry_after_ms)
        self.outcome = outcome


class BadFrame(PeerError):
    """Bytes that no correct client can send: the connection ends with 4501.

    `byte` is the first offending byte where there is one (`0x52` on the TCP port), for the record of the violation.
    """

    code = "bad_request"
    close = CloseCode.MALFORMED
    default_sentence = "This frame is malformed."

    def __init__(self, sentence: str | None = None, *, kind: str = "malformed", byte: int | None = None) -> None:
        """Args: kind: a short constant for the record, such as "tcp_kind"; byte: 0-255."""
        super().__init__(sentence)
        self.kind = kind
        self.byte = byte


class FrameTooLarge(PeerError):
    """A frame header that announces more than the limit in force: the connection ends with 4508."""

    code = "too_large"
    status = 413
    close = CloseCode.FRAME_TOO_LARGE
    default_sentence = "This frame is larger than allowed."


class BadRequest(PeerError):
    """A well-formed frame whose values are not allowed; the connection goes on."""

    code = "bad_request"
    default_sentence = "A value of this request is not allowed."


class UnknownOp(PeerError):
    """An operation that this server does not have."""

    code = "unknown_op"
    default_sentence = "This operation does not exist."


class Unauthenticated(PeerError):
    """An operation that needs a connected session."""

    code = "unauthenticated"
    status = 401
    default_sentence = "Connect with a valid access token first."


class TokenExpired(PeerError):
    """The access token has ended; get a new one and come back."""

    code = "token_expired"
    status = 401
    default_sentence = "The access token has ended."


class NotFound(PeerError):
    """Something that is not there, or that this user may not see: the two look alike."""

    code = "not_found"
    status = 404
    default_sentence = "There is nothing here by that name."


class Forbidden(PeerError):
    """Something this user can see but may not do."""

    code = "forbidden"
    status = 403
    default_sentence = "You may not do this here."


class LimitReached(PeerError):
    """A fixed number is used up (rooms per connection, members of a room, open uploads)."""

    code = "limit"
    status = 409
    default_sentence = "A limit is reached."


class RateLimited(PeerError):
    """Too much in too short a time."""

    code = "rate_limited"
    status = 429
    temporary = True
    default_sentence = "Slow down, please."


class CursorInvalid(PeerError):
    """A cursor of another epoch, or one that lies outside what is stored."""

    code = "cursor_invalid"
    default_sentence = "This cursor does not belong to the room's history."


class Conflict(PeerError):
    """A cmid that was used for something else, or a name that is taken."""

    code = "conflict"
    status = 409
    default_sentence = "This request contradicts an earlier one."


class TooLarge(PeerError):
    """A value over its limit, in a frame that is itself within the limits."""

    code = "too_large"
    status = 413
    default_sentence = "This value is larger than allowed."


class ChallengeRequired(PeerError):
    """The user must solve a challenge before it can go on."""

    code = "challenge_required"
    status = 428
    default_sentence = "Please solve the challenge first."


class FileRejected(PeerError):
    """A file whose bytes are not what was announced."""

    code = "file_rejected"
    status = 422
    default_sentence = "The file does not match what was announced."


class Quota(PeerError):
    """A daily allowance is used up."""

    code = "quota"
    status = 429
    default_sentence = "Your daily allowance is used up."
