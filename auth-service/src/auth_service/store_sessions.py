"""Devices, sessions, refresh tokens and revocations in the database."""

from dataclasses import dataclass

from garita_common.core.revocations import Revocation

from .core.recovery.facts import DAY_MS
from .core.rotation import Facts
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session. `amr` are the proofs given for it; `auth_ms` and `otp_ms` when the last proof, and the last second factor, was given; `factor` is the id of the
    TOTP or passkey that this was. `second_ms`: when the last proof other than the password was given.
    """

    id: str
    user: str
    device: str
    device_label: str
    client_id: str
    amr: list[str]
    auth_ms: int
    otp_ms: int | None
    factor: str | None
    second_ms: int | None
    created_ms: int
    last_seen_ms: int
    expires_ms: int
    ended: bool


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a new session is made of; `factor` is the TOTP or passkey that was given, `second`: something other than the password was."""

    id: str
    user: str
    device: str
    client_id: str
    amr: list[str]
    factor: str | None
    second: bool


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device as its owner sees it in a list."""

    id: str
    label: str
    last_login_ms: int


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A refresh token as it lies in the database."""

    id: str
    session: str
    secret_hash: bytes
    sealed_successor: bytes | None
    facts: Facts


_SESSION = """
    SELECT s.id, s.user, s.device, d.label, s.client_id, s.amr, s.auth_ms, s.otp_ms, s.factor, s.second_ms,
           s.created_ms, s.last_seen_ms, s.expires_ms, s.ended_ms IS NOT NULL AS ended
    FROM sessions s JOIN devices d ON d.id = s.device
"""


async def known_device(db: Db, user: str, secret_mark: bytes) -> str | None:
    """The id of the user's device with this secret."""
    row = await one(db, "SELECT id FROM devices WHERE secret_mark = ? AND user = ? AND NOT lost", (secret_mark, user))
    return str(row["id"]) if row else None


async def devices_of(db: Db, user: str) -> list[StoredDevice]:
    """A user's devices, newest first."""
    rows = await rows_of(
        db, "SELECT id, label, last_login_ms FROM devices WHERE user = ? ORDER BY last_login_ms DESC, id", (user,)
    )
    return [StoredDevice(row["id"], row["label"], row["last_login_ms"]) for row in rows]


async def add_device(tx: Db, device: str, user: str, secret_mark: bytes, label: str, now_ms: int) -> None:
    """A new device of a user."""
    await run(
        tx,
        "INSERT INTO devices (id, user, secret_mark, label, first_login_ms, last_login_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (device, user, secret_mark, label, now_ms, now_ms),
    )


async def device_registered(tx: Db, device: str) -> None:
    """The account is being made on this device: its first login says nothing against anybody."""
    await run(tx, "UPDATE devices SET registered = 1 WHERE id = ?", (device,))


async def device_seen(tx: Db, device: str, label: str, now_ms: int) -> None:
    """A login from a known device."""
    await run(tx, "UPDATE devices SET last_login_ms = ?, label = ? WHERE id = ?", (now_ms, label, device))


async def device_used(tx: Db, device: str, now_ms: int) -> None:
    """A login or a refresh: where the device is confirmed, the day counts towards its maturity."""
    await run(
        tx,
        "INSERT OR IGNORE INTO device_days (device, day, seen_ms)"
        " SELECT id, ?, ? FROM devices WHERE id = ? AND confirmed_ms IS NOT NULL",
        (now_ms // DAY_MS, now_ms, device),
    )


async def device_confirmed(tx: Db, device: str, now_ms: int) -> None:
    """A code that went to a proved contact, or a second factor, was given on this device."""
    await run(tx, "UPDATE devices SET confirmed_ms = ? WHERE id = ? AND confirmed_ms IS NULL", (now_ms, device))


async def trust(tx: Db, device: str, until_ms: int) -> None:
    """No second factor is asked for on it until then."""
    await run(tx, "UPDATE devices SET trusted_until_ms = ? WHERE id = ?", (until_ms, device))


async def distrust(tx: Db, user: str) -> None:
    """On all devices of a user a second factor is asked for again."""
    await run(tx, "UPDATE devices SET trusted_until_ms = NULL WHERE user = ?", (user,))


async def is_trusted(db: Db, user: str, device: str, now_ms: int) -> bool:
    """Whether a second factor is not asked for on a device, which is not being removed and whose account is not frozen."""
    row = await one(
        db,
        "SELECT 1 FROM devices d JOIN users u ON u.id = d.user WHERE d.id = ?1 AND u.id = ?2"
        " AND d.trusted_until_ms > ?3 AND d.removed_ms IS NULL AND u.frozen_until_ms <= ?3",
        (device, user, now_ms),
    )
    return row is not None


async def is_confirmed(db: Db, device: str) -> bool:
    """Whether a device is a confirmed one."""
    return await one(db, "SELECT 1 FROM devices WHERE id = ? AND confirmed_ms IS NOT NULL", (device,)) is not None


async def add_session(tx: Db, session: NewSession, now_ms: int, expires_ms: int) -> None:
    """A new session."""
    await run(
        tx,
        "INSERT INTO sessions (id, user, device, client_id, amr, auth_ms, otp_ms, factor, second_ms, created_ms,"
        " last_seen_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.id,
            session.user,
            session.device,
            session.client_id,
            " ".join(session.amr),
            now_ms,
            now_ms if session.factor else None,
            session.factor,
            now_ms if session.second else None,
            now_ms,
            now_ms,
            expires_ms,
        ),
    )


