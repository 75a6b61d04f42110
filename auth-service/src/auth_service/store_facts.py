"""What the rules of recovery look at (`core.recovery.facts`), read from the database in one view.

Rows whose rights have ended are deleted by the sweep, so a list here is as long as what an account has and lately had.
"""

from .core.recovery.facts import Change, Device, Dispute, Factor, FactorKind, Facts, Policy
from .store import Db, Row, rows_of

_FACTORS = """
    SELECT id, CASE kind WHEN 'sms' THEN 'phone' ELSE kind END AS kind, proved_ms, matures_ms, confirmed_ms, removed_ms, lost, suspect
        FROM contacts WHERE user = ?1
    UNION ALL SELECT id, 'totp', proved_ms, matures_ms, 0, removed_ms, lost, 0 FROM totp WHERE user = ?1
    UNION ALL SELECT id, 'passkey', proved_ms, matures_ms, 0, removed_ms, lost, 0 FROM passkeys WHERE user = ?1
    UNION ALL SELECT id, 'codes', added_ms, matures_ms, 0, removed_ms, lost, 0 FROM code_sets WHERE user = ?1
    UNION ALL SELECT id, 'question', added_ms, matures_ms, 0, removed_ms, lost, 0 FROM questions WHERE user = ?1
    ORDER BY id
"""
_DEVICES = (
    "SELECT id, first_login_ms, confirmed_ms, removed_ms, lost, registered FROM devices WHERE user = ? ORDER BY id"
)
_DAYS = "SELECT d.device, d.seen_ms FROM device_days d JOIN devices v ON v.id = d.device WHERE v.user = ?"


async def facts_of(db: Db, user: str, policy: Policy) -> Facts:
    """All facts of an account; inside a transaction they are those of the transaction."""
    seen: dict[str, list[int]] = {}
    for row in await rows_of(db, _DAYS, (user,)):
        seen.setdefault(row["device"], []).append(row["seen_ms"])
    changes = await rows_of(db, "SELECT id, at_ms, confirmed FROM changes WHERE user = ? ORDER BY at_ms, id", (user,))
    disputes = await rows_of(db, "SELECT event_ms, opened_ms, closed FROM disputes WHERE user = ?", (user,))
    return Facts(
        factors=tuple(_factor(row) for row in await rows_of(db, _FACTORS, (user,))),
        devices=tuple(_device(row, seen) for row in await rows_of(db, _DEVICES, (user,))),
        changes=tuple(Change(row["id"], row["at_ms"], bool(row["confirmed"])) for row in changes),
        disputes=tuple(Dispute(row["event_ms"], row["opened_ms"], bool(row["closed"])) for row in disputes),
        policy=policy,
    )


def _factor(row: Row) -> Factor:
    return Factor(
        id=row["id"],
        kind=FactorKind(row["kind"]),
        proved_ms=row["proved_ms"],
        matures_ms=row["matures_ms"],
        confirmed_ms=row["confirmed_ms"],
        removed_ms=row["removed_ms"],
        lost=bool(row["lost"]),
        suspect=bool(row["suspect"]),
    )


def _device(row: Row, seen: dict[str, list[int]]) -> Device:
    return Device(
        id=row["id"],
        first_login_ms=row["first_login_ms"],
        confirmed_ms=row["confirmed_ms"],
        seen_ms=tuple(sorted(seen.get(row["id"], ()))),
        removed_ms=row["removed_ms"],
        lost=bool(row["lost"]),
        registered=bool(row["registered"]),
    )
