"""The state of the detector: a fold over the stored events and the decisions that were made of them.

`observe` takes the next event and says which lines it crosses. What follows from a finding (a ban, or nothing because good users are there) comes back
through `banned` or `lifted`. Both together are all there is: taking the same events, bans and lifts in the same order gives the same state, which is
how it is rebuilt after a restart. While a subject's ban is in force its further events do not count: what was under way when the ban fell must not
earn the next one.
"""

from collections.abc import Callable

from garita_common.core.activity import (
    BanLifted,
    CaptchaAttempted,
    CaptchaFailed,
    CaptchaPassed,
    ChallengeAsked,
    ConnectionClosed,
    ConnectionOpened,
    LoggedIn,
    LoginFailed,
    MessageReported,
    MessageSent,
    ProtocolViolated,
    RateHit,
    TypingStarted,
)

from .facts import Fact
from .flood_lane import AddressFloodLane, PersonFloodLane, is_own_doing
from .login_lane import AccountLoginLane, AddressLoginLane
from .protocol_lane import ProtocolLane
from .scenarios import Finding
from .subjects import MAX_SUBJECTS, Subject, SubjectTable


class Observer:
    """Everything in memory."""

    def __init__(self, max_subjects: int = MAX_SUBJECTS) -> None:
        """Nothing seen yet."""
        self.table = SubjectTable(max_subjects)

    def observe(self, fact: Fact) -> list[Finding]:
        """Takes the next event in."""
        match fact.event:
            case ProtocolViolated() as violation:
                return self._each(
                    fact, _charged(fact), lambda held, name: _protocol(held).violated(name, fact, violation)
                )
            case RateHit() as hit if is_own_doing(hit) and fact.user:
                return self._each(fact, _charged(fact), lambda held, name: _person(held).refused(name, fact))
            case RateHit() as hit if is_own_doing(hit):
                return self._each(fact, (fact.unit,), lambda held, name: _address(held).refused(name, fact))
            case ConnectionOpened():
                return self._each(fact, (fact.unit,), lambda held, name: _address(held).opened(name, fact))
            case MessageSent():
                return self._each(fact, (fact.user,), lambda held, name: _person(held).said(name, fact))
            case LoginFailed(known_device=False) as failure:
                by_address = self._each(fact, (fact.unit,), lambda held, name: _login(held).failed(name, fact, failure))
                return by_address + self._each(
                    fact, (fact.account,), lambda held, name: _account(held).failed(name, fact)
                )
            case LoggedIn():
                self._succeeded(fact)
                return []
            case (
                LoginFailed()
                | RateHit()
                | CaptchaPassed()
                | CaptchaFailed()
                | CaptchaAttempted()
                | ConnectionClosed()
                | TypingStarted()
                | MessageReported()
                | BanLifted()
                | ChallengeAsked()
            ):
                return []

    def banned(self, subject: str, until_ms: int, now_ms: int) -> None:
        """A ban of the subject has been decided."""
        held = self.table.of(subject)
        held.forget()
        held.banned_until_ms = until_ms
        self.table.settle(subject, now_ms)

    def lifted(self, subject: str, now_ms: int) -> None:
        """An operator has lifted the subject's ban: it starts anew."""
        held = self.table.find(subject)
        if held is not None:
            held.forget()
            held.banned_until_ms = 0
            self.table.settle(subject, now_ms)

    def noted(self, subject: str, until_ms: int, now_ms: int) -> None:
        """A message flood has been noted: the subject's messages are not looked at before `until_ms`."""
        held = self.table.of(subject)
        if not held.is_banned(now_ms):
            _person(held).quiet(until_ms)
        self.table.settle(subject, now_ms)

    def _each(self, fact: Fact, names: tuple[str, ...], count: "_Count") -> list[Finding]:
        findings = []
        for name in names:
            if not name:
                continue
            held = self.table.of(name)
            finding = None if held.is_banned(fact.seen_ms) else count(held, name)
            if finding is not None:
                findings.append(finding)
            self.table.settle(name, fact.seen_ms)
        return findings

    def _succeeded(self, fact: Fact) -> None:
        held = self.table.find(fact.account)
        if held is not None and held.account is not None:
            held.account.succeeded(fact.at_ms)
            self.table.settle(fact.account, fact.seen_ms)


_Count = Callable[[Subject, str], Finding | None]


def _charged(fact: Fact) -> tuple[str, ...]:
    """Who answers for it: after login the person, never the address, which others may share."""
    return (fact.user, fact.device) if fact.user else (fact.unit,)


def _protocol(held: Subject) -> ProtocolLane:
    held.protocol = held.protocol or ProtocolLane()
    return held.protocol


def _address(held: Subject) -> AddressFloodLane:
    held.address_flood = held.address_flood or AddressFloodLane()
    return held.address_flood


def _person(held: Subject) -> PersonFloodLane:
    held.person_flood = held.person_flood or PersonFloodLane()
    return held.person_flood


def _login(held: Subject) -> AddressLoginLane:
    held.login = held.login or AddressLoginLane()
    return held.login


def _account(held: Subject) -> AccountLoginLane:
    held.account = held.account or AccountLoginLane()
    return held.account
