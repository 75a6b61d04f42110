"""What the endpoints of one's own data and of leaving answer."""

from typing import Any

from .answers import Answer


class Deletion(Answer, frozen=True):
    """The account is going to be deleted then, unless it is taken back."""

    deletes_ms: int


class ExportState(Answer, frozen=True):
    """The export is being put together, and can be fetched until then."""

    until_ms: int


class Exported(Answer, frozen=True):
    """All data of the account; more parts may come."""

    account: dict[str, Any]
    contacts: list[dict[str, Any]]
    devices: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    totp: list[dict[str, Any]]
    passkeys: list[dict[str, Any]]
    recovery_codes: list[dict[str, Any]]
    secret_questions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    recoveries: list[dict[str, Any]]
    places: list[dict[str, Any]]
    log: list[dict[str, Any]]
