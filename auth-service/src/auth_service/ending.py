"""Ending sessions: by logout, one by one, and by a change of the password.

What an unconfirmed device wants to end of a mature one is asked there first (`core.ending`): it ends after a day, or as soon as the device that asks is confirmed,
and somebody at a mature device can say no. Asking and what is told of it are one transaction; `end_due` is called every second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import store_accounts, store_endings, store_sessions
from .core import passwords
from .core.ending import ASKED_MS, Split, Target, split
from .core.events import Kind
from .core.problems import (
    Contradicted,
    InvalidCredentials,
    NotHere,
    Overloaded,
    StepUpRequired,
    WeakPassword,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garita_common.core.revocations import Revocation

    from .changes import Changes
    from .core.requests import AnswerAsked, ChangePassword, LogOut
    from .devices import Devices
    from .hashing import HashPool
    from .outbox import Outbox
    from .parts import Parts
    from .sessions import Present, Sessions
    from .stepping_up import SteppingUp
    from .store import Db
    from .store_endings import Asked
    from .store_sessions import StoredSession


class Ending:
    """Ends sessions, and asks those that are to be asked."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        hashes: HashPool,
        outbox: Outbox,
        changes: Changes,
        devices: Devices,
        stepping_up: SteppingUp,
    ) -> None:
        """Args: outbox: opens contacts, whose words a password must not be; changes: tells the owner; stepping_up: counts wrong proofs."""
        self._parts = parts
        self._sessions = sessions
        self._hashes = hashes
        self._outbox = outbox
        self._changes = changes
        self._devices = devices
        self._stepping_up = stepping_up

    async def listed(self, present: Present) -> list[tuple[StoredSession, Asked | None]]:
        """The user's living sessions, newest first, each with what it is asked."""
        living = await self._sessions.listed(present)
        asked = await store_endings.asked(self._parts.store.reading, present.account.id)
        return [(session, asked.get(session.id)) for session in living]

    async def log_out(self, present: Present, body: LogOut) -> int | None:
        """Ends this session, the others, or all of them. Returns when those end that are asked first (Unix ms), None where there are none."""
        own = present.session.id
        async with self._parts.store.writing() as tx:
            living = await store_sessions.living_sessions(tx, present.account.id, self._parts.now_ms())
            wanted = [
                session for session in living if body.scope == "all" or (session.id == own) is (body.scope == "this")
            ]
            ended, ends_ms = await self.end_or_ask(tx, present, wanted, "logout")
        await self._sessions.say(ended)
        return ends_ms

    async def end_one(self, present: Present, session_id: str) -> int | None:
        """Ends one session of the user; returns as `log_out`.

        Raises:
            NotHere: no living session of this user.
            StepUpRequired: it is another one, and the last proof is too old.
        """
        async with self._parts.store.writing() as tx:
            living = await store_sessions.living_sessions(tx, present.account.id, self._parts.now_ms())
            wanted = [session for session in living if session.id == session_id]
            if not wanted:
                raise NotHere
            if session_id != present.session.id:
                self._sessions.demand_fresh(present)
            ended, ends_ms = await self.end_or_ask(tx, present, wanted, "logout")
        await self._sessions.say(ended)
        return ends_ms

    async def answer(self, present: Present, session_id: str, body: AnswerAsked) -> None:
        """Somebody at a mature device says whether it was them who wanted a session to end.

        Raises:
            NotHere: no living session of this user that is asked.
            StepUpRequired: the answer comes from a device that is not mature.
        """
        user = present.account.id
        ended: list[Revocation] = []
        async with self._parts.store.writing() as tx:
            if session_id not in await store_endings.asked(tx, user):
                raise NotHere
            if present.session.device not in await self._devices.mature(tx, user):
                raise StepUpRequired
            if body.was_me:
                ended = await self._sessions.end(tx, user, [session_id], "asked")
            elif await store_endings.keep(tx, session_id):
                await self._changes.record(tx, present, Kind.SESSION_KEPT, session_id)
        await self._sessions.say(ended)

    async def change_password(self, present: Present, body: ChangePassword) -> int | None:
        """Sets another password; the other sessions end. Returns as `log_out`.

        Raises:
            InvalidCredentials: `current` is wrong.
            WeakPassword: the new one is easily guessed.
            Contradicted: the account is frozen, or the password was changed meanwhile.
            TooMany: too many wrong proofs of this session.
            Overloaded: no room for a hash.
        """
        await self._changes.refuse_if_frozen(self._parts.store.reading, present.account.id)
        fresh = await self._hashed(present, body)
        account = present.account
        async with self._parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, account.id)
            now_ms = self._parts.now_ms()
            if not await store_accounts.change_password(tx, account.id, account.password_hash, fresh, now_ms):
                raise Contradicted
            await store_sessions.distrust(tx, account.id)
            await self._changes.record(tx, present, Kind.PASSWORD_CHANGED, "")
            living = await store_sessions.living_sessions(tx, account.id, now_ms)
            wanted = [row for row in living if not (body.keep_this_session and row.id == present.session.id)]
            ended, ends_ms = await self.end_or_ask(tx, present, wanted, "password")
        await self._sessions.say(ended)
        return ends_ms

    async def end_due(self) -> None:
        """Ends what was asked and got no answer in time, and what a device asked for that is confirmed by now."""
        store = self._parts.store
        for row in await store_endings.due(store.reading, self._parts.now_ms()):
            async with store.writing() as tx:
                still = {due.session for due in await store_endings.due(tx, self._parts.now_ms())}
                ended = await self._sessions.end(tx, row.user, [row.session], "asked") if row.session in still else []
            await self._sessions.say(ended)

    async def end_or_ask(
        self, tx: Db, present: Present, wanted: Iterable[StoredSession], why: str
    ) -> tuple[list[Revocation], int | None]:
        """Ends sessions, or asks them first; returns what is to be said after the commit, and when those end that are asked."""
        user = present.account.id
        parted = await self._split(tx, present, wanted)
        ended = await self._sessions.end(tx, user, parted.now, why)
        if not parted.asked:
            return ended, None
        now_ms = self._parts.now_ms()
        if await store_endings.ask(tx, user, parted.asked, present.session.device, now_ms, now_ms + ASKED_MS):
            await self._changes.record(tx, present, Kind.SESSIONS_ASKED, "")
        asked = await store_endings.asked(tx, user)
        return ended, max(asked[session].ends_ms for session in parted.asked)

    async def _split(self, tx: Db, present: Present, wanted: Iterable[StoredSession]) -> Split:
        own, user = present.session.device, present.account.id
        targets = [Target(session.id, session.device) for session in wanted]
        is_confirmed = await store_sessions.is_confirmed(tx, own)
        return split(targets, own, frozenset(await self._devices.mature(tx, user)), is_confirmed=is_confirmed)

    async def _hashed(self, present: Present, body: ChangePassword) -> str:
        """The new password's hash, once the present one was proved."""
        account = present.account
        weak = passwords.weaknesses(body.new, await self._personal(present))
        if weak:
            raise WeakPassword([weakness.value for weakness in weak])
        reserved = await self._stepping_up.reserve(present)
        try:
            is_right = await self._hashes.verify(account.password_hash, body.current)
            fresh = await self._hashes.hash(body.new) if is_right else ""
        except Overloaded:
            await self._stepping_up.forgive(reserved)
            raise
        if not is_right:
            raise InvalidCredentials
        await self._stepping_up.forgive(reserved)
        return fresh

    async def _personal(self, present: Present) -> list[str]:
        """Words that others know about the person."""
        account = present.account
        contacts = await store_accounts.contacts_of(self._parts.store.reading, account.id)
        words = [account.username, account.display_name]
        for contact in contacts:
            words += passwords.words_of(self._outbox.opened(contact))
        return words
