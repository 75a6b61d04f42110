"""What waits in the database: registrations, and second factors that are still wanted."""

from dataclasses import dataclass

from .core.codes import MAX_TRIES
from .core.identifiers import ContactKind
from .store import Db, one, run

MAX_MISSES = 5
"""Wrong second factors that one ticket takes."""


@dataclass(frozen=True, slots=True)
class FlowContact:
    """The contact that a registration proves; `sealed` opens with the registration's id."""

    kind: ContactKind
    mark: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Flow:
    """A registration under way. `contact` None: it came by `invite`, which is that one's hash. `code_mark` None: a decoy, or there is nothing to prove."""

    id: str
    secret_hash: bytes
    contact: FlowContact | None
    password_hash: str
    locale: str
    expires_ms: int
    invite: bytes | None = None
    code_mark: bytes | None = None
    tries: int = 0
    ticket_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A password that waits for a second factor; `device` is the known device that asks. Where a name is `shut`, every password gets one: `user` None for a wrong one."""

    user: str | None
    device: str | None
    expires_ms: int
    shut: bool
    tag: str
    misses: int = 0

    def is_alive(self, now_ms: int) -> bool:
        """Whether a second factor is still taken for it."""
        return self.misses < MAX_MISSES and self.expires_ms > now_ms


async def add_flow(tx: Db, flow: Flow, now_ms: int) -> None:
    """A new registration."""
    await run(
        tx,
        "INSERT INTO flows (id, secret_hash, contact_kind, contact_mark, sealed_contact, invite, password_hash, locale, code_mark, "
        "ticket_hash, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            flow.id,
            flow.secret_hash,
            flow.contact.kind.value if flow.contact else None,
            flow.contact.mark if flow.contact else None,
            flow.contact.sealed if flow.contact else None,
            flow.invite,
            flow.password_hash,
            flow.locale,
            flow.code_mark,
            flow.ticket_hash,
            now_ms,
            flow.expires_ms,
        ),
    )


async def flows_of_contact(db: Db, contact_mark: bytes, since_ms: int) -> int:
    """How many registrations named this contact since a moment."""
    row = await one(
        db, "SELECT count(*) AS n FROM flows WHERE contact_mark = ? AND created_ms > ?", (contact_mark, since_ms)
    )
    return int(row["n"]) if row else 0


async def flow(db: Db, flow_id: str) -> Flow | None:
    """A registration by its id."""
    row = await one(db, "SELECT * FROM flows WHERE id = ?", (flow_id,))
    if row is None:
        return None
    return Flow(
        id=row["id"],
        secret_hash=row["secret_hash"],
        contact=None
        if row["contact_mark"] is None
        else FlowContact(ContactKind(row["contact_kind"]), row["contact_mark"], row["sealed_contact"]),
        invite=row["invite"],
        password_hash=row["password_hash"],
        locale=row["locale"],
        code_mark=row["code_mark"],
        tries=row["tries"],
        ticket_hash=row["ticket_hash"],
        expires_ms=row["expires_ms"],
    )


async def count_try(tx: Db, flow_id: str) -> None:
    """A wrong code was shown."""
    await run(tx, "UPDATE flows SET tries = tries + 1 WHERE id = ?", (flow_id,))


async def prove_flow(tx: Db, flow_id: str, ticket_hash: bytes, expires_ms: int) -> None:
    """The contact is proved; the ticket completes the registration."""
    await run(
        tx,
        "UPDATE flows SET ticket_hash = ?, expires_ms = ?, code_mark = NULL, tries = ? WHERE id = ?",
        (ticket_hash, expires_ms, MAX_TRIES, flow_id),
    )


async def end_flow(tx: Db, flow_id: str) -> None:
    """The registration is complete: its ticket and the password's hash are needed no more, only that it was counts for the daily limit."""
    await run(
        tx,
        "UPDATE flows SET ticket_hash = NULL, password_hash = '', expires_ms = 0 WHERE id = ?",
        (flow_id,),
    )


async def add_ticket(tx: Db, ticket_hash: bytes, ticket: Ticket) -> None:
    """A second factor is wanted."""
    await run(
        tx,
        "INSERT INTO mfa_tickets (hash, user, device, shut, tag, expires_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (ticket_hash, ticket.user, ticket.device, int(ticket.shut), ticket.tag, ticket.expires_ms),
    )


async def ticket(db: Db, ticket_hash: bytes) -> Ticket | None:
    """A ticket by its hash."""
    row = await one(db, "SELECT * FROM mfa_tickets WHERE hash = ?", (ticket_hash,))
    if row is None:
        return None
    return Ticket(row["user"], row["device"], row["expires_ms"], bool(row["shut"]), row["tag"], row["misses"])


def purpose_of(ticket_hash: bytes) -> str:
    """What the codes and challenges for a ticket are made for."""
    return f"mfa:{ticket_hash.hex()}"


async def count_miss(tx: Db, ticket_hash: bytes) -> None:
    """A wrong second factor was shown with this ticket."""
    await run(tx, "UPDATE mfa_tickets SET misses = misses + 1 WHERE hash = ?", (ticket_hash,))


async def use_ticket(tx: Db, ticket_hash: bytes) -> bool:
    """Uses a ticket up; False if it is gone."""
    return await run(tx, "DELETE FROM mfa_tickets WHERE hash = ?", (ticket_hash,)) == 1


async def sweep(tx: Db, now_ms: int, day_ago_ms: int) -> None:
    """Forgets tickets that have ended, and registrations once their day is over."""
    await run(tx, "DELETE FROM mfa_tickets WHERE expires_ms < ?", (now_ms,))
    await run(tx, "DELETE FROM flows WHERE expires_ms < ? AND created_ms < ?", (now_ms, day_ago_ms))
