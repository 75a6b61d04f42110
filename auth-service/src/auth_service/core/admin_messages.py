"""What administrators send and get on their listener (docs/auth-api.md §12)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from .answers import Answer
from .requests import Body


class StartRecoveryFor(Body, frozen=True):
    """POST /admin/users/{user}/recoveries"""

    goal: Literal["password", "mfa"] = "password"


class AnswerAppeal(Body, frozen=True):
    """POST /admin/appeals/{appeal_id}/answer"""

    state: Literal["upheld", "refused"]
    answer: Annotated[str, Meta(min_length=1, max_length=1024)]


class AdministeredUser(Answer, frozen=True):
    """An account as an administrator sees it: who it is and how it stands, nothing that it is reached or proved by."""

    id: str
    username: str
    display_name: str
    created_ms: int
    locked: bool
    roles: list[str]
    sessions: int
    second_factor: bool
    frozen_until_ms: int | UnsetType = UNSET
    guarded_until_ms: int | UnsetType = UNSET
    deletes_ms: int | UnsetType = UNSET


class Ended(Answer, frozen=True):
    """How many sessions have ended."""

    ended: int


class AppealText(Answer, frozen=True):
    """What was written, and when."""

    at_ms: int
    text: str


class AdministeredAppeal(Answer, frozen=True):
    """An appeal with the ban that it is about; `decision` is the detector's number of it."""

    id: str
    subject: str
    sentence: str
    decision: int
    until_ms: int
    opened_ms: int
    state: Literal["open", "upheld", "refused"]
    texts: list[AppealText]
    answer: str | UnsetType = UNSET
    answered_ms: int | UnsetType = UNSET


class AdministeredAppeals(Answer, frozen=True):
    """Those that have waited longest first, 200 at most."""

    appeals: list[AdministeredAppeal]


class AuditRow(Answer, frozen=True):
    """One row of the audit log; `ip_mark` is a keyed mark of an address, the same for the same one."""

    seq: int
    at_ms: int
    event: str
    actor: str
    subject: str
    ip_mark: str
    data: dict[str, Any]


class AuditRows(Answer, frozen=True):
    """Rows of the audit log, newest first; `next`, where there are more, is the `before` of the next request."""

    rows: list[AuditRow]
    next: int | UnsetType = UNSET
