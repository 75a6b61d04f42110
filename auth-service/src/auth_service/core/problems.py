"""Every refusal that this API can answer with: its code, status and sentence, and the further fields that it carries.

An endpoint names the classes it may raise (`routes.py`), the edge turns an instance into problem+json (`edge.py`), and /openapi.json lists them.
docs/auth-api.md §2 is the same table for people.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from garita_common.core.errors import OurError, PeerError


class Problem(PeerError):
    """A refusal with a public face; `fields` are its extra members."""

    traced: ClassVar[bool] = True
    """Whether the answer names its request. Not where all answers of a kind must be the same bytes."""

    def __init__(self, sentence: str | None = None, *, retry_after_s: int | None = None, **fields: object) -> None:
        """Args: retry_after_s: seconds after which a repeat may succeed; fields: further members of the answer."""
        super().__init__(sentence, retry_after_ms=None if retry_after_s is None else retry_after_s * 1000)
        self.retry_after_s = retry_after_s
        self.fields: Mapping[str, object] = fields


class InvalidRequest(Problem):
    """The body is not what the endpoint takes; `detail` names the field."""

    code = "invalid_request"
    status = 400
    default_sentence = "This request is not what is expected here."

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        """Args: detail: a sentence that names the field, never its value."""
        super().__init__(retry_after_s=retry_after_s, detail=detail)


class CodeInvalid(Problem):
    """A confirmation code that does not fit."""

    code = "code_invalid"
    status = 400
    default_sentence = "This code is not right."


class InvalidCredentials(Problem):
    """Unknown, locked, or a wrong password: nobody can tell which, so the answer carries nothing of its own."""

    code = "invalid_credentials"
    status = 401
    default_sentence = "The name or the password is not right."
    traced = False


class InvalidCode(Problem):
    """A second factor that does not fit, was used, or whose ticket has ended."""

    code = "invalid_code"
    status = 401
    default_sentence = "This code is not right, or it was used before."


class SessionEnded(Problem):
    """A refresh token that gives nothing (any more)."""

    code = "session_ended"
    status = 401
    default_sentence = "This session has ended. Please log in again."


class AccessRefused(Problem):
    """No access token, one that is not valid here, or one that has ended."""

    code = "token_invalid"
    status = 401
    default_sentence = "A valid access token is needed here."


class StepUpRequired(Problem):
    """The last proof of who is there is too old, or too weak, for this."""

    code = "step_up_required"
    status = 403
    default_sentence = "Please prove once more that it is you."


class OriginRejected(Problem):
    """A browser that shows a page of another origin."""

    code = "origin_rejected"
    status = 403
    default_sentence = "Requests from this origin are not taken."


class RegistrationClosed(Problem):
    """Nobody can register by themselves: there is no way to send a code."""

    code = "registration_closed"
    status = 403
    default_sentence = "Registration is closed on this server."


class Banned(Problem):
    """The address or the user is banned; says why and until when."""

    code = "banned"
    status = 403
    default_sentence = "You are banned here for now."

    def __init__(self, *, reason: str, until_ms: int, appeal: str) -> None:
        """Args: reason: the ban's sentence; until_ms: Unix ms; appeal: the id to appeal with."""
        super().__init__(reason=reason, until_ms=until_ms, appeal=appeal)


class NotHere(Problem):
    """Nothing by that name, or nothing of this user's: the two look alike."""

    code = "not_found"
    status = 404
    default_sentence = "There is nothing here by that name."


class MethodRefused(Problem):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405
    default_sentence = "This path does not take this method."


class UsernameTaken(Problem):
    """A user name that somebody has, or one that looks like it."""

    code = "username_taken"
    status = 409
    default_sentence = "This user name is taken. Please choose another."


class Contradicted(Problem):
    """The request contradicts what is there."""

    code = "conflict"
    status = 409
    default_sentence = "This contradicts what is there already."


class FlowGone(Problem):
    """A registration or recovery that does not exist or has ended."""

    code = "flow_gone"
    status = 410
    default_sentence = "This has ended. Please begin again."


class BodyTooLarge(Problem):
    """More than 16 KiB."""

    code = "payload_too_large"
    status = 413
    default_sentence = "A request has at most 16 KiB."


class MediaRefused(Problem):
    """A body that is not announced as JSON."""

    code = "unsupported_media"
    status = 415
    default_sentence = "A body is application/json here."


class WeakPassword(Problem):
    """A password that is too short, too long or easily guessed."""

    code = "weak_password"
    status = 422
    default_sentence = "Please choose a password that is harder to guess."

    def __init__(self, reasons: Sequence[str]) -> None:
        """Args: reasons: constants of `core.passwords.Weakness`."""
        super().__init__(reasons=list(reasons))


class ProofRequired(Problem):
    """The same request is welcome with a solved challenge; `challenge` is one."""

    code = "challenge_required"
    status = 428
    default_sentence = "Please solve the challenge and send the request again."

    def __init__(self, challenge: object, kinds: Sequence[str] = ()) -> None:
        """Args: challenge: as `POST /challenges` answers it; kinds: of which one is wanted as well."""
        super().__init__(challenge=challenge)
        if kinds:
            self.fields = {**self.fields, "kinds": list(kinds)}


class TooMany(Problem):
    """A limit is reached; `limit` is its name for the metric, never told."""

    code = "rate_limited"
    status = 429
    default_sentence = "Too many requests. Please wait."

    def __init__(self, limit: str, retry_after_s: int) -> None:
        """Args: limit: the limit's constant name."""
        super().__init__(retry_after_s=max(1, retry_after_s))
        self.limit = limit


class Overloaded(OurError):
    """Too much work is waiting, or a part that we need does not answer: come back."""

    code = "overloaded"
    status = 503
    temporary = True
    default_sentence = "Too much is going on just now. Please try again."

    def __init__(self, retry_after_s: int = 2) -> None:
        """Args: retry_after_s: when to come back, in seconds."""
        super().__init__(retry_after_ms=retry_after_s * 1000)
