"""What clients get: one struct per answer. Fields are only ever added; clients ignore those they do not know."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from .questions import QuestionId
from .requests import Audience, ProofChallenge

MethodName = Literal["passkey", "totp", "recovery_code", "sms", "code"]


class Answer(Struct, frozen=True, kw_only=True):
    """An answer's body."""


class Challenge(Answer, frozen=True):
    """A challenge to solve; `expires_in` in seconds."""

    id: str
    params: ProofChallenge
    expires_in: int
    kind: Literal["pow"] = "pow"


class PictureChallenge(Answer, frozen=True):
    """A picture or clip to look at or listen to, once; `browser` is to be sent with the answer where there are no cookies."""

    id: str
    kind: Literal["image", "audio"]
    media_url: str
    expires_in: int
    browser: str | UnsetType = UNSET


class Cleared(Answer, frozen=True):
    """A proof for the gateway that a challenge in the chat was solved: good once, `expires_in` seconds."""

    clear: str
    expires_in: int


class FlowStarted(Answer, frozen=True):
    """A registration has begun (or looks as if)."""

    flow_id: str
    flow_secret: str
    expires_in: int


class Invited(Answer, frozen=True):
    """The invite is good: the registration needs a name only."""

    flow_id: str
    registration_ticket: str
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
    passkeys: int
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
    """A complete registration or login; `recovery_code` takes the place of the one that was used, `recovery_codes` are those of an account without a contact."""

    user: User
    tokens: Tokens
    recovery_code: str | UnsetType = UNSET
    recovery_codes: list[str] | UnsetType = UNSET


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


class AskedFirst(Answer, frozen=True):
    """Sessions on mature devices are asked first; they end at `ends_ms` unless somebody there says no."""

    ends_ms: int


class AskedToEnd(Answer, frozen=True):
    """Somebody wants this session to end: "was this you?" """

    by_device_label: str
    asked_ms: int
    ends_ms: int


class Session(Answer, frozen=True):
    """One of the user's sessions."""

    id: str
    device_label: str
    client_id: str
    created_ms: int
    last_seen_ms: int
    expires_ms: int
    current: bool
    asked: AskedToEnd | UnsetType = UNSET


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


class PasskeyOptions(Answer, frozen=True):
    """What the browser's `PublicKeyCredential` takes, as JSON; `flow_id` where the answer is to name it."""

    options: dict[str, Any]
    expires_in: int
    flow_id: str | UnsetType = UNSET


class Passkey(Answer, frozen=True):
    """One passkey. `backed_up`: its maker keeps copies of it on other devices of the user."""

    id: str
    label: str
    backed_up: bool
    added_ms: int
    used_ms: int | None


class Passkeys(Answer, frozen=True):
    """A user's passkeys, oldest first. `possible`: this server has a host name, so that one can be made."""

    passkeys: list[Passkey]
    possible: bool


EvidenceKind = Literal["email", "sms", "totp", "passkey", "recovery_code", "question"]


class RecoveryStarted(Answer, frozen=True):
    """A recovery has begun (or looks as if); `next` is what may be shown, the same for every name."""

    flow_id: str
    flow_secret: str
    expires_in: int
    next: list[EvidenceKind]


class Accepted(Answer, frozen=True):
    """Taken. `recovery_code` takes the place of the saved code that was shown."""

    recovery_code: str | UnsetType = UNSET


class RecoveryState(Answer, frozen=True):
    """How a recovery stands; `question` is there for somebody who has proved something."""

    state: Literal["collecting", "holding", "approved", "refused", "vetoed", "completed", "expired"]
    not_before_ms: int | UnsetType = UNSET
    question: QuestionId | UnsetType = UNSET


class PendingRecovery(Answer, frozen=True):
    """A recovery of the account that waits."""

    id: str
    goal: Literal["password", "mfa"]
    started_ms: int
    not_before_ms: int


