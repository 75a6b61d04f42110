"""Keyed one-way marks and sealed values: what the database may hold of secrets.

One key from a file gives one key per purpose (HKDF), so that a value made for one purpose means nothing for another. Sealed values are AES-256-GCM with
the purpose and the row as associated data: a ciphertext moved to another row does not open.
"""

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID = 1
"""The first byte of every sealed value says which key made it, so that a second key can exist beside it."""


class SealBroken(Exception):
    """A sealed value that this key did not make, or not for this place."""


def parse_key(text: str) -> bytes:
    """The 32 bytes of a key file.

    Raises:
        ValueError: not base64 of 32 bytes.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc
    if len(key) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key


def digest(secret: bytes) -> bytes:
    """What is stored of a random 256-bit secret: with that much entropy a plain hash cannot be turned back."""
    return hashlib.sha256(secret).digest()


class Seals:
    """Everything that one data key does."""

    def __init__(self, key: bytes) -> None:
        """Args: key: 32 bytes."""
        self._key = key
        self._aes = AESGCM(self.derived("seal"))
        self._mark_keys: dict[str, bytes] = {}

    def derived(self, purpose: str) -> bytes:
        """A key of its own for a purpose, a constant of ours."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"garita-auth:" + purpose.encode()).derive(self._key)

    def mark(self, purpose: str, *parts: str | bytes) -> bytes:
        """A keyed mark of some values: equal values give equal marks, and nobody without the key can try values out. Parts cannot run into each other."""
        mac = hmac.new(self._mark_key(purpose), digestmod=hashlib.sha256)
        for part in parts:
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            mac.update(len(data).to_bytes(8, "big") + data)
        return mac.digest()

    def seal(self, purpose: str, row: str, plain: bytes, nonce: bytes) -> bytes:
        """`plain` so that only this key opens it, only for this purpose and row. Args: nonce: 12 random bytes, never used twice."""
        body = self._aes.encrypt(nonce, plain, f"{purpose}\0{row}".encode())
        return bytes([KEY_ID]) + nonce + body

    def open(self, purpose: str, row: str, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: it was not sealed by this key for this purpose and row.
        """
        if sealed[:1] != bytes([KEY_ID]):
            raise SealBroken(purpose)
        try:
            return self._aes.decrypt(
                sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], f"{purpose}\0{row}".encode()
            )
        except (InvalidTag, ValueError) as exc:
            raise SealBroken(purpose) from exc

    def _mark_key(self, purpose: str) -> bytes:
        key = self._mark_keys.get(purpose)
        if key is None:
            key = self._mark_keys[purpose] = self.derived("mark:" + purpose)
        return key
