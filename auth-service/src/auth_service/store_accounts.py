"""Users in the database: who they are, how they are reached, what they prove themselves with."""

from dataclasses import dataclass

from .core.identifiers import ContactKind, Named
from .core.requests import Locale
from .store import Db, Row, one, rows_of, run

_ACCOUNT = """
    SELECT u.id, u.status, u.epoch, u.display_name, u.locale, u.created_ms, n.name AS username, p.hash AS password_hash,
           EXISTS (SELECT 1 FROM totp WHERE user = u.id AND proved_ms IS NOT NULL AND removed_ms IS NULL) AS totp
    FROM users u
    JOIN usernames n ON n.user = u.id
    JOIN passwords p ON p.user = u.id
"""
_BY_ID = _ACCOUNT + "WHERE u.id = ?"
_NAMED = """
    WHERE u.id = coalesce(
        (SELECT user FROM usernames WHERE skeleton = ?),
        (SELECT user FROM contacts WHERE mark = ? AND proved_ms IS NOT NULL ORDER BY suspect, proved_ms LIMIT 1)
    )
"""
_BY_NAME = _ACCOUNT + _NAMED
_NAME_OR_ID = "WHERE u.id = coalesce((SELECT user FROM usernames WHERE skeleton = ?), ?)"
_BY_NAME_OR_ID = _ACCOUNT + _NAME_OR_ID


@dataclass(frozen=True, slots=True)
class Account:
    """A user as login and tokens need it. `totp`: a second factor is on."""

    id: str
    active: bool
    epoch: int
    username: str
    display_name: str
    locale: Locale
    created_ms: int
    password_hash: str
    totp: bool


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A proved contact; `sealed_value` opens with its `id`."""

    id: str
    kind: ContactKind
    sealed_value: bytes


@dataclass(frozen=True, slots=True)
class NewContact:
    """The contact that a registration has proved; `sealed_value` opens with its `id`."""

    id: str
    kind: str
    mark: bytes
    sealed_value: bytes


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a new account is made of. `contact` None: it came by an invite."""

    id: str
    username: str
    skeleton: str
    display_name: str
    locale: str
    password_hash: str
    contact: NewContact | None


async def find(db: Db, named: Named, contact_mark: bytes) -> Account | None:
    """The account that somebody typed a name of. One query whatever the name is, so that a name of nobody costs the same."""
    row = await one(db, _BY_NAME, (named.skeleton, contact_mark))
    return _account(row) if row else None


async def by_id(db: Db, user: str) -> Account | None:
    """An account by its id."""
    row = await one(db, _BY_ID, (user,))
    return _account(row) if row else None


async def named(db: Db, text: str, skeleton: str) -> Account | None:
    """The account that an operator means, by its id or its user name. Args: skeleton: of the text, as a name."""
    row = await one(db, _BY_NAME_OR_ID, (skeleton, text))
    return _account(row) if row else None


async def has_contact(db: Db, mark: bytes) -> bool:
    """Whether a contact belongs to an account: one that only waits for its proof, or may be somebody else's by now, belongs to nobody."""
    sql = "SELECT 1 FROM contacts WHERE mark = ? AND proved_ms IS NOT NULL AND NOT suspect"
    return await one(db, sql, (mark,)) is not None


async def has_name(db: Db, skeleton: str) -> bool:
    """Whether a user name, or one that looks like it, is taken, or was a deleted account's a short while ago."""
    sql = "SELECT 1 FROM usernames WHERE skeleton = ?1 UNION ALL SELECT 1 FROM released_names WHERE skeleton = ?1"
    return await one(db, sql, (skeleton,)) is not None


async def add(tx: Db, account: NewAccount, now_ms: int) -> None:
    """Stores a new account. The caller has asked, in this transaction, that its name and contact are free."""
    await run(
        tx,
        "INSERT INTO users (id, status, display_name, locale, created_ms) VALUES (?, 'active', ?, ?, ?)",
        (account.id, account.display_name, account.locale, now_ms),
    )
    await run(
        tx,
        "INSERT INTO usernames (skeleton, name, user) VALUES (?, ?, ?)",
        (account.skeleton, account.username, account.id),
    )
    await run(
        tx,
        "INSERT INTO passwords (user, hash, changed_ms) VALUES (?, ?, ?)",
        (account.id, account.password_hash, now_ms),
    )
    contact = account.contact
    if contact is not None:
        await run(
            tx,
            "INSERT INTO contacts (id, user, kind, mark, sealed_value, added_ms, proved_ms, matures_ms, confirmed_ms) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?6)",
            (contact.id, account.id, contact.kind, contact.mark, contact.sealed_value, now_ms),
        )


async def contacts_of(db: Db, user: str) -> list[StoredContact]:
    """A user's contacts, oldest first."""
    rows = await rows_of(
        db,
        "SELECT id, kind, sealed_value FROM contacts WHERE user = ? AND proved_ms IS NOT NULL ORDER BY proved_ms, id",
        (user,),
    )
    return [StoredContact(row["id"], ContactKind(row["kind"]), row["sealed_value"]) for row in rows]


async def has_admins(db: Db) -> bool:
    """Whether the role of an administrator was ever granted to an account that is still there, a suspended one too."""
    return await one(db, "SELECT 1 FROM roles WHERE role = 'admin'") is not None


async def grant(tx: Db, user: str, role: str, now_ms: int) -> None:
    """Gives a role, or gives it back after it was suspended."""
    await run(
        tx,
        "INSERT INTO roles (user, role, granted_ms) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET granted_ms = ?3, suspended_ms = NULL",
        (user, role, now_ms),
    )


async def withdraw(tx: Db, user: str, role: str) -> bool:
    """Takes a role away; False where there is none."""
    return await run(tx, "DELETE FROM roles WHERE user = ? AND role = ?", (user, role)) == 1


async def roles_of(db: Db, user: str) -> list[str]:
    """A user's roles, without those that a recovery has suspended."""
    rows = await rows_of(db, "SELECT role FROM roles WHERE user = ? AND suspended_ms IS NULL ORDER BY role", (user,))
    return [str(row["role"]) for row in rows]


async def set_password_hash(tx: Db, user: str, old_hash: str, new_hash: str) -> None:
    """Stores the same password hashed with newer parameters, unless it was changed meanwhile."""
    await run(tx, "UPDATE passwords SET hash = ? WHERE user = ? AND hash = ?", (new_hash, user, old_hash))


async def change_password(tx: Db, user: str, old_hash: str, new_hash: str, now_ms: int) -> bool:
    """Another password; False where it is not the one any more that the caller has checked."""
    changed = await run(
        tx,
        "UPDATE passwords SET hash = ?, changed_ms = ? WHERE user = ? AND hash = ?",
        (new_hash, now_ms, user, old_hash),
    )
    return changed == 1


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        active=row["status"] == "active",
        epoch=row["epoch"],
        username=row["username"],
        display_name=row["display_name"],
        locale="es" if row["locale"] == "es" else "en",
        created_ms=row["created_ms"],
        password_hash=row["password_hash"],
        totp=bool(row["totp"]),
    )
