"""WebAuthn's two ceremonies, making a passkey and using one: the challenges, and what the library says of the answers.

A challenge is random, lies in Redis (`auth:tmp:passkey:*`) for five minutes under what it is for (a session, a login's ticket, a flow), and is taken away by the first
answer, right or wrong. Without Redis there are no passkeys. Whoever holds one was asked for by its authenticator, so user verification is always required.

Of how a passkey was made we want no attestation and read none: whatever statement comes is replaced by an empty one before the library sees it, so that no parser of
certificates is in reach of strangers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import redis.asyncio as redis
import structlog
import webauthn
from redis.exceptions import RedisError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor, parse_cbor
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from .core.credentials import MAX_ID_BYTES, Assertion, ClientData, NewCredential, RelyingParty
from .core.problems import Contradicted, Overloaded
from .parts import Parts
from .store_accounts import Account

log = structlog.get_logger()

LIFETIME_S: Final = 300
NAME: Final = "Garita"


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that was made for a challenge of ours."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What using a passkey showed."""

    sign_count: int
    backed_up: bool


class Ceremonies:
    """Makes challenges and checks answers."""

    def __init__(self, parts: Parts, client: "redis.Redis", party: RelyingParty | None) -> None:
        """Args: client: for challenges; party: None where the server has no name."""
        self._parts = parts
        self._client = client
        self._party = party

    @property
    def are_possible(self) -> bool:
        """Whether this server has a name that passkeys can be made for."""
        return self._party is not None

    async def options_to_make(self, purpose: str, account: Account, known: Sequence[bytes]) -> dict[str, Any]:
        """What `navigator.credentials.create` takes. Args: purpose: what the challenge is for; known: the ids of passkeys not to make again.

        Raises:
            Contradicted: the server has no name.
            Overloaded: no Redis.
        """
        options = webauthn.generate_registration_options(
            rp_id=self.party.id,
            rp_name=NAME,
            user_id=account.id.encode(),
            user_name=account.username,
            user_display_name=account.display_name,
            challenge=await self._challenge(purpose),
            timeout=LIFETIME_S * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return options_to_json_dict(options)

    async def options_to_use(self, purpose: str, allowed: Sequence[bytes]) -> dict[str, Any]:
        """What `navigator.credentials.get` takes. Args: allowed: the ids of the passkeys that are wanted; none for any that the browser has for us.

        Raises:
            Contradicted: the server has no name.
            Overloaded: no Redis.
        """
        options = webauthn.generate_authentication_options(
            rp_id=self.party.id,
            challenge=await self._challenge(purpose),
            timeout=LIFETIME_S * 1000,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def made(self, purpose: str, credential: NewCredential) -> Made | None:
        """A passkey that was made for the challenge; None if it was not, or not as asked.

        Raises:
            Overloaded: no Redis.
        """
        challenge = await self._taken(purpose)
        if challenge is None or self._party is None:
            return None
        try:
            found = webauthn.verify_registration_response(
                credential=_without_statement(credential),
                expected_challenge=challenge,
                expected_rp_id=self._party.id,
                expected_origin=list(self._party.origins),
                require_user_verification=True,
            )
            is_framed = _is_framed(credential.response.client_data)
        except Exception as exc:  # noqa: BLE001 - parsers of a stranger's bytes: whatever they raise, this is no passkey of ours
            log.info("passkey_refused", error=type(exc).__name__)
            return None
        if is_framed or len(found.credential_id) > MAX_ID_BYTES:
            return None
        return Made(found.credential_id, found.credential_public_key, found.sign_count, found.credential_backed_up)

    async def shown(self, purpose: str, assertion: Assertion, public_key: bytes | None) -> Shown | None:
        """What using the passkey showed; None if it was not used for the challenge. Args: public_key: None where no such passkey is known.

        Raises:
            Overloaded: no Redis.
        """
        challenge = await self._taken(purpose)
        if challenge is None or public_key is None or self._party is None:
            return None
        try:
            found = webauthn.verify_authentication_response(
                credential=assertion.plain(),
                expected_challenge=challenge,
                expected_rp_id=self._party.id,
                expected_origin=list(self._party.origins),
                credential_public_key=public_key,
                credential_current_sign_count=0,  # compared with what is stored by `second_factors`, which tells the owner
                require_user_verification=True,
            )
            is_framed = _is_framed(assertion.response.client_data)
        except Exception as exc:  # noqa: BLE001 - parsers of a stranger's bytes: whatever they raise, this was no use of it
            log.info("passkey_refused", error=type(exc).__name__)
            return None
        return None if is_framed else Shown(found.new_sign_count, found.credential_backed_up)

    @property
    def party(self) -> RelyingParty:
        """Whom passkeys are made for.

        Raises:
            Contradicted: the server has no name.
        """
        if self._party is None:
            raise Contradicted("Passkeys need a server with a host name.", reason="no_host_name")
        return self._party

    async def _challenge(self, purpose: str) -> bytes:
        challenge = self._parts.new_secret()
        try:
            await self._client.set(f"auth:tmp:passkey:{purpose}", challenge, ex=LIFETIME_S)
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc
        return challenge

    async def _taken(self, purpose: str) -> bytes | None:
        try:
            found = await self._client.getdel(f"auth:tmp:passkey:{purpose}")
        except (RedisError, OSError, TimeoutError) as exc:
            raise Overloaded from exc
        return found if isinstance(found, bytes) else None


def credential_id_of(assertion: Assertion) -> bytes | None:
    """The id of the passkey that was used; None where it is no base64url."""
    try:
        return base64url_to_bytes(assertion.raw_id)
    except ValueError:
        return None


def _without_statement(credential: NewCredential) -> dict[str, object]:
    plain = credential.plain()
    attestation = parse_cbor(base64url_to_bytes(credential.response.attestation))
    empty = {"fmt": "none", "attStmt": {}, "authData": attestation["authData"]}
    plain["response"] = {
        "clientDataJSON": credential.response.client_data,
        "attestationObject": bytes_to_base64url(encode_cbor(empty)),
    }
    return plain


def _is_framed(client_data: str) -> bool:
    return msgspec.json.decode(base64url_to_bytes(client_data), type=ClientData).cross_origin
