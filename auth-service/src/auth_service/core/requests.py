"""What clients send: one strict struct per request body.

Sizes are checked before parsing (16 KiB for all), unknown fields are refused, and every text has a bound of its own, so that nothing behind the edge
meets a value it was not made for.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .credentials import Assertion, NewCredential
from .questions import QuestionId
from .saved_codes import MAX_TYPED_CHARS

MAX_BODY_BYTES = 16 * 1024

# max_length beside each pattern: `$` alone would let a line break through.
Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Hex64 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Opaque = Annotated[str, Meta(min_length=1, max_length=256)]
AccessToken = Annotated[str, Meta(min_length=1, max_length=4096)]
Password = Annotated[str, Meta(max_length=4096)]
"""Longer than any that is accepted: the rule about 12 to 256 characters answers with reasons, this bound only protects."""
Code = Annotated[str, Meta(pattern="^[0-9]{6}$", max_length=6)]
TypedCode = Annotated[str, Meta(min_length=1, max_length=MAX_TYPED_CHARS)]
Label = Annotated[str, Meta(max_length=64)]
Identifier = Annotated[str, Meta(min_length=1, max_length=320)]
Action = Literal["register", "login", "contact", "recover", "chat"]
Purpose = Literal["register", "login", "contact", "recover", "chat", "appeal"]
"""What a proof of work is made for: an action, or what gives its challenge with the refusal alone."""
Audience = Literal["auth", "chat", "console"]
Locale = Literal["en", "es"]


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request body."""


class Nothing(Body, frozen=True):
    """An empty object."""


class ProofData(Body, frozen=True):
    """What we put into a challenge and signed with it; times are Unix ms."""

    action: Purpose
    id: Hex32
    issued_ms: Annotated[int, Meta(ge=0)]
    expires_ms: Annotated[int, Meta(ge=0)]


class ProofParameters(Body, frozen=True, rename="camel"):
    """The parameters of an ALTCHA version 2 challenge, as we make them."""

    algorithm: Literal["PBKDF2/SHA-256"]
    nonce: Hex32
    salt: Hex32
    cost: Annotated[int, Meta(ge=1, le=1_000_000)]
    key_length: Literal[32]
    key_prefix: Hex32
    key_signature: Hex64
    data: ProofData


class ProofChallenge(Body, frozen=True):
    """A challenge with our signature."""

    parameters: ProofParameters
    signature: Hex64


class ProofSolution(Body, frozen=True, rename="camel"):
    """The counter that fits and the key it gives. `time` is what ALTCHA's own solver adds; it is not looked at."""

    counter: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    derived_key: Hex64
    time: float | None = None


class Proof(Body, frozen=True):
    """A solved challenge: the field `captcha`."""

    challenge: ProofChallenge
    solution: ProofSolution


class AskChallenge(Body, frozen=True):
    """POST /challenges"""

    action: Action
    kinds: Annotated[list[Literal["pow", "image", "audio"]], Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["pow"]
    )
    flow: Annotated[str, Meta(max_length=320)] = ""
    browser: Opaque | None = None
    captcha: Proof | None = None


class Solve(Body, frozen=True):
    """POST /challenges/{challenge_id}/solve"""

    answer: Annotated[str, Meta(max_length=32)]


class Answered(Body, frozen=True):
    """What was read or heard in a challenge: the field `picture`"""

    id: Hex32
    answer: Annotated[str, Meta(max_length=32)]
    browser: Opaque | None = None


class StartRegistration(Body, frozen=True):
    """POST /registrations"""

    password: Password
    email: Identifier | None = None
    phone: Identifier | None = None
    invite: Opaque | None = None
    locale: Locale = "en"
    captcha: Proof | None = None
    picture: Answered | None = None
    honeypot: Annotated[str, Meta(max_length=1024)] = ""


class VerifyRegistration(Body, frozen=True):
    """POST /registrations/{id}/verify"""

    flow_secret: Opaque
    code: Code


class CompleteRegistration(Body, frozen=True):
    """POST /registrations/{id}/complete"""

    ticket: Opaque
    username: Annotated[str, Meta(min_length=1, max_length=64)]
    display_name: Annotated[str, Meta(max_length=64)] | None = None


class LogIn(Body, frozen=True):
    """POST /login"""

    identifier: Identifier
    password: Password
    device_hint: Opaque | None = None
    captcha: Proof | None = None
    picture: Answered | None = None


