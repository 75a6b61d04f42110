"""What an administrator may do to an account: lock it, end its sessions, begin its recovery. Never set a password, see a contact or add a factor.

A recovery that an administrator begins is worth what its owner shows, and not a point more; it is only not counted among the starts of the day. Every act is in the
audit log with its administrator, and its owner is told.
"""

import msgspec
from msgspec import UNSET

from garita_common.core.revocations import Revocation

from . import store_accounts, store_admin, store_appeals, store_recoveries, store_sessions
from .audit import Audit
from .changes import Changes
from .core import admin_messages as messages
from .core import answers
from .core.events import Kind
from .core.identifiers import skeleton
from .core.problems import Contradicted, InvalidRequest, NotHere
from .core.recovery import flow as flows
from .core.recovery.bands import Goal
from .core.sealing import digest
from .parts import Parts
from .places import NOWHERE
from .recovering import NEXT
from .recovery_work import RecoveryWork
from .second_factors import SecondFactors
from .sessions import Present, Sessions
from .store import Db
from .store_accounts import Account
from .store_appeals import State
from .store_recoveries import Recovery

SHOWN = 200
NEWEST = 2**62
MAX_SEARCHED_CHARS = 64


class Administering:
    """The acts of administrators."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        changes: Changes,
        audit: Audit,
        second: SecondFactors,
        work: RecoveryWork,
    ) -> None:
        """Args: changes: tells owners; second: knows who has a second factor; work: announces recoveries."""
        self._parts = parts
        self._sessions = sessions
        self._changes = changes
        self._audit = audit
        self._second = second
        self._work = work

    async def user(self, named: str) -> messages.AdministeredUser:
        """An account. Args: named: its id or user name.

        Raises:
            NotHere: there is none.
        """
        reading, now_ms = self._parts.store.reading, self._parts.now_ms()
        account = await self._account(reading, named)
        held = await store_admin.held(reading, account.id)
        return messages.AdministeredUser(
            id=account.id,
            username=account.username,
            display_name=account.display_name,
            created_ms=account.created_ms,
            locked=not account.active,
            roles=await store_accounts.roles_of(reading, account.id),
            sessions=len(await store_sessions.living_sessions(reading, account.id, now_ms)),
            second_factor=bool(await self._second.methods(reading, account.id)),
            frozen_until_ms=held.frozen_until_ms if held.frozen_until_ms > now_ms else UNSET,
            guarded_until_ms=held.guarded_until_ms if held.guarded_until_ms > now_ms else UNSET,
            deletes_ms=held.deletes_ms or UNSET,
        )

    async def lock(self, admin: Present, named: str) -> None:
        """Nobody logs in there any more, and every session ends.

        Raises:
            NotHere: there is no such account.
            Contradicted: it is locked, or one's own.
        """
        async with self._parts.store.writing() as tx:
            account = await self._account(tx, named)
            if account.id == admin.account.id:
                raise Contradicted("This is your own account.", reason="own")
            if not await store_admin.set_status(tx, account.id, "locked"):
                raise Contradicted("This account is locked.", reason="locked")
            ended = await self._end(tx, account)
            await self._changes.note(tx, account.id, Kind.ACCOUNT_LOCKED, "")
            await self._write(tx, "admin.locked", admin, account)
        await self._sessions.say(ended)

    async def unlock(self, admin: Present, named: str) -> None:
        """It may be logged into again.

        Raises:
            NotHere: there is no such account.
            Contradicted: it is not locked.
        """
        async with self._parts.store.writing() as tx:
            account = await self._account(tx, named)
            if not await store_admin.set_status(tx, account.id, "active"):
                raise Contradicted("This account is not locked.", reason="not_locked")
            await self._changes.note(tx, account.id, Kind.ACCOUNT_UNLOCKED, "")
            await self._write(tx, "admin.unlocked", admin, account)

    async def end_sessions(self, admin: Present, named: str) -> messages.Ended:
        """Ends every session of an account.

        Raises:
            NotHere: there is no such account.
        """
        async with self._parts.store.writing() as tx:
            account = await self._account(tx, named)
            ended = await self._end(tx, account)
            await self._write(tx, "admin.sessions_ended", admin, account, ended=len(ended))
        await self._sessions.say(ended)
        return messages.Ended(ended=len(ended))

    async def start_recovery(
        self, admin: Present, named: str, body: messages.StartRecoveryFor
    ) -> answers.RecoveryStarted:
        """Begins a recovery for its owner, who goes on with the secret. It comes from no device and no place of anybody's.

        Raises:
            NotHere: there is no such account.
            Contradicted: it is locked.
        """
        parts, secret = self._parts, self._parts.new_secret().hex()
        flow = flows.start(parts.new_id(), Goal(body.goal), parts.now_ms())
        async with parts.store.writing() as tx:
            account = await self._account(tx, named)
            if not account.active:
                raise Contradicted("This account is locked.", reason="locked")
            started = Recovery(flow, account.id, digest(secret.encode()), known=False, device=None, net=NOWHERE)
            await store_recoveries.add(tx, started)
            await self._write(tx, "admin.recovery_started", admin, account, recovery=flow.id, goal=body.goal)
        self._work.wake()
        return answers.RecoveryStarted(
            flow_id=flow.id, flow_secret=secret, expires_in=flows.COLLECTING_MS // 1000, next=NEXT
        )

    async def appeals(self, state: str) -> messages.AdministeredAppeals:
        """Appeals in a state, `open` where none is said.

        Raises:
            InvalidRequest: there is no such state.
        """
        states: dict[str, State] = {"": "open", "open": "open", "upheld": "upheld", "refused": "refused"}
        if state not in states:
            raise InvalidRequest("state is open, upheld or refused.")
        found = await store_appeals.listed(self._parts.store.reading, states[state], SHOWN)
        return messages.AdministeredAppeals(appeals=[_shown(appeal) for appeal in found])

    async def answer(self, admin: Present, appeal: str, body: messages.AnswerAppeal) -> None:
        """Answers an appeal, once. The ban is lifted at the detector.

        Raises:
            NotHere: there is no such appeal.
            Contradicted: it was answered.
        """
        async with self._parts.store.writing() as tx:
            known = await store_appeals.by_id(tx, appeal)
            if known is None:
                raise NotHere
            if not await store_appeals.answer(tx, appeal, body.state, body.answer, self._parts.now_ms()):
                raise Contradicted("This appeal was answered.")
            await self._audit.write(
                tx, "appeal.answered", actor=admin.account.id, appeal=appeal, ban=known.decision, state=body.state
            )

    async def audited(self, admin: Present, wanted: dict[str, str]) -> messages.AuditRows:
        """Rows of the audit log. Who has looked for what is in it too.

        Raises:
            InvalidRequest: a number that is none.
        """
        before, limit = _number(wanted.get("before"), NEWEST), min(_number(wanted.get("limit"), 50), SHOWN)
        by = [(name, wanted[name]) for name in store_admin.COLUMNS if wanted.get(name)]
        async with self._parts.store.writing() as tx:
            searched = {name: value[:MAX_SEARCHED_CHARS] for name, value in by}
            await self._audit.write(tx, "admin.audit_read", actor=admin.account.id, searched=searched)
        rows = await store_admin.audited(self._parts.store.reading, by, before, limit)
        return messages.AuditRows(
            rows=[messages.AuditRow(**dict(row) | {"data": msgspec.json.decode(row["data"])}) for row in rows],
            next=rows[-1]["seq"] if len(rows) == limit else UNSET,
        )

    async def _account(self, db: Db, named: str) -> Account:
        account = await store_accounts.named(db, named, skeleton(named))
        if account is None:
            raise NotHere
        return account

    async def _end(self, tx: Db, account: Account) -> list[Revocation]:
        living = await store_sessions.living_sessions(tx, account.id, self._parts.now_ms())
        return await self._sessions.end(tx, account.id, [session.id for session in living], "admin")

    async def _write(self, tx: Db, event: str, admin: Present, account: Account, **data: object) -> None:
        await self._audit.write(tx, event, actor=admin.account.id, subject=account.id, caller=None, **data)


def _shown(appeal: store_appeals.Appeal) -> messages.AdministeredAppeal:
    return messages.AdministeredAppeal(
        id=appeal.id,
        subject=appeal.subject,
        sentence=appeal.sentence,
        decision=appeal.decision,
        until_ms=appeal.until_ms,
        opened_ms=appeal.opened_ms,
        state=appeal.state,
        texts=[messages.AppealText(at_ms=at_ms, text=text) for at_ms, text in appeal.texts],
        answer=appeal.answer or UNSET,
        answered_ms=UNSET if appeal.answered_ms is None else appeal.answered_ms,
    )


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) <= NEWEST:
        raise InvalidRequest("before and limit are positive numbers.")
    return int(text)
