"""What clients get: one struct per answer. Fields are only ever added; clients ignore those they do not know."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from .requests import Audience, ProofChallenge

MethodName = Literal["passkey", "totp", "recovery_code"]


class Answer(Struct, frozen=True, kw_only=True):
    """An answer's body."""


class Challenge(Answer, frozen=True):
    """A challenge to solve; `expires_in` in seconds."""

    id: str
    params: ProofChallenge
    expires_in: int
    kind: Literal["pow"] = "pow"


class FlowStarted(Answer, frozen=True):
    """A registration has begun (or looks as if)."""

    flow_id: str
    flow_secret: str
    expires_in: int


class Verified(Answer, frozen=True):
    """The contact is proved."""

    registration_ticket: str
    expires_in: int


class User(Answer, frozen=True):
    """An account as its owner sees it."""

    id: str
    username: str
    display_name: str
    locale: str
    created_ms: int
    roles: list[str]
    totp: bool
    recovery_codes: int
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET


class Tokens(Answer, frozen=True):
    """A pair of tokens; `refresh_token` and `device` are absent where they are cookies."""

    access_token: str
    expires_in: int
    audience: Audience
    session_id: str
    refresh_expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word for the kind of token
    refresh_token: str | UnsetType = UNSET
    device: str | UnsetType = UNSET


class SignedIn(Answer, frozen=True):
    """A complete registration or login; `recovery_code` takes the place of the one that was used."""

    user: User
    tokens: Tokens
    recovery_code: str | UnsetType = UNSET


class SecondFactorNeeded(Answer, frozen=True):
    """The password was right; a second factor is still wanted."""

    mfa_ticket: str
    methods: list[MethodName]
    expires_in: int


class AccessToken(Answer, frozen=True):
    """A token of the same session whose proof is fresh; `recovery_code` takes the place of the one that was used."""

    access_token: str
    expires_in: int
    audience: Audience
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word for the kind of token
    recovery_code: str | UnsetType = UNSET


class Session(Answer, frozen=True):
    """One of the user's sessions."""

    id: str
    device_label: str
    client_id: str
    created_ms: int
    last_seen_ms: int
    expires_ms: int
    current: bool


class Sessions(Answer, frozen=True):
    """The user's living sessions, newest first."""

    sessions: list[Session]


class TotpOffer(Answer, frozen=True):
    """A seed that waits for its first code; shown once."""

    secret: str
    otpauth_uri: str
    digits: Literal[6] = 6
    period: Literal[30] = 30


class RecoveryCodes(Answer, frozen=True):
    """Ten codes, shown once."""

    codes: list[str]


class Retiring(Answer, frozen=True):
    """A removal has begun; until `effective_ms` it can be taken back."""

    effective_ms: int


class Delivery(Answer, frozen=True):
    """A message that demo mode did not send."""

    kind: Literal["sms", "email"]
    to: str
    text: str
    at: int
