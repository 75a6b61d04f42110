"""Sessions: opening one, giving access tokens for it, asking who is there, and listing.

A session belongs to a device of a user and has one chain of refresh tokens (`refreshing.py`). Its id is new at every login. What a request with an access token
may do is decided here by asking the database: a session that has ended is refused at once, whether or not Redis could be told.
"""

import base64
from dataclasses import dataclass

from garita_common.core import tokens
from garita_common.core.revocations import Revocation

from . import store_accounts, store_sessions
from .changes import Changes
from .core import rotation
from .core.events import Kind
from .core.factors import acr_of, is_second
from .core.problems import AccessRefused, StepUpRequired
from .core.requests import Audience
from .core.sealing import digest
from .devices import Devices
from .keys import Signer
from .parts import Caller, Parts
from .places import Places
from .revoking import Revoking
from .store import Db
from .store_accounts import Account
from .store_sessions import NewSession, StoredSession

DAY_MS = 86_400_000
FRESH_MS = 5 * 60 * 1000
"""How long a proof counts as fresh, for what a thief of a running session must not do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens as they are given out; `device` only where the device is new."""

    access_token: str
    audience: Audience
    session_id: str
    refresh_token: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, and the older ones that it put out: to be said after the commit."""

    session: StoredSession
    issued: Issued
    put_out: list[Revocation]


@dataclass(frozen=True, slots=True)
class Present:
    """Who sends a request with a valid access token."""

    account: Account
    session: StoredSession

    def is_fresh(self, now_ms: int) -> bool:
        """Whether the last proof is recent enough for what changes the account."""
        return now_ms - self.session.auth_ms <= FRESH_MS

    def is_second_fresh(self, now_ms: int) -> bool:
        """Whether the last proof other than the password is."""
        return self.session.second_ms is not None and now_ms - self.session.second_ms <= FRESH_MS


class Sessions:
    """Opens, lists and ends sessions."""

    def __init__(
        self,
        parts: Parts,
        signer: Signer,
        revoking: Revoking,
        changes: Changes,
        devices: Devices,
        places: Places,
    ) -> None:
        """Args: signer: makes access tokens; revoking: tells the gateways what has ended; changes: tells the owner of new devices; devices: knows their grades;
        places: keeps where the account is used.
        """
        self._parts = parts
        self._signer = signer
        self._revoking = revoking
        self._changes = changes
        self._devices = devices
        self._places = places

    def device_mark(self, secret: str) -> bytes:
        """What is stored of a device's secret."""
        return self._parts.seals.mark("device", secret)

    async def open(
        self,
        tx: Db,
        account: Account,
        caller: Caller,
        *,
        device: str | None,
        amr: list[str],
        factor: str | None = None,
        registers: bool = False,
    ) -> Opened:
        """A new session, in the transaction of the login.

        Args: device: the known device, None for a new one; factor: the TOTP or passkey that was given; registers: the account is made now,
            after a code to its contact was given on this device.

        Raises:
            InvalidCredentials: the account is frozen, and this is no mature device of it.
        """
        parts = self._parts
        now_ms = parts.now_ms()
        secret = None
        if not registers:
            await self._devices.refuse_if_frozen(tx, account.id, device)
        if device is None:
            device = parts.new_id()
            secret = "dv1." + base64.urlsafe_b64encode(parts.new_secret()).rstrip(b"=").decode()
            await store_sessions.add_device(tx, device, account.id, self.device_mark(secret), caller.label, now_ms)
        else:
            await store_sessions.device_seen(tx, device, caller.label, now_ms)
        if registers:
            await store_sessions.device_registered(tx, device)
            await store_sessions.device_confirmed(tx, device, now_ms)
        if factor is not None:
            await self._devices.confirm(tx, account.id, device, factor, told=secret is None)
        if secret is not None and not registers:
            await self._changes.note(tx, account.id, Kind.DEVICE_NEW, device, device=device)
        await store_sessions.device_used(tx, device, now_ms)
        await self._places.record(tx, account.id, device, caller)
        new = NewSession(parts.new_id(), account.id, device, caller.client_id, amr, factor, registers or is_second(amr))
        await store_sessions.add_session(tx, new, now_ms, now_ms + parts.config.session_days * DAY_MS)
        await self.came_from(tx, new.id, caller)
        if factor is not None:
            await store_sessions.proved_with(tx, new.id, factor, now_ms)
        session = await self._stored(tx, new.id)
        refresh = await self.new_refresh_token(tx, session, parts.new_id(), parts.new_secret(), parent=None)
        surplus = await store_sessions.surplus_sessions(tx, account.id, new.id, parts.config.max_sessions, now_ms)
        put_out = await self.end(tx, account.id, surplus, "surplus")
        access = await self.access_token(tx, account, session, "auth")
        return Opened(session, Issued(access, "auth", session.id, refresh, secret), put_out)

    async def came_from(self, tx: Db, session: str, caller: Caller) -> bool:
        """The session is used from the caller's prefix; whether that is another than before."""
        return await store_sessions.moved(tx, session, self._parts.seals.mark("session-prefix", caller.unit))

    async def new_refresh_token(
        self, tx: Db, session: StoredSession, token_id: str, secret: bytes, parent: str | None
    ) -> str:
        """Stores a refresh token; returns its text."""
        now_ms = self._parts.now_ms()
        expires_ms = min(now_ms + self._parts.config.refresh_days * DAY_MS, session.expires_ms)
        await store_sessions.add_token(tx, token_id, session.id, digest(secret), parent, now_ms, expires_ms)
        return rotation.text_of(token_id, secret)

    async def access_token(self, db: Db, account: Account, session: StoredSession, audience: Audience) -> str:
        """An access token of a session."""
        now_s = int(self._parts.clock())
        return self._signer.sign(
            tokens.Claims(
                iss=self._parts.config.issuer,
                sub=account.id,
                aud=audience,
                iat=now_s,
                nbf=now_s,
                exp=now_s + tokens.LIFETIME_S,
                jti=self._parts.new_id(),
                client_id=session.client_id,
                sid=session.id,
                did=session.device,
                name=account.username,
                roles=await store_accounts.roles_of(db, account.id),
                auth_time=session.auth_ms // 1000,
                acr=acr_of(session.amr),
                amr=session.amr,
                epoch=account.epoch,
            )
        )

    async def present(self, bearer: str | None, audience: Audience = "auth") -> Present:
        """Who sends this access token.

        Raises:
            AccessRefused: it is none of ours, for another audience, over, or its session has ended.
        """
        if bearer is None:
            raise AccessRefused
        try:
            claims = self._signer.keyring.verify(
                bearer, issuer=self._parts.config.issuer, audience=audience, now_s=self._parts.clock()
            )
        except tokens.TokenInvalid as exc:
            raise AccessRefused from exc
        reading = self._parts.store.reading
        session = await store_sessions.session(reading, claims.sid)
        account = await store_accounts.by_id(reading, claims.sub)
        if session is None or account is None:
            raise AccessRefused
        is_alive = not session.ended and session.expires_ms > self._parts.now_ms() and account.active
        is_theirs = session.user == account.id and claims.did == session.device and claims.epoch >= account.epoch
        if not is_alive or not is_theirs:
            raise AccessRefused
        return Present(account, session)

    async def demand_admin(self, present: Present) -> None:
        """Asked for every `console` token, at its issue and at each use: a role that was withdrawn or suspended meanwhile opens nothing.

        Raises:
            StepUpRequired: this is no administrator, or the last TOTP or passkey of the session is older than five minutes.
        """
        otp_ms = present.session.otp_ms
        is_fresh = otp_ms is not None and self._parts.now_ms() - otp_ms <= FRESH_MS
        if not is_fresh or "admin" not in await store_accounts.roles_of(self._parts.store.reading, present.account.id):
            raise StepUpRequired

    def demand_fresh(self, present: Present) -> None:
        """Raises:
        StepUpRequired: the last proof is too old.
        """
        if not present.is_fresh(self._parts.now_ms()):
            raise StepUpRequired

    async def listed(self, present: Present) -> list[StoredSession]:
        """The user's living sessions, newest first."""
        return await store_sessions.living_sessions(self._parts.store.reading, present.account.id, self._parts.now_ms())

    async def end(self, tx: Db, user: str, sessions: list[str], why: str) -> list[Revocation]:
        """Ends sessions in a transaction; what it returns is to be said after the commit (`say`). Args: why: a constant, for the metric."""
        ended = await store_sessions.end_sessions(tx, user, sessions, self._parts.now_ms())
        self._parts.metrics.sessions_ended.labels(why).inc(len(ended))
        if ended:
            await self._changes.audit.write(
                tx, "session.revoked", subject=user, why=why, sessions=[revocation.sid for revocation in ended]
            )
        return ended

    async def end_of_device(self, tx: Db, user: str, device: str) -> list[Revocation]:
        """Ends all sessions of a device, as `end`."""
        living = await store_sessions.living_sessions(tx, user, self._parts.now_ms())
        return await self.end(tx, user, [row.id for row in living if row.device == device], "device")

    async def say(self, ended: list[Revocation]) -> None:
        """Tells the gateways, after the commit."""
        await self._revoking.say(ended)

    async def _stored(self, tx: Db, session_id: str) -> StoredSession:
        session = await store_sessions.session(tx, session_id)
        if session is None:
            raise LookupError("a session inserted in this transaction is not there")
        return session
