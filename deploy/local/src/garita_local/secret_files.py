"""The secrets of a stack on one machine: made at the first start, found again at every later one.

One file per secret, mode 0600. The outbox key is the exception: it is new at each start, so that an address that was
once copied to somebody stops working.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from garita_local.layout import Layout
from garita_local.state_folder import write_private
from garita_local.troubles import CannotStart

KEY_BYTES = 32  # 256 bits: what AES-256 takes, and beyond guessing for a token
OUTBOX_KEY = "outbox_key"
TEXT_SECRETS = ("service_token", "operator_token", "address_key", "auth_pepper", "simhash_key", "audit_key")
BASE64_SECRETS = ("auth_data_key",)
# Without these two, stored accounts could never be read again: a new one beside old data would hide the loss.
BOUND_TO_DATA = ("auth_pepper", "auth_data_key")


def ensure_secrets(layout: Layout) -> None:
    """Make what is missing and leave what is there.

    Raises: CannotStart when a secret that stored accounts depend on is gone.
    """
    for name in (*TEXT_SECRETS, *BASE64_SECRETS):
        path = layout.secrets / name
        if path.exists():
            path.chmod(0o600)
            continue
        if name in BOUND_TO_DATA and layout.database("auth").exists():
            raise CannotStart(
                f"the secret {path} is missing but accounts that need it are stored; put it back, or remove "
                f"{layout.root} to begin anew."
            )
        write_private(path, _new_secret(name))
    write_private(layout.secrets / OUTBOX_KEY, secrets.token_urlsafe(KEY_BYTES))


def read_secret(folder: Path, name: str) -> str:
    """The text of one secret."""
    return (folder / name).read_text(encoding="utf-8").strip()


def _new_secret(name: str) -> str:
    """Fresh random text in the form that the secret's reader expects."""
    if name in BASE64_SECRETS:
        return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
    return secrets.token_urlsafe(KEY_BYTES)