async def surplus_sessions(tx: Db, user: str, newest: str, keep: int, now_ms: int) -> list[str]:
    """The living sessions over the cap: those unused for longest, on unconfirmed devices first.

    One that has just begun on an unconfirmed device puts out none of a confirmed one: there are then as many as the cap, and that one.
    """
    rows = await rows_of(
        tx,
        "SELECT id FROM (SELECT s.id, s.last_seen_ms, s.id = ?1 AS newest, d.confirmed_ms IS NOT NULL AS confirmed"
        " FROM sessions s JOIN devices d ON d.id = s.device WHERE s.user = ?2 AND s.ended_ms IS NULL AND s.expires_ms > ?3"
        " ORDER BY newest DESC, confirmed DESC, last_seen_ms DESC, s.id LIMIT -1 OFFSET ?4)"
        " WHERE NOT confirmed OR (SELECT d.confirmed_ms IS NOT NULL FROM sessions s JOIN devices d ON d.id = s.device WHERE s.id = ?1)",
        (newest, user, now_ms, keep),
    )
    return [str(row["id"]) for row in rows]


async def session(db: Db, session_id: str) -> StoredSession | None:
    """A session by its id, ended or not."""
    row = await one(db, _SESSION + "WHERE s.id = ?", (session_id,))
    return _session(row) if row else None


async def living_sessions(db: Db, user: str, now_ms: int) -> list[StoredSession]:
    """A user's sessions that have not ended, newest first."""
    rows = await rows_of(
        db,
        _SESSION + "WHERE s.user = ? AND s.ended_ms IS NULL AND s.expires_ms > ? ORDER BY s.created_ms DESC, s.id",
        (user, now_ms),
    )
    return [_session(row) for row in rows]


async def proved(tx: Db, session_id: str, amr: list[str], factor: str | None, now_ms: int, *, second: bool) -> None:
    """A fresh proof was given in a session. Args: factor: the TOTP or passkey that it was; None for anything else; second: it was not the password."""
    await run(
        tx,
        "UPDATE sessions SET amr = ?1, auth_ms = ?2, otp_ms = CASE WHEN ?3 IS NULL THEN otp_ms ELSE ?2 END,"
        " factor = coalesce(?3, factor), second_ms = CASE WHEN ?5 THEN ?2 ELSE second_ms END WHERE id = ?4",
        (" ".join(amr), now_ms, factor, session_id, int(second)),
    )


async def proved_with(tx: Db, session_id: str, factor: str, now_ms: int) -> None:
    """A contact, TOTP or passkey was proved in a session."""
    await run(
        tx,
        "INSERT OR REPLACE INTO session_proofs (session, factor, at_ms) VALUES (?, ?, ?)",
        (session_id, factor, now_ms),
    )


async def end_sessions(tx: Db, user: str, sessions: list[str], now_ms: int) -> list[Revocation]:
    """Ends sessions of a user that have not ended yet; returns what is to be told to the gateways, stored with it."""
    ended = []
    for session_id in sessions:
        changed = await run(
            tx,
            "UPDATE sessions SET ended_ms = ? WHERE id = ? AND user = ? AND ended_ms IS NULL",
            (now_ms, session_id, user),
        )
        if changed:
            await run(
                tx,
                "INSERT INTO revocations (sub, sid, min_epoch, at_ms) VALUES (?, ?, 0, ?)",
                (user, session_id, now_ms),
            )
            ended.append(Revocation(sub=user, sid=session_id, min_epoch=0, at_ms=now_ms))
    return ended


async def revocations_since(db: Db, since_ms: int) -> list[tuple[int, bool, Revocation]]:
    """Row, whether it was said, and revocation, for all after `since_ms` and all not yet said."""
    rows = await rows_of(
        db,
        "SELECT id, sub, sid, min_epoch, at_ms, said FROM revocations WHERE at_ms > ? OR said = 0 ORDER BY id",
        (since_ms,),
    )
    return [
        (
            row["id"],
            bool(row["said"]),
            Revocation(sub=row["sub"], sid=row["sid"], min_epoch=row["min_epoch"], at_ms=row["at_ms"]),
        )
        for row in rows
    ]


