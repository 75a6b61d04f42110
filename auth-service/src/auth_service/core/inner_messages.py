"""What the inner listener takes and answers, for other services and for the operator on this host (docs/auth-api.md §8)."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .answers import Answer
from .requests import AccessToken, Audience, Body, Hex64, Opaque


class Introspect(Body, frozen=True):
    """POST /internal/introspect: about a token, or about a clear, which is used up by it"""

    token: AccessToken | None = None
    audience: Audience = "chat"
    clear: Hex64 | None = None


class Revoke(Body, frozen=True):
    """POST /operator/revoke; without `session` all of the user's"""

    user: Opaque
    session: Opaque | None = None


class RotateKeys(Body, frozen=True):
    """POST /operator/keys/rotate; `now`: the present key is gone at once"""

    now: bool = False


class AuditHead(Body, frozen=True):
    """A line `audit_head` of the service's log"""

    seq: Annotated[int, Meta(ge=1)]
    mac: Hex64


class VerifyAudit(Body, frozen=True):
    """POST /operator/audit/verify"""

    heads: Annotated[list[AuditHead], Meta(max_length=50)] = msgspec.field(default_factory=list)


class Introspected(Answer, frozen=True):
    """Whether a token or a clear is good now; whose it is only where it is."""

    active: bool
    sub: str | UnsetType = UNSET
    sid: str | UnsetType = UNSET
    did: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET


class Revoked(Answer, frozen=True):
    """How many sessions have ended."""

    ended: int


class Rotated(Answer, frozen=True):
    """Since when, or from when on, the new key signs."""

    signs_ms: int


class AuditVerified(Answer, frozen=True):
    """Whether the audit log is as it was written; `mac` of its last row; `first_flaw` the first row that is not."""

    intact: bool
    rows: int
    mac: str
    first_flaw: int | None


class Name(Body, frozen=True):
    """POST /operator/admins/grant and /operator/admins/withdraw: a user name or id"""

    user: Opaque


class Invite(Answer, frozen=True):
    """A ticket for one registration; it is shown this once."""

    invite: str
    expires_ms: int


class Granted(Answer, frozen=True):
    """Whose role it was."""

    user: str
    username: str
