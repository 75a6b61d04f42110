"""The endpoints: for each its path, what it takes, what it answers and what it may refuse. The rest reads this table: the edge and /openapi.json."""

import hmac
from dataclasses import dataclass

from garita_common.config import Secret
from garita_common.core.tokens import Jwks

from .account import Profile
from .answering import Answering
from .ban_watch import BanWatch
from .challenges import Challenges
from .config import is_loopback
from .core import answers, problems, requests
from .describing import CACHE_S, Describing
from .edge import BASE, Ask, Reply, Route
from .keys import Signer
from .limits import Limiter
from .login import TICKET_LIFETIME_MS, Login, Wanted
from .origins import Cookies
from .outbox import Outbox
from .parts import Parts
from .refreshing import Refreshing
from .registration import Registration


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the endpoints do, in terms of the service's parts."""

    parts: Parts
    challenges: Challenges
    registration: Registration
    login: Login
    refreshing: Refreshing
    profile: Profile
    outbox: Outbox
    bans: BanWatch
    limiter: Limiter
    signer: Signer
    cookies: Cookies
    outbox_key: Secret | None
    answering: Answering
    describing: Describing
    further: tuple[Route, ...] = ()
    """Endpoints of parts that have a table of their own."""

    async def register(self, ask: Ask) -> Reply:
        """POST /registrations"""
        if ask.body.invite is not None:
            return Reply(200, await self.registration.start_invited(ask.body, ask.body.invite, ask.caller))
        return Reply(202, await self.registration.start(ask.body, ask.caller))

    async def verify(self, ask: Ask) -> Reply:
        """POST /registrations/{id}/verify"""
        return Reply(200, await self.registration.verify(ask.path["flow_id"], ask.body))

    async def complete(self, ask: Ask) -> Reply:
        """POST /registrations/{id}/complete"""
        made = await self.registration.complete(ask.path["flow_id"], ask.body, ask.caller)
        return await self.answering.signed_in(201, made.account, made.opened, ask.caller, recovery_codes=made.codes)

    async def log_in(self, ask: Ask) -> Reply:
        """POST /login"""
        hint = ask.body.device_hint or ask.caller.device_cookie
        outcome = await self.login.first(ask.body, hint, ask.caller)
        if isinstance(outcome, Wanted):
            return Reply(
                200,
                answers.SecondFactorNeeded(
                    mfa_ticket=outcome.mfa_ticket,
                    methods=outcome.methods,
                    expires_in=TICKET_LIFETIME_MS // 1000,
                ),
            )
        return await self.answering.signed_in(200, *outcome, ask.caller)

    async def log_in_second(self, ask: Ask) -> Reply:
        """POST /login/mfa"""
        account, opened, used = await self.login.second(ask.body, ask.caller)
        return await self.answering.signed_in(
            200, account, opened, ask.caller, recovery_code=used.replacement if used else None
        )

    async def refresh(self, ask: Ask) -> Reply:
        """POST /token/refresh"""
        text = ask.body.refresh_token or ask.caller.refresh_cookie
        hint = ask.body.device_hint or ask.caller.device_cookie
        issued = await self.refreshing.refresh(text, ask.body.audience, hint, ask.caller)
        return Reply(200, self.answering.tokens(issued, ask.caller), self.answering.cookies_of(issued, ask.caller))

    async def me(self, ask: Ask) -> Reply:
        """GET /me"""
        return Reply(200, await self.profile.shown(ask.present.account))

    async def jwks(self, _: Ask) -> Reply:
        """GET /.well-known/jwks.json"""
        return Reply(200, self.signer.jwks, cache_s=CACHE_S)

    async def dev_outbox(self, ask: Ask) -> Reply:
        """GET /dev/outbox: the messages that demo mode did not send, for this machine and the holder of the key alone."""
        name = ask.host.rpartition(":")[0] if not ask.host.endswith("]") and ":" in ask.host else ask.host
        key = self.outbox_key
        if key is None or not is_loopback(name) or not ask.caller.address.is_loopback:
            raise problems.NotHere
        if not hmac.compare_digest(ask.query.get("key", "").encode(), key.bytes()):
            raise problems.NotHere
        return Reply(200, await self.outbox.newest())


def table(do: Handlers) -> list[Route]:
    """All endpoints; the document of them is made from this table."""
    p = problems
    hashing = (p.Overloaded,)
    routes = [
        Route("POST", f"{BASE}/registrations", "register", "Begin a registration", do.register,
              {200: answers.Invited, 202: answers.FlowStarted}, requests.StartRegistration,
              refusals=(p.RegistrationClosed, p.CodeInvalid, p.Banned, p.WeakPassword, p.ProofRequired, *hashing)),
        Route("POST", f"{BASE}/registrations/{{flow_id}}/verify", "verify", "Prove the contact with the code", do.verify,
              {200: answers.Verified}, requests.VerifyRegistration, refusals=(p.CodeInvalid, p.FlowGone)),
        Route("POST", f"{BASE}/registrations/{{flow_id}}/complete", "complete", "Choose a name; the account is made", do.complete,
              {201: answers.SignedIn}, requests.CompleteRegistration, sets_cookies=True,
              refusals=(p.Banned, p.UsernameTaken, p.Contradicted, p.FlowGone)),
        Route("POST", f"{BASE}/login", "login", "Log in with name and password", do.log_in,
              {200: (answers.SignedIn, answers.SecondFactorNeeded)}, requests.LogIn, sets_cookies=True,
              refusals=(p.InvalidCredentials, p.Banned, p.ProofRequired, *hashing)),
        Route("POST", f"{BASE}/login/mfa", "login_mfa", "Give the second factor", do.log_in_second,
              {200: answers.SignedIn}, requests.LogInSecond, sets_cookies=True,
              refusals=(p.InvalidCode, p.InvalidCredentials, p.Banned)),
        Route("POST", f"{BASE}/token/refresh", "refresh", "Get the next pair of tokens", do.refresh,
              {200: answers.Tokens}, requests.Refresh, sets_cookies=True, takes_cookie=True, spared=True,
              refusals=(p.SessionEnded, p.StepUpRequired, p.Banned, p.Contradicted)),
        Route("GET", f"{BASE}/me", "me", "The account", do.me, {200: answers.User}, needs_token=True),
        *do.further,
        *do.describing.table(),
        Route("GET", f"{BASE}/.well-known/jwks.json", "jwks", "The public keys of access tokens", do.jwks, {200: Jwks}),
        Route("GET", "/.well-known/jwks.json", "jwks_root", "The public keys of access tokens", do.jwks, {200: Jwks}),
        Route("GET", "/dev/outbox", "dev_outbox", "Unsent messages (demo mode)", do.dev_outbox,
              {200: list[answers.Delivery]}, public=False),
    ]  # fmt: skip
    do.describing.routes[:] = routes
    return routes