class Recoveries(Answer, frozen=True):
    """The recoveries that wait. `one_contact`: whoever gets the account's one contact gets the account."""

    recoveries: list[PendingRecovery]
    one_contact: bool


class QuestionText(Answer, frozen=True):
    """A secret question to choose."""

    id: QuestionId
    en: str
    es: str


class SecretQuestions(Answer, frozen=True):
    """All of them."""

    questions: list[QuestionText]


class SetQuestion(Answer, frozen=True):
    """The question that an account has set; it counts from `effective_ms`."""

    question_id: QuestionId
    added_ms: int
    effective_ms: int


class OwnQuestion(Answer, frozen=True):
    """`question` is absent where none is set."""

    question: SetQuestion | UnsetType = UNSET


class Effective(Answer, frozen=True):
    """When a change begins to count."""

    effective_ms: int


class Delivery(Answer, frozen=True):
    """A message that demo mode did not send."""

    kind: Literal["sms", "email"]
    to: str
    text: str
    at: int


class OwnContact(Answer, frozen=True):
    """A contact as its owner sees it. `state` is its place in the life of a factor; times are there from the step on that they belong to."""

    id: str
    value: str
    state: Literal["pending", "probation", "mature", "retiring", "retired"]
    added_ms: int
    asked: bool
    suspect: bool
    proved_ms: int | UnsetType = UNSET
    confirmed_ms: int | UnsetType = UNSET
    matures_ms: int | UnsetType = UNSET
    removed_ms: int | UnsetType = UNSET
    effective_ms: int | UnsetType = UNSET


class OwnContacts(Answer, frozen=True):
    """Contacts, oldest first."""

    contacts: list[OwnContact]


class ContactPending(Answer, frozen=True):
    """A code is on its way; `expires_in` seconds."""

    id: str
    expires_in: int


class Removal(Answer, frozen=True):
    """What is removed keeps its rights until `effective_ms`, and can be taken back until `cancel_until_ms`."""

    id: str
    effective_ms: int
    cancel_until_ms: int


class Removals(Answer, frozen=True):
    """Several that were removed."""

    removals: list[Removal]


PendingFactor = Literal["email", "phone", "totp", "passkey", "codes", "question", "device"]


class PendingChange(Answer, frozen=True):
    """Something of an account that is about to change: it goes, it begins to count, it is a session that ends unless it is kept, or the account itself."""

    id: str
    kind: Literal["removal", "probation", "session", "deletion"]
    effective_ms: int
    factor: PendingFactor | UnsetType = UNSET
    cancel_until_ms: int | UnsetType = UNSET


class PendingChanges(Answer, frozen=True):
    """What is pending, soonest first."""

    changes: list[PendingChange]


class SecurityEvent(Answer, frozen=True):
    """Something that happened to the account. `confirmed`: the device that did it was a confirmed one at that time."""

    id: str
    kind: str
    at_ms: int
    subject: str
    confirmed: bool
    device: str | UnsetType = UNSET
    device_label: str | UnsetType = UNSET


class SecurityEvents(Answer, frozen=True):
    """The newest 200 events, newest first. `frozen_until_ms` and `guarded_until_ms` are absent where they are over."""

    events: list[SecurityEvent]
    frozen_until_ms: int | UnsetType = UNSET
    guarded_until_ms: int | UnsetType = UNSET


Grade = Literal["known", "confirmed", "mature"]


class OwnDevice(Answer, frozen=True):
    """A device and its grade."""

    id: str
    label: str
    grade: Grade
    first_login_ms: int
    last_login_ms: int
    current: bool
    confirmed_ms: int | UnsetType = UNSET
    effective_ms: int | UnsetType = UNSET


class OwnDevices(Answer, frozen=True):
    """The devices that have logged in, newest first."""

    devices: list[OwnDevice]


class CodeSent(Answer, frozen=True):
    """A code is on its way, if there is a contact for it; `expires_in` seconds."""

    expires_in: int


class Undone(Answer, frozen=True):
    """The link was taken, if it was good: the same for every link."""

    received: bool = True
