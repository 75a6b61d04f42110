"""The routes of the inner listener, for other services and for the operator on this host. Neither is reachable through the edge.

`/internal` takes the service token, which every service of the stack holds; `/operator` takes the operator token. Invites and roles are for the host alone: whoever
comes over a network, another service that holds the operator token too, finds nothing there. An error is problem+json.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct
from prometheus_client import Counter

from garita_common import operators
from garita_common.config import Secret

from . import store_sessions
from .audit import Audit
from .clears import Clears
from .core import inner_messages
from .core.audit_chain import Head
from .core.problems import InvalidRequest, NotHere
from .core.requests import Nothing
from .granting import Granting
from .introspecting import Introspecting
from .inviting import Inviting
from .keys import Signer
from .parts import Parts
from .sessions import Sessions

Body = TypeVar("Body", bound=Struct)
THIS_HOST: Final = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Inside:
    """What the routes do."""

    parts: Parts
    introspecting: Introspecting
    clears: Clears
    sessions: Sessions
    signer: Signer
    audit: Audit
    inviting: Inviting
    granting: Granting

    async def introspect(self, request: web.Request) -> web.Response:
        """POST /internal/introspect: whether a token or a clear is good now."""
        body = await _body(request, inner_messages.Introspect)
        if body.token is not None and body.clear is None:
            return operators.answer(await self.introspecting.judge(body.token, body.audience))
        if body.clear is not None and body.token is None:
            return operators.answer(await self.clears.redeem(body.clear))
        raise InvalidRequest("Either token or clear is needed.")

    async def revoke(self, request: web.Request) -> web.Response:
        """POST /operator/revoke: ends one session of a user, or all of them."""
        body = await _body(request, inner_messages.Revoke)
        store = self.parts.store
        async with store.writing() as tx:
            living = await store_sessions.living_sessions(tx, body.user, self.parts.now_ms())
            wanted = [row.id for row in living if body.session in (None, row.id)]
            if not wanted:
                raise NotHere
            ended = await self.sessions.end(tx, body.user, wanted, "operator")
            await self.audit.write(tx, "admin.sessions_ended", actor="operator", subject=body.user, sessions=wanted)
        await self.sessions.say(ended)
        return operators.answer(inner_messages.Revoked(ended=len(ended)))

    async def rotate(self, request: web.Request) -> web.Response:
        """POST /operator/keys/rotate: the next signing key, now or in time."""
        body = await _body(request, inner_messages.RotateKeys)
        signs_ms = await self.signer.rotate(at_once=body.now)
        return operators.answer(inner_messages.Rotated(signs_ms=signs_ms))

    async def verify(self, request: web.Request) -> web.Response:
        """POST /operator/audit/verify: whether the audit log is as it was written."""
        body = await _body(request, inner_messages.VerifyAudit)
        await self.audit.flush()
        flaw = await self.audit.flaw([Head(head.seq, bytes.fromhex(head.mac)) for head in body.heads])
        head = await self.audit.head()
        return operators.answer(
            inner_messages.AuditVerified(intact=flaw is None, rows=head.seq, mac=head.mac.hex(), first_flaw=flaw)
        )

    async def invite(self, request: web.Request) -> web.Response:
        """POST /operator/invites: a ticket for one registration."""
        _demand_host(request)
        await _body(request, Nothing)
        return operators.answer(await self.inviting.make())

    async def grant(self, request: web.Request) -> web.Response:
        """POST /operator/admins/grant: makes an account an administrator's."""
        _demand_host(request)
        body = await _body(request, inner_messages.Name)
        return operators.answer(await self.granting.grant(body.user))

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST /operator/admins/withdraw: takes the role away."""
        _demand_host(request)
        body = await _body(request, inner_messages.Name)
        return operators.answer(await self.granting.withdraw(body.user))


def attach(app: web.Application, inside: Inside, service: Secret, operator: Secret, refused: Counter) -> None:
    """Puts the routes under an inner listener. Args: service, operator: their tokens; refused: counts refusals by code."""
    services = operators.application(service, refused)
    services.add_routes([web.post("/introspect", inside.introspect)])
    app.add_subapp("/internal", services)
    for_operator = operators.application(operator, refused)
    for_operator.add_routes(
        [
            web.post("/revoke", inside.revoke),
            web.post("/keys/rotate", inside.rotate),
            web.post("/audit/verify", inside.verify),
            web.post("/invites", inside.invite),
            web.post("/admins/grant", inside.grant),
            web.post("/admins/withdraw", inside.withdraw),
        ]
    )
    app.add_subapp("/operator", for_operator)


def _demand_host(request: web.Request) -> None:
    """Raises:
    NotHere: the request comes from elsewhere than this host (in a container: than this container).
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not peer or peer[0] not in THIS_HOST:
        raise NotHere


async def _body(request: web.Request, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidRequest(str(exc) if isinstance(exc, msgspec.ValidationError) else "This is not JSON.") from exc
