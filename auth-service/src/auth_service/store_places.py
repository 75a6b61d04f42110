"""Where accounts were used from, in the database: one row for each confirmed device, network and day."""

from .core.recovery.facts import DAY_MS
from .core.recovery.places import Net, Spot, Visit
from .store import Db, Row, one, rows_of, run

CROWD_MS = 30 * DAY_MS


async def record(tx: Db, user: str, device: str, net: Net, now_ms: int) -> None:
    """A login or refresh; of a device that is not confirmed it leaves nothing."""
    spot = net.spot
    await run(
        tx,
        "INSERT INTO login_history (user, device, net, day, at_ms, asn, country, lat, lon, radius_km, anonymous)"
        " SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM devices WHERE id = ?2 AND confirmed_ms IS NOT NULL"
        " ON CONFLICT (user, device, net, day) DO UPDATE SET at_ms = excluded.at_ms",
        (
            user,
            device,
            net.key,
            now_ms // DAY_MS,
            now_ms,
            net.asn,
            net.country,
            None if spot is None else spot.lat,
            None if spot is None else spot.lon,
            None if spot is None else spot.radius_km,
            int(net.anonymous),
        ),
    )


async def visits_of(db: Db, user: str) -> list[Visit]:
    """All visits of an account."""
    rows = await rows_of(db, "SELECT * FROM login_history WHERE user = ? ORDER BY at_ms", (user,))
    return [Visit(row["device"], _net(row), row["at_ms"]) for row in rows]


async def accounts_in(db: Db, net: str, now_ms: int) -> int:
    """How many accounts used a network in the last 30 days."""
    row = await one(
        db, "SELECT count(DISTINCT user) AS n FROM login_history WHERE net = ? AND at_ms > ?", (net, now_ms - CROWD_MS)
    )
    return int(row["n"]) if row else 0


async def sweep(tx: Db, before_ms: int) -> None:
    """Forgets what is too old to count."""
    await run(tx, "DELETE FROM login_history WHERE at_ms < ?", (before_ms,))


def _net(row: Row) -> Net:
    spot = None if row["lat"] is None else Spot(row["lat"], row["lon"], row["radius_km"])
    return Net(row["net"], row["asn"], row["country"], spot, anonymous=bool(row["anonymous"]))
