"""The accounts API over HTTP: one method per endpoint, typed answers, refusals as `AuthRefused` (docs/auth-api.md).

It repeats nothing and stores nothing; `account` does.
"""

import asyncio
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from .core.errors import AuthRefused, Unreachable

TIMEOUT_S = 20.0
"""As long as three tries of a refresh take together: within the 60 s in which the server gives a lost answer again."""

MAX_ANSWER_BYTES = 256 * 1024

Answer = TypeVar("Answer", bound=Struct)


class Flow(Struct, frozen=True):
    """A registration that waits for its code."""

    flow_id: str
    flow_secret: str
    expires_in: int = 900


class Invited(Struct, frozen=True):
    """A registration by invite, which waits for a name only."""

    flow_id: str
    registration_ticket: str


class Ticket(Struct, frozen=True):
    """A registration that waits for a name."""

    registration_ticket: str
    expires_in: int = 1800


class User(Struct, frozen=True):
    """One's own account."""

    id: str
    username: str
    display_name: str = ""
    email: str | None = None
    phone: str | None = None
    totp: bool = False
    passkeys: int = 0
    recovery_codes: int = 0
    roles: tuple[str, ...] = ()


class Tokens(Struct, frozen=True):
    """A pair of tokens; `device` only after a registration or a complete login."""

    access_token: str
    expires_in: int
    audience: str
    session_id: str
    refresh_token: str
    device: str | None = None


class LoggedIn(Struct, frozen=True):
    """A registration or login that is complete; `recovery_codes` are those of an account without a contact.

    `recovery_code` takes the place of the saved code that was used, and is told once.
    """

    user: User
    tokens: Tokens
    recovery_code: str | None = None
    recovery_codes: tuple[str, ...] = ()


class LoginAnswer(Struct, frozen=True):
    """Complete (`user`, `tokens`), or a second factor is wanted (`mfa_ticket`, `methods`)."""

    user: User | None = None
    tokens: Tokens | None = None
    mfa_ticket: str | None = None
    methods: tuple[str, ...] = ()


class SecondStep(Struct, frozen=True):
    """The password was taken; one of `methods` is still wanted with the ticket: `totp`, `recovery_code`, `code` (sent) or `passkey`."""

    ticket: str
    methods: tuple[str, ...]


class Challenge(Struct, frozen=True):
    """A proof of work to solve."""

    id: str
    kind: str
    params: dict[str, Any]


class Session(Struct, frozen=True):
    """One login of this account."""

    id: str
    device_label: str | None = None
    client_id: str | None = None
    created_ms: int = 0
    last_seen_ms: int = 0
    expires_ms: int = 0
    current: bool = False


class Sessions(Struct, frozen=True):
    """All logins, newest first."""

    sessions: tuple[Session, ...] = ()


class TotpSecret(Struct, frozen=True):
    """What an authenticator needs; told once."""

    secret: str
    otpauth_uri: str


class SavedCodes(Struct, frozen=True):
    """Ten codes, told once."""

    codes: tuple[str, ...]


class Elevated(Struct, frozen=True):
    """An access token of the same session whose proof is fresh; `recovery_code` as in `LoggedIn`."""

    access_token: str
    expires_in: int
    recovery_code: str | None = None


class Contact(Struct, frozen=True):
    """An address or number of the account; `state` as in docs/auth-api.md §7."""

    id: str
    value: str
    state: str
    matures_ms: int = 0
    effective_ms: int = 0
    asked: bool = False
    suspect: bool = False


class Contacts(Struct, frozen=True):
    """Oldest first."""

    contacts: tuple[Contact, ...] = ()


class Happening(Struct, frozen=True):
    """A security event; `confirmed`: the device that did it was a confirmed one then."""

    kind: str
    at_ms: int
    confirmed: bool = False
    device_label: str | None = None


class Happenings(Struct, frozen=True):
    """Newest first; until when the account is held, where it is."""

    events: tuple[Happening, ...] = ()
    frozen_until_ms: int = 0
    guarded_until_ms: int = 0


class Change(Struct, frozen=True):
    """What is about to change: a `removal` or a `probation` of a `factor`, or a `session` that is asked whether it should end."""

    id: str
    kind: str
    effective_ms: int
    factor: str = ""
    cancel_until_ms: int = 0


class Changes(Struct, frozen=True):
    """Soonest first."""

    changes: tuple[Change, ...] = ()


class Nothing(Struct, frozen=True):
    """An answer without a body."""


