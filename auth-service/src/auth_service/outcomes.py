"""What others learn of a login: gateways of sessions that it put out, the counters of strangers, the audit log, the metrics and the detector."""

from garita_common.core import activity
from garita_common.emitter import Emitter

from .audit import Audit
from .core.factors import PASSWORD
from .parts import Caller, Parts
from .sessions import Opened, Sessions
from .store_accounts import Account
from .strangers import Strangers

_EVENTS = {"shut": "login.shut", "second_factor": "mfa.failed"}
"""What the audit log calls a failure; a known device that is shut waits for itself alone."""


class Outcomes:
    """Says how logins end."""

    def __init__(self, parts: Parts, sessions: Sessions, strangers: Strangers, emitter: Emitter, audit: Audit) -> None:
        """Args: emitter: tells the detector."""
        self._parts = parts
        self._sessions = sessions
        self._strangers = strangers
        self._emitter = emitter
        self._audit = audit

    async def welcome(self, account: Account, opened: Opened, device: str | None, caller: Caller, tag: str) -> None:
        """Somebody has come in. Args: device: the known device, None where it is new; tag: the mark of the name that was typed."""
        await self._sessions.say(opened.put_out)
        self._strangers.outcome(failed=False)
        amr = opened.session.amr
        self._audit.later("login.ok", actor=opened.session.device, subject=account.id, caller=caller, amr=amr)
        if amr != [PASSWORD]:
            self._audit.later("mfa.ok", actor=opened.session.device, subject=account.id, caller=caller, amr=amr)
        if device is not None:
            await self._strangers.owner_came(account)
        self._parts.metrics.logins.labels("ok").inc()
        self._emitter.emit(
            activity.LoggedIn(
                ts_ms=self._parts.now_ms(),
                src="auth",
                ip=str(caller.address),
                ip_prefix=caller.unit,
                user=account.id,
                device=opened.session.device,
                account=tag,
                known_device=device is not None,
                account_since_ms=account.created_ms,
            )
        )

    def failed(self, tag: str, device: str | None, caller: Caller, reason: str) -> None:
        """Somebody has not. Args: reason: a constant, for the metric."""
        self._strangers.outcome(failed=True)
        event = _EVENTS.get(reason, "login.failed")
        if reason == "shut" and device is not None:
            event = "login.blocked"
        self._audit.later(event, actor=device or "", caller=caller, name=tag[:32], reason=reason)
        self._parts.metrics.logins.labels(reason).inc()
        self._emitter.emit(
            activity.LoginFailed(
                ts_ms=self._parts.now_ms(),
                src="auth",
                ip=str(caller.address),
                ip_prefix=caller.unit,
                account=tag,
                known_device=device is not None,
                reason=reason,
            )
        )
