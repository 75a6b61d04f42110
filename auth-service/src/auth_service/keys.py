"""Signing keys: made at the first start, sealed in the database, and what is signed with them.

The private key never leaves this process but sealed. The public ones are the JWKS that every other service verifies with.
"""

from dataclasses import dataclass

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from garita_common.core import tokens

from .core.sealing import SealBroken
from .parts import Parts
from .store import Db, Row, rows_of, run

log = structlog.get_logger()


class KeysUnreadable(Exception):
    """Stored keys that the present `auth_data_key` does not open."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The key in use and all public ones."""

    key: Ed25519PrivateKey
    created_ms: int
    keyring: tokens.Keyring
    jwks: bytes

    def sign(self, claims: tokens.Claims) -> str:
        """An access token of these claims."""
        return tokens.sign(claims, self.key)


async def load(parts: Parts) -> Signer:
    """The stored keys; a first one is made where there is none.

    Raises:
        KeysUnreadable: they were sealed with another key: starting would log everybody out without saying why.
    """
    async with parts.store.writing() as tx:
        rows = await _living(tx, parts.now_ms())
        if not rows:
            await _make(tx, parts)
            rows = await _living(tx, parts.now_ms())
    newest = rows[0]
    try:
        raw = parts.seals.open("signing-key", newest["kid"], newest["sealed_private"])
    except SealBroken as exc:
        raise KeysUnreadable from exc
    public = {str(row["kid"]): Ed25519PublicKey.from_public_bytes(row["public"]) for row in rows}
    jwks = tokens.Jwks([tokens.jwk_of(key) for key in public.values()])
    return Signer(
        Ed25519PrivateKey.from_private_bytes(raw),
        newest["created_ms"],
        tokens.Keyring(public),
        msgspec.json.encode(jwks),
    )


async def _living(tx: Db, now_ms: int) -> list[Row]:
    return await rows_of(
        tx,
        "SELECT kid, sealed_private, public, created_ms FROM signing_keys WHERE retires_ms IS NULL OR retires_ms > ? "
        "ORDER BY created_ms DESC, kid",
        (now_ms,),
    )


async def _make(tx: Db, parts: Parts) -> None:
    key = Ed25519PrivateKey.generate()
    kid = tokens.jwk_of(key.public_key()).kid
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    await run(
        tx,
        "INSERT INTO signing_keys (kid, sealed_private, public, created_ms) VALUES (?, ?, ?, ?)",
        (kid, parts.seal("signing-key", kid, raw), public, parts.now_ms()),
    )
    log.info("signing_key_made", kid=kid)
