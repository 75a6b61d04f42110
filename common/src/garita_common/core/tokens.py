"""Access tokens: how the auth service makes them and how everybody else checks them.

A token is a JWS with EdDSA (Ed25519) and nothing else. There is one canonical header per key, and a verifier looks the header segment up byte for
byte: an algorithm, type, key, `crit`, `jwk` or `jku` that a stranger writes has no place to be read from. Then come the claims: exact types,
issuer, one audience, times with 30 s of skew. Revocation is the caller's next question (`revocations.py`).
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from .errors import CloseCode, PeerError

MAX_TOKEN_CHARS = 4096
SKEW_S = 30
LIFETIME_S = 300

Audience = Literal["auth", "chat", "console"]


class TokenInvalid(PeerError):
    """Not a token of ours, or not for here."""

    code = "unauthenticated"
    status = 401
    close = CloseCode.BAD_TOKEN
    default_sentence = "The access token is not valid here."


class TokenOver(TokenInvalid):
    """A token of ours whose time is over: get a new one and come back."""

    code = "token_expired"
    close = CloseCode.SESSION_ENDED
    default_sentence = "The access token has ended."


class Claims(Struct, frozen=True, kw_only=True):
    """What a token says; times are Unix seconds.

    `sub`, `sid`, `did`: user, session, device; `name` the user name; `epoch` rises when all sessions of a user end.
    """

    iss: str
    sub: str
    aud: Audience
    iat: int
    nbf: int
    exp: int
    jti: str
    client_id: str
    sid: str
    did: str
    name: str
    roles: list[str] = []
    auth_time: int = 0
    acr: str = ""
    amr: list[str] = []
    epoch: int = 0


class Jwk(Struct, frozen=True, kw_only=True):
    """One public key of a JWKS (RFC 8037): never a private member."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str
    kid: str
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"


class Jwks(Struct, frozen=True):
    """A key set as it is published."""

    keys: list[Jwk]


_claims = msgspec.json.Decoder(Claims, strict=True)
_jwks = msgspec.json.Decoder(Jwks)


def jwk_of(key: Ed25519PublicKey) -> Jwk:
    """The public key as a JWK; its `kid` is the RFC 7638 thumbprint."""
    x = _b64(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return Jwk(x=x, kid=_b64(hashlib.sha256(canonical.encode()).digest()))


def sign(claims: Claims, key: Ed25519PrivateKey) -> str:
    """A token of these claims."""
    signed = f"{_header(jwk_of(key.public_key()).kid)}.{_b64(msgspec.json.encode(claims))}"
    return f"{signed}.{_b64(key.sign(signed.encode()))}"


class Keyring:
    """The public keys that are accepted, by canonical header segment."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Args: keys: by kid."""
        self._by_header = {_header(kid): key for kid, key in keys.items()}

    def __len__(self) -> int:
        """How many keys are accepted."""
        return len(self._by_header)

    @classmethod
    def parse(cls, data: bytes) -> "Keyring":
        """The keys of a JWKS document.

        Raises:
            ValueError: not a key set, a key that is none, or a `kid` that is not the key's thumbprint.
        """
        try:
            jwks = _jwks.decode(data)
            keys = {jwk.kid: Ed25519PublicKey.from_public_bytes(_unb64(jwk.x)) for jwk in jwks.keys}
        except (msgspec.MsgspecError, binascii.Error) as exc:
            raise ValueError("not a JWKS of Ed25519 keys") from exc
        if any(jwk_of(key).kid != kid for kid, key in keys.items()):
            raise ValueError("a kid is not its key's thumbprint")
        return cls(keys)

    def verify(self, token: str, *, issuer: str, audience: Audience, now_s: float) -> Claims:
        """The claims of a token that is ours, for this audience, and valid now.

        Raises:
            TokenInvalid: anything about it is wrong.
            TokenOver: all is right but its time is over.
        """
        claims = self._authentic(token)
        if claims.iss != issuer or claims.aud != audience:
            raise TokenInvalid
        if claims.nbf - SKEW_S > now_s or claims.iat - SKEW_S > now_s or claims.exp - claims.iat > LIFETIME_S + SKEW_S:
            raise TokenInvalid
        if now_s >= claims.exp + SKEW_S:
            raise TokenOver
        return claims

    def _authentic(self, token: str) -> Claims:
        segments = token.split(".") if len(token) <= MAX_TOKEN_CHARS else []
        if len(segments) != 3:
            raise TokenInvalid
        header, payload, signature = segments
        key = self._by_header.get(header)
        if key is None:
            raise TokenInvalid
        try:
            key.verify(_unb64(signature), f"{header}.{payload}".encode())
            return _claims.decode(_unb64(payload))
        except (InvalidSignature, ValueError, msgspec.MsgspecError) as exc:
            raise TokenInvalid from exc


def _header(kid: str) -> str:
    return _b64(msgspec.json.encode({"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    """Canonical base64url only: what does not encode back to itself is refused.

    Raises:
        ValueError: it is not.
    """
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _b64(data) != text:
        raise ValueError("not canonical base64url")
    return data