class ByTotp(Body, frozen=True, tag="totp", tag_field="method"):
    """A second factor: a TOTP code"""

    code: Code


class ByRecoveryCode(Body, frozen=True, tag="recovery_code", tag_field="method"):
    """A second factor: one of the saved codes, with or without its dashes"""

    code: TypedCode


class ByPasskey(Body, frozen=True, tag="passkey", tag_field="method"):
    """A second factor: a passkey, used for a challenge of ours"""

    credential: Assertion


class LogInTotp(ByTotp, frozen=True, tag="totp", tag_field="method"):
    """POST /login/mfa with a TOTP code"""

    mfa_ticket: Opaque
    trust_device: bool = False


class LogInRecoveryCode(ByRecoveryCode, frozen=True, tag="recovery_code", tag_field="method"):
    """POST /login/mfa with a saved code"""

    mfa_ticket: Opaque
    trust_device: bool = False


class LogInPasskey(ByPasskey, frozen=True, tag="passkey", tag_field="method"):
    """POST /login/mfa with a passkey"""

    mfa_ticket: Opaque
    trust_device: bool = False


class LogInText(Body, frozen=True, tag="sms", tag_field="method"):
    """POST /login/mfa with a code that went to a phone"""

    mfa_ticket: Opaque
    code: Code
    trust_device: bool = False


class LogInCode(Body, frozen=True, tag="code", tag_field="method"):
    """POST /login/mfa with a code that went to a contact"""

    mfa_ticket: Opaque
    code: Code


LogInSecond = LogInTotp | LogInRecoveryCode | LogInPasskey | LogInText | LogInCode


class SendLoginCode(Body, frozen=True):
    """POST /login/mfa/send"""

    mfa_ticket: Opaque
    captcha: Proof | None = None
    picture: Answered | None = None


class AskPasskey(Body, frozen=True):
    """POST /passkeys/login/options"""

    mfa_ticket: Opaque | None = None


class LogInByPasskey(Body, frozen=True):
    """POST /passkeys/login/verify"""

    flow_id: Hex32
    credential: Assertion
    device_hint: Opaque | None = None


class AddPasskey(Body, frozen=True):
    """POST /me/passkeys"""

    credential: NewCredential
    label: Label = ""


class RenamePasskey(Body, frozen=True):
    """PATCH /me/passkeys/{id}"""

    label: Label


class Refresh(Body, frozen=True):
    """POST /token/refresh"""

    refresh_token: Opaque | None = None
    audience: Audience = "auth"
    device_hint: Opaque | None = None


class LogOut(Body, frozen=True):
    """POST /logout"""

    scope: Literal["this", "others", "all"] = "this"


class AnswerAsked(Body, frozen=True):
    """POST /sessions/{id}/answer"""

    was_me: bool


class ChangePassword(Body, frozen=True):
    """PUT /me/password"""

    current: Password
    new: Password
    keep_this_session: bool = True


class ConfirmTotp(Body, frozen=True):
    """POST /me/totp/confirm"""

    code: Code


class StepUpPassword(Body, frozen=True, tag="password", tag_field="method"):
    """POST /step-up with the password"""

    password: Password


class StepUpCode(Body, frozen=True, tag="code", tag_field="method"):
    """POST /step-up with a code that went to a contact"""

    code: Code


StepUp = StepUpPassword | ByTotp | ByRecoveryCode | ByPasskey | StepUpCode


class SendStepUp(Body, frozen=True):
    """POST /step-up/send"""

    channel: Literal["email", "sms"]
    captcha: Proof | None = None
    picture: Answered | None = None


class AddEmail(Body, frozen=True):
    """POST /me/emails"""

    email: Identifier


class AddPhone(Body, frozen=True):
    """POST /me/phones"""

    phone: Identifier
    captcha: Proof | None = None
    picture: Answered | None = None


class VerifyContact(Body, frozen=True):
    """POST /me/emails/{id}/verify and /me/phones/{id}/verify"""

    code: Code


class Undo(Body, frozen=True):
    """POST /undo"""

    token: Annotated[str, Meta(pattern="^[a-p]{64}$", max_length=64)]
    action: Literal["cancel", "not_me"]


class SetQuestion(Body, frozen=True):
    """PUT /me/secret-question"""

    question_id: QuestionId
    answer: Annotated[str, Meta(min_length=1, max_length=256)]
