"""Time-based one-time passwords (RFC 6238, SHA-1, 6 digits, 30 s), each of them good for one use.

A code is looked for in the present step and its two neighbours, and counts only if its step is later than the last one that was accepted. Whoever
stores the account moves that mark with the step, in one statement, so that of two equal codes at the same time one wins.
"""

import base64
import hmac

import pyotp

SEED_BYTES = 20
STEP_S = 30
DIGITS = 6
WINDOW_STEPS = 1
"""One step of tolerance each way: phones are seconds off, not minutes."""


def secret_of(seed: bytes) -> str:
    """The seed as base32, as authenticators take it."""
    return base64.b32encode(seed).decode()


def uri_of(seed: bytes, username: str, issuer: str) -> str:
    """What a QR code for an authenticator holds."""
    return pyotp.TOTP(secret_of(seed), digits=DIGITS, interval=STEP_S).provisioning_uri(
        name=username, issuer_name=issuer
    )


def code_at(seed: bytes, step: int) -> str:
    """The code of a step (RFC 4226 with the step as its counter)."""
    return pyotp.HOTP(secret_of(seed), digits=DIGITS).at(step)


def began_ms(step: int) -> int:
    """When a step begins."""
    return step * STEP_S * 1000


def accepted_step(seed: bytes, code: str, now_s: float, last_step: int) -> int | None:
    """The step that `code` belongs to, if it may be used now; None otherwise. Every candidate is compared, whichever fits."""
    now_step = int(now_s) // STEP_S
    found: int | None = None
    for step in range(now_step - WINDOW_STEPS, now_step + WINDOW_STEPS + 1):
        fits = hmac.compare_digest(code_at(seed, step).encode(), code.encode())
        if fits and step > last_step:
            found = step
    return found