class AuthApi:
    """The endpoints of one server; `async with` it."""

    def __init__(self, base: str, *, timeout_s: float = TIMEOUT_S, connections: int = 8) -> None:
        """Args: base: `http(s)://host/v1/auth`; connections: at most so many at once."""
        self.base = base.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connections)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def challenge(self, action: str) -> Challenge:
        """A proof of work for `register` or `login`."""
        return await self._call("POST", "/challenges", Challenge, {"action": action, "kinds": ["pow"]})

    async def register(
        self, *, email: str | None, phone: str | None, password: str, locale: str, captcha: dict[str, Any]
    ) -> Flow:
        """First step; exactly one of `email` and `phone`."""
        body = {"email": email, "phone": phone, "password": password, "locale": locale, "captcha": captcha}
        return await self._call("POST", "/registrations", Flow, body)

    async def register_invited(self, invite: str, *, password: str, locale: str, captcha: dict[str, Any]) -> Invited:
        """First step with an invite; the name is the next one."""
        body = {"invite": invite, "password": password, "locale": locale, "captcha": captcha}
        return await self._call("POST", "/registrations", Invited, body)

    async def verify(self, flow: Flow, code: str) -> Ticket:
        """Second step: the code that was sent."""
        body = {"flow_secret": flow.flow_secret, "code": code}
        return await self._call("POST", f"/registrations/{flow.flow_id}/verify", Ticket, body)

    async def complete(self, flow: Flow, ticket: Ticket, username: str, display_name: str | None = None) -> LoggedIn:
        """Third step: a name."""
        body = {"ticket": ticket.registration_ticket, "username": username, "display_name": display_name}
        return await self._call("POST", f"/registrations/{flow.flow_id}/complete", LoggedIn, body)

    async def login(
        self, identifier: str, password: str, *, device: str | None = None, captcha: dict[str, Any] | None = None
    ) -> LoginAnswer:
        """Name and password."""
        body = {"identifier": identifier, "password": password, "device_hint": device, "captcha": captcha}
        return await self._call("POST", "/login", LoginAnswer, body)

    async def login_mfa(self, ticket: str, method: str, code: str) -> LoggedIn:
        """The second factor: `totp`, `recovery_code`, or the `code` that was sent."""
        body = {"mfa_ticket": ticket, "method": method, "code": code}
        return await self._call("POST", "/login/mfa", LoggedIn, body)

    async def send_text(self, ticket: str, captcha: dict[str, Any] | None = None) -> None:
        """Has a code sent to the oldest phone that counts, for the method `sms`."""
        await self._call("POST", "/login/mfa/send", Nothing, {"mfa_ticket": ticket, "captcha": captcha})

    async def refresh(self, refresh_token: str, *, device: str | None, audience: str) -> Tokens:
        """The next pair of tokens; the old refresh token is used up."""
        body = {"refresh_token": refresh_token, "device_hint": device, "audience": audience}
        return await self._call("POST", "/token/refresh", Tokens, body)

    async def logout(self, access: str, scope: str = "this") -> None:
        """Ends this session, the others, or all."""
        await self._call("POST", "/logout", Nothing, {"scope": scope}, access)

    async def me(self, access: str) -> User:
        """One's own account."""
        return await self._call("GET", "/me", User, access=access)

    async def sessions(self, access: str) -> tuple[Session, ...]:
        """All logins of this account."""
        return (await self._call("GET", "/sessions", Sessions, access=access)).sessions

    async def end_session(self, access: str, session: str) -> None:
        """Ends one login."""
        await self._call("DELETE", f"/sessions/{session}", Nothing, access=access)

    async def begin_totp(self, access: str) -> TotpSecret:
        """A secret for an authenticator; nothing changes before it is confirmed."""
        return await self._call("POST", "/me/totp", TotpSecret, {}, access)

    async def confirm_totp(self, access: str, code: str) -> None:
        """From now on login asks for a code."""
        await self._call("POST", "/me/totp/confirm", Nothing, {"code": code}, access)

    async def make_codes(self, access: str) -> tuple[str, ...]:
        """Ten new saved codes; an earlier set fades out."""
        return (await self._call("POST", "/me/recovery-codes", SavedCodes, {}, access)).codes

    async def step_up(self, access: str, method: str, said: str) -> Elevated:
        """Proves the person anew, by `password` or by the code of another method."""
        body = {"method": method, "password" if method == "password" else "code": said}
        return await self._call("POST", "/step-up", Elevated, body, access)

    async def contacts(self, access: str) -> tuple[Contact, ...]:
        """The addresses and then the numbers of the account."""
        emails = await self._call("GET", "/me/emails", Contacts, access=access)
        phones = await self._call("GET", "/me/phones", Contacts, access=access)
        return emails.contacts + phones.contacts

    async def happenings(self, access: str) -> Happenings:
        """What has happened to the account."""
        return await self._call("GET", "/me/security-events", Happenings, access=access)

    async def changes(self, access: str) -> tuple[Change, ...]:
        """What is about to change."""
        return (await self._call("GET", "/me/pending-changes", Changes, access=access)).changes

    async def _call(
        self, method: str, path: str, kind: type[Answer], body: dict[str, Any] | None = None, access: str | None = None
    ) -> Answer:
        """One request.

        Raises:
            AuthRefused: the service says no.
            Unreachable: no answer, or one that is not the service's.
        """
        if self._session is None:
            raise Unreachable("The accounts client is closed.")
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        told = None if body is None else {key: value for key, value in body.items() if value is not None}
        try:
            async with self._session.request(method, self.base + path, json=told, headers=headers) as answer:
                data = await answer.content.read(MAX_ANSWER_BYTES) if answer.content_length != 0 else b""
                while not answer.content.at_eof() and len(data) < MAX_ANSWER_BYTES:
                    data += await answer.content.read(MAX_ANSWER_BYTES)
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as exc:
            raise Unreachable(f"{self.base} does not answer: {str(exc) or 'no answer in time'}.") from exc
        if status >= 400:
            raise _refusal(data, status)
        try:
            return msgspec.json.decode(data or b"{}", type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise Unreachable(f"{self.base} is not an accounts API of Garita's.") from exc


def _refusal(data: bytes, status: int) -> AuthRefused:
    """A problem+json answer, or what can be said of another one (a proxy's page)."""
    try:
        problem = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        code = "overloaded" if status >= 500 else "invalid_request"
        problem = {"title": f"The accounts service answered with HTTP {status}.", "code": code}
    return AuthRefused(problem, status)
