"""Signing keys: made, sealed in the database, followed by the next one in time, and what is signed with them.

The private key never leaves this process but sealed. The public ones are the JWKS that every other service verifies with. When a key signs and when it goes is
decided in `core.key_life`; a rotation is one transaction, and what this process signs with is read from what was stored.
"""

from dataclasses import dataclass

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from garita_common.core import tokens

from .audit import Audit
from .core import key_life
from .core.key_life import HOUR_MS, Key, Schedule
from .core.sealing import SealBroken
from .parts import Parts
from .store import Db, rows_of, run

log = structlog.get_logger()

KEPT_MS = 30 * key_life.DAY_MS
"""A key that is gone is kept for a month, for who reads an old log, then its row is deleted."""


class KeysUnreadable(Exception):
    """Stored keys that the present `auth_data_key` does not open."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What the stored keys give at one time."""

    key: Ed25519PrivateKey
    signs_ms: int
    keyring: tokens.Keyring
    jwks: bytes


class Signer:
    """The key in use and all public ones; `tend` keeps them up to date."""

    def __init__(self, parts: Parts, audit: Audit, held: _Held) -> None:
        """Use `load`."""
        self._parts = parts
        self._audit = audit
        self._held = held

    @property
    def signs_ms(self) -> int:
        """Since when the key in use signs."""
        return self._held.signs_ms

    @property
    def keyring(self) -> tokens.Keyring:
        """The keys whose tokens are accepted."""
        return self._held.keyring

    @property
    def jwks(self) -> bytes:
        """The same keys as a document."""
        return self._held.jwks

    def sign(self, claims: tokens.Claims) -> str:
        """An access token of these claims."""
        return tokens.sign(claims, self._held.key)

    async def tend(self) -> None:
        """Makes the next key when its time has come, and follows the schedule.

        Raises:
            KeysUnreadable: somebody has changed the stored keys.
        """
        now_ms = self._parts.now_ms()
        signs_ms = key_life.successor_signs_ms(await _stored(self._parts.store.reading), self._schedule, now_ms)
        if signs_ms is not None:
            async with self._parts.store.writing() as tx:
                again_ms = key_life.successor_signs_ms(await _stored(tx), self._schedule, now_ms)
                if again_ms is not None:
                    await _make(tx, self._parts, self._audit, again_ms, again_ms + self._schedule.overlap_ms)
        self._held = await _held(self._parts.store.reading, self._parts)

    async def rotate(self, *, at_once: bool) -> int:
        """Makes the next key outside of the schedule; returns when it signs (Unix ms).

        Args: at_once: the present key may be in wrong hands: it is gone now, and with it every access token. Clients refresh; a verifier that has not
            fetched the new key yet refuses them until it has.
        """
        now_ms = self._parts.now_ms()
        signs_ms = now_ms if at_once else now_ms + self._schedule.overlap_ms
        async with self._parts.store.writing() as tx:
            await run(tx, "DELETE FROM signing_keys WHERE signs_ms > ?", (now_ms,))
            present = key_life.signing(await _stored(tx), now_ms)
            if present is not None:  # it was to go after the successor that has just been taken back
                await run(tx, "UPDATE signing_keys SET retires_ms = NULL WHERE kid = ?", (present.kid,))
            if at_once:
                await run(tx, "UPDATE signing_keys SET retires_ms = ?1 WHERE coalesce(retires_ms, ?1) >= ?1", (now_ms,))
            overlap_ms = self._schedule.overlap_ms
            await _make(tx, self._parts, self._audit, signs_ms, signs_ms + overlap_ms, by="operator")
        self._held = await _held(self._parts.store.reading, self._parts)
        return signs_ms

    @property
    def _schedule(self) -> Schedule:
        config = self._parts.config
        return Schedule(config.key_rotation_days * key_life.DAY_MS, config.key_overlap_h * HOUR_MS)


async def load(parts: Parts, audit: Audit) -> Signer:
    """The stored keys; a first one is made where there is none.

    Raises:
        KeysUnreadable: they were sealed with another key: starting would log everybody out without saying why.
    """
    now_ms = parts.now_ms()
    async with parts.store.writing() as tx:
        if key_life.signing(await _stored(tx), now_ms) is None:
            await _make(tx, parts, audit, now_ms, now_ms)
    signer = Signer(parts, audit, await _held(parts.store.reading, parts))
    await signer.tend()
    return signer


async def _held(db: Db, parts: Parts) -> _Held:
    now_ms = parts.now_ms()
    rows = {str(row["kid"]): row for row in await rows_of(db, "SELECT * FROM signing_keys ORDER BY signs_ms DESC, kid")}
    keys = await _stored(db)
    using = key_life.signing(keys, now_ms)
    if using is None or using.kid not in rows:
        raise KeysUnreadable
    try:
        raw = parts.seals.open("signing-key", using.kid, rows[using.kid]["sealed_private"])
    except SealBroken as exc:
        raise KeysUnreadable from exc
    public = {
        key.kid: Ed25519PublicKey.from_public_bytes(rows[key.kid]["public"])
        for key in key_life.living(keys, now_ms)
        if key.kid in rows
    }
    jwks = tokens.Jwks([tokens.jwk_of(key) for key in public.values()])
    return _Held(
        Ed25519PrivateKey.from_private_bytes(raw),
        using.signs_ms,
        tokens.Keyring(public),
        msgspec.json.encode(jwks),
    )


async def _stored(db: Db) -> list[Key]:
    rows = await rows_of(
        db, "SELECT kid, created_ms, signs_ms, retires_ms FROM signing_keys ORDER BY signs_ms DESC, kid"
    )
    return [Key(row["kid"], row["created_ms"], row["signs_ms"], row["retires_ms"]) for row in rows]


async def _make(
    tx: Db, parts: Parts, audit: Audit, signs_ms: int, others_retire_ms: int, *, by: str = "schedule"
) -> None:
    """A new key; those before it go when they are not needed any more."""
    key = Ed25519PrivateKey.generate()
    kid = tokens.jwk_of(key.public_key()).kid
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    now_ms = parts.now_ms()
    await run(tx, "UPDATE signing_keys SET retires_ms = ? WHERE retires_ms IS NULL", (others_retire_ms,))
    await run(tx, "DELETE FROM signing_keys WHERE retires_ms < ?", (now_ms - KEPT_MS,))
    await run(
        tx,
        "INSERT INTO signing_keys (kid, sealed_private, public, created_ms, signs_ms) VALUES (?, ?, ?, ?, ?)",
        (kid, parts.seal("signing-key", kid, raw), public, now_ms, signs_ms),
    )
    await audit.write(tx, "key.rotated", actor=by, kid=kid, signs_ms=signs_ms)
    log.info("signing_key_made", kid=kid, signs_ms=signs_ms)
