"""What `docker compose up` needs before anything else can start: secrets, Redis passwords and the ACL file that goes with them.

Runs to its end at every start. What is there stays: a second start finds the same secrets. Every secret is made once in the folder `all`, and each service's own
folder gets copies of those that it needs, so that a service that was broken into cannot read another's. The ACL file holds only hashes of passwords and is
written anew each time, so that an upgrade of its template takes effect.
"""

import base64
import hashlib
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32
SERVICES = ("gateway", "chat", "auth", "detector")
REDIS_USERS = (*SERVICES, "operator")


def _text() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


MAKERS: dict[str, Callable[[], str]] = {
    "service_token": _text,
    "operator_token": _text,
    "address_key": _text,
    "auth_pepper": _text,
    "audit_key": _text,
    "auth_data_key": _key,
    "simhash_key": _text,
} | {f"redis_password_{user}": _text for user in REDIS_USERS}

NEEDED: dict[str, tuple[str, ...]] = {
    "gateway": ("service_token", "address_key"),
    "chat": ("service_token", "address_key", "simhash_key", "operator_token"),
    "auth": ("service_token", "address_key", "auth_pepper", "auth_data_key", "operator_token", "audit_key"),
    "detector": ("service_token", "address_key", "operator_token"),
}

BOUND_TO_ACCOUNTS = ("auth_pepper", "auth_data_key")
"""Without these, stored accounts could never be read again: new ones beside old data would only hide the loss."""


class CannotStart(Exception):
    """Something a person has to look at; the text is one sentence."""


def prepare(root: Path, template: str, accounts: Path, redis_address: str) -> None:
    """Makes what is missing under `root` (`all`, one folder per service, `redis`).

    Args: template: the ACL file with `{gateway}` and so on in place of the hashes; accounts: the auth service's database.

    Raises:
        CannotStart: a secret that stored accounts depend on is gone.
    """
    made = {name: _secret(root / "all" / name, make, accounts) for name, make in MAKERS.items()}
    for service in SERVICES:
        password = made[f"redis_password_{service}"]
        for name in NEEDED[service]:
            _write(root / service / name, made[name], 0o400)
        _write(root / service / "redis_url", f"redis://{service}:{password}@{redis_address}", 0o400)
    hashes = {user: hashlib.sha256(made[f"redis_password_{user}"].encode()).hexdigest() for user in REDIS_USERS}
    _write(root / "redis" / "users.acl", _filled(template, hashes), 0o444)


def _secret(path: Path, make: Callable[[], str], accounts: Path) -> str:
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    if path.name in BOUND_TO_ACCOUNTS and accounts.exists():
        raise CannotStart(
            f"The secret {path.name} is missing but accounts that need it are stored: put it back, or remove the accounts too."
        )
    text = make()
    _write(path, text, 0o400)
    return text


def _filled(template: str, hashes: dict[str, str]) -> str:
    """The template without its comments, which Redis does not read, and with one line per user."""
    lines: list[str] = []
    for line in template.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    text = "\n".join(lines) + "\n"
    for user, digest in hashes.items():
        text = text.replace(f"{{{user}}}", digest)
    return text


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: a start that is cut off must not leave half a secret."""
    if path.exists() and path.read_text(encoding="ascii") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(mode)  # whatever the umask took away
    draft.replace(path)


def main() -> int:
    """Prepares the volumes that docker-compose.yml mounts; 78 (EX_CONFIG) and one sentence if it cannot."""
    try:
        template = Path(__file__).with_name("users.acl").read_text(encoding="utf-8")
        prepare(Path("/secrets"), template, Path("/data/auth/auth.sqlite3"), "redis:6379/0")
    except (CannotStart, OSError) as exc:
        sys.stderr.write(f"init: {exc}\n")
        return os.EX_CONFIG
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
