"""One person's account: register, log in, stay logged in.

`Account` is the token source of a `Client`: it refreshes in time, one refresh at a time in this process and, through the store's lock,
among processes, and saves a new refresh token before it uses the new access token.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .auth_api import (
    AuthApi,
    Challenge,
    Change,
    Contact,
    Flow,
    Happenings,
    Invited,
    LoggedIn,
    SecondStep,
    Session,
    Ticket,
    Tokens,
    TotpSecret,
    User,
)
from .core.errors import AuthRefused, LoginNeeded, Unreachable
from .core.proof import solve
from .ports import AccessToken
from .token_store import Login

FORM_AGE_S = 1.6
"""A registration is refused as a robot's when its challenge is younger than 1.5 s."""

MARGIN_S = 30.0
"""A token that is good for less is not worth connecting with."""

REFRESH_TRIES = 3
"""As often as the server gives the answer to one refresh token again; together with the API's deadline they take at most 60 s."""


class Store(Protocol):
    """Where a login is kept."""

    def load(self) -> Login | None:
        """What was saved."""
        ...

    def save(self, login: Login) -> None:
        """Replaces it."""
        ...

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other processes from refreshing meanwhile; may block."""
        ...


class Account:
    """See the module. Methods raise `AuthRefused` and `Unreachable`."""

    def __init__(
        self, api: AuthApi, store: Store, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Args: store: holds the login, if there is one; sleep: tests make it short."""
        self._api = api
        self._store = store
        self._sleep = sleep
        self._one_at_a_time = asyncio.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    # --- registration and login ---------------------------------------------------------------------------------------------------

    async def register(
        self, *, email: str | None = None, phone: str | None = None, password: str, locale: str = "en"
    ) -> Flow:
        """First step; solves the proof of work, which takes a moment of one core."""
        captcha = await self._aged_proof()
        return await self._api.register(email=email, phone=phone, password=password, locale=locale, captcha=captcha)

    async def register_invited(self, invite: str, *, password: str, locale: str = "en") -> Invited:
        """First step with an operator's invite, which takes the place of a contact."""
        captcha = await self._aged_proof()
        return await self._api.register_invited(invite, password=password, locale=locale, captcha=captcha)

    async def complete_invited(self, begun: Invited, username: str) -> tuple[User, tuple[str, ...]]:
        """Last step with an invite: a name. Logs in too; returns the recovery codes as well, which nobody shows again."""
        done = await self._api.complete(Flow(begun.flow_id, ""), Ticket(begun.registration_ticket), username)
        return self._keep(done), done.recovery_codes

    async def verify(self, flow: Flow, code: str) -> Ticket:
        """Second step: the code that was sent."""
        return await self._api.verify(flow, code)

    async def complete(self, flow: Flow, ticket: Ticket, username: str, display_name: str | None = None) -> User:
        """Third step: a name. Logs in too."""
        return self._keep(await self._api.complete(flow, ticket, username, display_name))

    async def login(self, identifier: str, password: str) -> SecondStep | User:
        """Name and password: the user, or what is still wanted."""
        known = self._store.load()
        device = known.device if known else None
        try:
            answer = await self._api.login(identifier, password, device=device)
        except AuthRefused as exc:
            if exc.code != "challenge_required":
                raise
            captcha = await self._solve(_challenge_of(exc) or await self._api.challenge("login"))
            answer = await self._api.login(identifier, password, device=device, captcha=captcha)
        if answer.user is not None and answer.tokens is not None:
            return self._keep(LoggedIn(answer.user, answer.tokens))
        if answer.mfa_ticket is None:
            raise Unreachable("The accounts service gave neither tokens nor a second step.")
        return SecondStep(answer.mfa_ticket, answer.methods)

    async def send_text(self, ticket: str) -> None:
        """A code by text as the second factor. The first of a day wants work, which is done here; a further one wants a picture, which is not."""
        try:
            await self._api.send_text(ticket)
        except AuthRefused as exc:
            challenge = _challenge_of(exc)
            if challenge is None or exc.problem.get("kinds"):
                raise
            await self._api.send_text(ticket, await self._solve(challenge))

    async def login_mfa(self, ticket: str, code: str, method: str = "totp") -> LoggedIn:
        """The second factor. A saved code has a successor in the answer."""
        entered = await self._api.login_mfa(ticket, method, code)
        self._keep(entered)
        return entered

    async def logout(self, scope: str = "this") -> None:
        """Ends this session (or the others, or all) at the server and forgets it here; the device is kept."""
        try:
            await self._api.logout((await self._token("auth", fresh=False)).text, scope)
        except LoginNeeded:
            pass
        if scope != "others":
            self._forget()

    # --- the account --------------------------------------------------------------------------------------------------------------

    @property
    def login_known(self) -> Login | None:
        """The login that is kept."""
        return self._store.load()

    async def me(self) -> User:
        """One's own account."""
        return await self._api.me((await self._token("auth", fresh=False)).text)

    async def sessions(self) -> tuple[Session, ...]:
        """All logins of this account, newest first."""
        return await self._api.sessions((await self._token("auth", fresh=False)).text)

    async def end_session(self, session: str) -> None:
        """Ends one of them."""
        await self._api.end_session((await self._token("auth", fresh=False)).text, session)

    async def begin_totp(self) -> TotpSecret:
        """A secret for an authenticator."""
        return await self._api.begin_totp((await self._token("auth", fresh=False)).text)

    async def confirm_totp(self, code: str) -> None:
        """From now on login asks for a code."""
        await self._api.confirm_totp((await self._token("auth", fresh=False)).text, code)

    async def make_codes(self) -> tuple[str, ...]:
        """Ten new saved codes."""
        return await self._api.make_codes((await self._token("auth", fresh=False)).text)

    async def contacts(self) -> tuple[Contact, ...]:
        """Addresses and numbers."""
        return await self._api.contacts((await self._token("auth", fresh=False)).text)

    async def happenings(self) -> Happenings:
        """Security events, newest first."""
        return await self._api.happenings((await self._token("auth", fresh=False)).text)

    async def changes(self) -> tuple[Change, ...]:
        """What is about to change."""
        return await self._api.changes((await self._token("auth", fresh=False)).text)

    async def step_up(self, method: str, said: str) -> str | None:
        """Proves the person anew, by `password` or a second factor. The successor of a saved code, where one was used."""
        elevated = await self._api.step_up((await self._token("auth", fresh=False)).text, method, said)
        self._tokens["auth"] = (elevated.access_token, time.monotonic() + elevated.expires_in)
        return elevated.recovery_code

    # --- tokens -------------------------------------------------------------------------------------------------------------------

    async def token(self, *, fresh: bool) -> AccessToken:
        """An access token for the chat; see `ports.TokenSource`."""
        return await self._token("chat", fresh=fresh)

    async def _token(self, audience: str, *, fresh: bool) -> AccessToken:
        before = self._tokens.get(audience)
        async with self._one_at_a_time:
            now = self._tokens.get(audience)
            renewed_meanwhile = now is not before
            if now is not None and (not fresh or renewed_meanwhile) and now[1] - time.monotonic() > MARGIN_S:
                return AccessToken(now[0], now[1] - time.monotonic())
            tokens = await self._refresh(audience)
            self._tokens[audience] = (tokens.access_token, time.monotonic() + tokens.expires_in)
            return AccessToken(tokens.access_token, float(tokens.expires_in))

    async def _refresh(self, audience: str) -> Tokens:
        """The next pair, saved. A lost answer is asked for again, as the server allows."""
        with contextlib.ExitStack() as held:
            await asyncio.to_thread(held.enter_context, self._store.locked())
            login = self._store.load()
            if login is None or login.refresh_token is None:
                raise LoginNeeded("You are not logged in. Run: garita login")
            tokens = await self._ask_for_tokens(login.refresh_token, login.device, audience)
            self._store.save(_with_tokens(login, tokens))
            return tokens

    async def _ask_for_tokens(self, refresh_token: str, device: str | None, audience: str) -> Tokens:
        """The same request again while the answer is lost."""
        for attempt in range(1, REFRESH_TRIES):
            try:
                return await self._refresh_once(refresh_token, device, audience)
            except Unreachable:
                await self._sleep(0.5 * attempt)
        return await self._refresh_once(refresh_token, device, audience)

    async def _refresh_once(self, refresh_token: str, device: str | None, audience: str) -> Tokens:
        try:
            return await self._api.refresh(refresh_token, device=device, audience=audience)
        except AuthRefused as exc:
            if exc.code != "session_ended":
                raise
            self._forget()
            raise LoginNeeded("Your session has ended. Log in again: garita login") from exc

    # --- the store ----------------------------------------------------------------------------------------------------------------

    async def _aged_proof(self) -> dict[str, Any]:
        """A solved challenge that is as old as a form that a person has filled in."""
        challenge = await self._api.challenge("register")
        got = time.monotonic()
        captcha = await self._solve(challenge)
        await self._sleep(max(0.0, FORM_AGE_S - (time.monotonic() - got)))
        return captcha

    def _keep(self, logged_in: LoggedIn) -> User:
        user, tokens = logged_in.user, logged_in.tokens
        known = self._store.load()
        device = tokens.device or (known.device if known else None)
        base = self._api.base.removesuffix("/v1/auth")
        self._store.save(Login(base, user.id, user.username, tokens.refresh_token, device, tokens.session_id))
        self._tokens = {tokens.audience: (tokens.access_token, time.monotonic() + tokens.expires_in)}
        return user

    def _forget(self) -> None:
        """The session is over; the device and the name stay."""
        self._tokens = {}
        known = self._store.load()
        if known is not None:
            self._store.save(Login(known.server, known.user, known.name, None, known.device))

    async def _solve(self, challenge: Challenge) -> dict[str, Any]:
        return await asyncio.to_thread(solve, challenge.params)


def _with_tokens(login: Login, tokens: Tokens) -> Login:
    device = tokens.device or login.device
    return Login(login.server, login.user, login.name, tokens.refresh_token, device, tokens.session_id)


def _challenge_of(refusal: AuthRefused) -> Challenge | None:
    """The challenge that a refusal brings along."""
    told = refusal.problem.get("challenge")
    if not isinstance(told, dict) or not isinstance(told.get("params"), dict):
        return None
    return Challenge(str(told.get("id", "")), str(told.get("kind", "pow")), told["params"])