async def revocations_said(tx: Db, rows: list[int]) -> None:
    """The gateways were told of these."""
    for row in rows:
        await run(tx, "UPDATE revocations SET said = 1 WHERE id = ?", (row,))


async def add_token(
    tx: Db, token_id: str, session_id: str, secret_hash: bytes, parent: str | None, now_ms: int, expires_ms: int
) -> None:
    """A new refresh token. Args: parent: the token it succeeds."""
    await run(
        tx,
        "INSERT INTO refresh_tokens (id, session, secret_hash, parent, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (token_id, session_id, secret_hash, parent, now_ms, expires_ms),
    )


async def token(db: Db, token_id: str, device_mark: bytes | None, now_ms: int) -> StoredToken | None:
    """A refresh token with all that judging it takes. Args: device_mark: of the device secret that came with it."""
    row = await one(
        db,
        "SELECT t.id, t.session, t.secret_hash, t.sealed_successor, t.used_ms, t.expires_ms, t.replays, "
        "       s.ended_ms IS NOT NULL OR s.expires_ms <= ? OR u.status <> 'active' AS over, d.secret_mark, "
        "       c.used_ms IS NOT NULL AS successor_used, h.used_ms IS NOT NULL AS heir_used "
        "FROM refresh_tokens t JOIN sessions s ON s.id = t.session JOIN users u ON u.id = s.user "
        "JOIN devices d ON d.id = s.device "
        "LEFT JOIN refresh_tokens c ON c.parent = t.id LEFT JOIN refresh_tokens h ON h.parent = c.id WHERE t.id = ?",
        (now_ms, token_id),
    )
    if row is None:
        return None
    facts = Facts(
        used_ms=row["used_ms"],
        expires_ms=row["expires_ms"],
        session_over=bool(row["over"]),
        replays=row["replays"],
        successor_used=bool(row["successor_used"]),
        heir_used=bool(row["heir_used"]),
        same_device=device_mark is not None and device_mark == row["secret_mark"],
    )
    return StoredToken(row["id"], row["session"], row["secret_hash"], row["sealed_successor"], facts)


async def use_token(tx: Db, token_id: str, sealed_successor: bytes, now_ms: int) -> bool:
    """Uses a refresh token up; False if it was used before. The successor is kept, sealed, for an answer that gets lost."""
    changed = await run(
        tx,
        "UPDATE refresh_tokens SET used_ms = ?, sealed_successor = ? WHERE id = ? AND used_ms IS NULL",
        (now_ms, sealed_successor, token_id),
    )
    return changed == 1


async def count_replay(tx: Db, token_id: str) -> None:
    """The successor of this token was given once more."""
    await run(tx, "UPDATE refresh_tokens SET replays = replays + 1 WHERE id = ?", (token_id,))


async def moved(tx: Db, session_id: str, prefix_mark: bytes) -> bool:
    """The session is used from a prefix; whether that is another than before."""
    changed = await run(
        tx,
        "UPDATE sessions SET prefix_mark = ?1 WHERE id = ?2 AND prefix_mark <> ?1",
        (prefix_mark, session_id),
    )
    await run(tx, "UPDATE sessions SET prefix_mark = ? WHERE id = ? AND prefix_mark IS NULL", (prefix_mark, session_id))
    return changed == 1


async def session_seen(tx: Db, session_id: str, now_ms: int) -> None:
    """The session was refreshed."""
    await run(tx, "UPDATE sessions SET last_seen_ms = ? WHERE id = ?", (now_ms, session_id))


async def sweep(tx: Db, grace_before_ms: int, ended_before_ms: int) -> None:
    """Forgets successors after their grace, and sessions (with their tokens) and revocations that nothing can come of any more."""
    await run(
        tx,
        "UPDATE refresh_tokens SET sealed_successor = NULL WHERE sealed_successor IS NOT NULL AND used_ms < ?",
        (grace_before_ms,),
    )
    await run(tx, "DELETE FROM sessions WHERE ended_ms < ? OR expires_ms < ?", (ended_before_ms, ended_before_ms))
    await run(tx, "DELETE FROM revocations WHERE at_ms < ? AND said = 1", (ended_before_ms,))


def _session(row: Row) -> StoredSession:
    return StoredSession(
        id=row["id"],
        user=row["user"],
        device=row["device"],
        device_label=row["label"],
        client_id=row["client_id"],
        amr=str(row["amr"]).split(),
        auth_ms=row["auth_ms"],
        otp_ms=row["otp_ms"],
        factor=row["factor"],
        second_ms=row["second_ms"],
        created_ms=row["created_ms"],
        last_seen_ms=row["last_seen_ms"],
        expires_ms=row["expires_ms"],
        ended=bool(row["ended"]),
    )
