"""What clients send to get an account back, as `requests.py` has the rest."""

from typing import Annotated, Literal

from msgspec import Meta

from .credentials import Assertion
from .requests import Answered, Body, Code, Identifier, Opaque, Password, Proof, TypedCode


class StartRecovery(Body, frozen=True):
    """POST /recoveries"""

    identifier: Identifier
    goal: Literal["password", "mfa"] = "password"
    captcha: Proof | None = None
    device_hint: Opaque | None = None
    link: Opaque | None = None


class RecoverySecret(Body, frozen=True):
    """POST /recoveries/{id}/phone-unavailable and /recoveries/{id}/options"""

    flow_secret: Opaque


class SendRecoveryCode(RecoverySecret, frozen=True):
    """POST /recoveries/{id}/send"""

    channel: Literal["email", "sms"]
    captcha: Proof | None = None
    picture: Answered | None = None


class EvidenceCode(RecoverySecret, frozen=True, tag="code", tag_field="kind"):
    """POST /recoveries/{id}/evidence: a code that was sent"""

    value: Code


class EvidenceTotp(RecoverySecret, frozen=True, tag="totp", tag_field="kind"):
    """POST /recoveries/{id}/evidence: a TOTP code"""

    value: Code


class EvidenceSavedCode(RecoverySecret, frozen=True, tag="recovery_code", tag_field="kind"):
    """POST /recoveries/{id}/evidence: one of the saved codes"""

    value: TypedCode


class EvidencePasskey(RecoverySecret, frozen=True, tag="passkey", tag_field="kind"):
    """POST /recoveries/{id}/evidence: a passkey, used for this recovery's challenge"""

    credential: Assertion


class EvidenceAnswer(RecoverySecret, frozen=True, tag="question", tag_field="kind"):
    """POST /recoveries/{id}/evidence: the answer to the secret question"""

    value: Annotated[str, Meta(max_length=256)]


class EvidenceDone(RecoverySecret, frozen=True, tag="done", tag_field="kind"):
    """POST /recoveries/{id}/evidence: that is all"""


ShownEvidence = EvidenceCode | EvidenceTotp | EvidenceSavedCode | EvidencePasskey | EvidenceAnswer
ShowEvidence = ShownEvidence | EvidenceDone


class VetoRecovery(Body, frozen=True):
    """POST /recoveries/{id}/veto"""

    token: Opaque | None = None


class CompleteRecovery(RecoverySecret, frozen=True):
    """POST /recoveries/{id}/complete"""

    new_password: Password | None = None
