"""Passkeys as a browser sends them (WebAuthn Level 3), and for which of our pages one is good.

The structs are the JSON that `PublicKeyCredential.toJSON()` gives; what it holds besides is not looked at. Byte strings are base64url without padding.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Bytes64 = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", max_length=12_000)]
Handle64 = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]*$", max_length=128)]
MAX_ID_BYTES = 1023
"""The longest id that an authenticator may give (WebAuthn §4)."""


class NewResponse(Struct, frozen=True):
    """What an authenticator says of a passkey that it made."""

    client_data: Bytes64 = field(name="clientDataJSON")
    attestation: Bytes64 = field(name="attestationObject")


class NewCredential(Struct, frozen=True):
    """A passkey that was made."""

    id: Bytes64
    raw_id: Bytes64 = field(name="rawId")
    type: Literal["public-key"]
    response: NewResponse

    def plain(self) -> dict[str, object]:
        """As the library takes it."""
        response = {"clientDataJSON": self.response.client_data, "attestationObject": self.response.attestation}
        return {"id": self.id, "rawId": self.raw_id, "type": self.type, "response": response}


class UseResponse(Struct, frozen=True):
    """What an authenticator signs with a passkey."""

    client_data: Bytes64 = field(name="clientDataJSON")
    authenticator_data: Bytes64 = field(name="authenticatorData")
    signature: Bytes64
    user_handle: Handle64 | None = field(name="userHandle", default=None)


class Assertion(Struct, frozen=True):
    """A passkey that was used."""

    id: Bytes64
    raw_id: Bytes64 = field(name="rawId")
    type: Literal["public-key"]
    response: UseResponse

    def plain(self) -> dict[str, object]:
        """As the library takes it."""
        response = {
            "clientDataJSON": self.response.client_data,
            "authenticatorData": self.response.authenticator_data,
            "signature": self.response.signature,
        }
        return {"id": self.id, "rawId": self.raw_id, "type": self.type, "response": response}


class ClientData(Struct, frozen=True, rename="camel"):
    """The part of the client data that the library leaves unread: whether a foreign page had ours in a frame."""

    cross_origin: bool = False


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom passkeys are made for: a host name, never an address (WebAuthn §5.1.2), and the origins of its pages."""

    id: str
    origins: tuple[str, ...]

    @classmethod
    def of(cls, origins: Sequence[str], *, demo: bool) -> "RelyingParty | None":
        """The host of the first origin that has a name, with all origins on it; None where none has one. In demo mode 127.0.0.1 is `localhost` as well."""
        if demo:
            origins = [*origins, *(origin.replace("//127.0.0.1", "//localhost", 1) for origin in origins)]
        named = [(host, origin) for origin in dict.fromkeys(origins) if (host := _host(origin))]
        if not named:
            return None
        return cls(named[0][0], tuple(origin for host, origin in named if host == named[0][0]))


def _host(origin: str) -> str | None:
    """The host of an origin, None where it is an address."""
    rest = origin.partition("://")[2]
    if rest.startswith("["):
        return None
    host = rest.partition(":")[0]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host or None
    return None


def is_copied(stored: int, shown: int) -> bool:
    """Whether a passkey's count of uses says that there are two of it (WebAuthn §6.1.1). One that does not count always shows 0."""
    return (stored > 0 or shown > 0) and shown <= stored
