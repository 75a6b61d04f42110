"""Passkeys in the database."""

from dataclasses import dataclass

from .core.factors import is_asked
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey as it is stored. `sign_count` is the highest that it has shown."""

    id: str
    user: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    label: str
    backed_up: bool
    used_ms: int | None
    added_ms: int
    matures_ms: int
    removed_ms: int | None
    lost: bool

    def is_asked(self, now_ms: int) -> bool:
        """Whether it is taken at login."""
        return is_asked(self.removed_ms, lost=self.lost, now_ms=now_ms)


async def of_user(db: Db, user: str) -> list[Passkey]:
    """A user's passkeys, oldest first."""
    rows = await rows_of(db, "SELECT * FROM passkeys WHERE user = ? ORDER BY added_ms, id", (user,))
    return [_passkey(row) for row in rows]


async def asked_of(db: Db, user: str, now_ms: int) -> list[Passkey]:
    """The passkeys that are taken at login."""
    return [passkey for passkey in await of_user(db, user) if passkey.is_asked(now_ms)]


async def by_credential(db: Db, credential_id: bytes) -> Passkey | None:
    """A passkey by the id that its authenticator gave it."""
    row = await one(db, "SELECT * FROM passkeys WHERE credential_id = ?", (credential_id,))
    return _passkey(row) if row else None


async def add(tx: Db, passkey: Passkey) -> bool:
    """A new passkey; False where that very one is known already."""
    changed = await run(
        tx,
        "INSERT INTO passkeys (id, user, credential_id, public_key, sign_count, label, backed_up, added_ms, proved_ms, matures_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9) ON CONFLICT DO NOTHING",
        (
            passkey.id,
            passkey.user,
            passkey.credential_id,
            passkey.public_key,
            passkey.sign_count,
            passkey.label,
            int(passkey.backed_up),
            passkey.added_ms,
            passkey.matures_ms,
        ),
    )
    return changed == 1


async def rename(tx: Db, user: str, passkey: str, label: str) -> bool:
    """Another label; False if it is not there, or is being removed."""
    changed = await run(
        tx,
        "UPDATE passkeys SET label = ? WHERE id = ? AND user = ? AND removed_ms IS NULL",
        (label, passkey, user),
    )
    return changed == 1


async def use(tx: Db, passkey: str, sign_count: int, *, backed_up: bool, now_ms: int, retiring: bool) -> bool:
    """It was used; False where its count was shown before, or it is not taken any more. Args: retiring: one that is being removed is taken however long."""
    row = await one(tx, "SELECT * FROM passkeys WHERE id = ?", (passkey,))
    if row is None or not (retiring or _passkey(row).is_asked(now_ms)):
        return False
    changed = await run(
        tx,
        "UPDATE passkeys SET sign_count = ?1, backed_up = ?2, used_ms = ?3"
        " WHERE id = ?4 AND (sign_count < ?1 OR (sign_count = 0 AND ?1 = 0))",
        (sign_count, int(backed_up), now_ms, passkey),
    )
    return changed == 1


def _passkey(row: Row) -> Passkey:
    return Passkey(
        id=row["id"],
        user=row["user"],
        credential_id=row["credential_id"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        label=row["label"],
        backed_up=bool(row["backed_up"]),
        used_ms=row["used_ms"],
        added_ms=row["added_ms"],
        matures_ms=row["matures_ms"],
        removed_ms=row["removed_ms"],
        lost=bool(row["lost"]),
    )
