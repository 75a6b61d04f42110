"""Getting an account back: beginning, showing evidence, asking how it stands.

A name of nobody begins a decoy: it is stored, looked up and answered like any other and costs the same, and nothing ever proves it. So no answer here depends on
whether there is an account, what it is reached by, or whether a limit of that account is used up; and what takes longer for an account (notices, sending codes) is done
behind the answer by `recovery_work.py`. The rules are in `core.recovery`, the end in `completing.py`, objections in `objecting.py`.
"""

from dataclasses import replace
from typing import Final

from msgspec import UNSET

from . import store_accounts, store_notices, store_outbox, store_recoveries, store_sessions
from .ban_watch import BanWatch
from .ceremonies import LIFETIME_S
from .challenges import Challenges
from .changes import Changes
from .core import answers, recovery_requests
from .core.events import Kind
from .core.identifiers import ContactKind, parse_identifier
from .core.problems import CodeInvalid, Contradicted, FlowGone
from .core.recovery import flow as flows
from .core.recovery import life, phones
from .core.recovery.bands import Goal
from .core.recovery.facts import FactorKind, Facts
from .core.recovery.flow import Phase
from .core.recovery.horizon import horizon_ms
from .core.recovery.places import Place
from .core.recovery.points import worth_of
from .core.sealing import digest
from .limits import Limit, Limiter
from .outbox import Outbox
from .parts import Caller, Parts
from .places import Places
from .proofs import Proofs
from .recovery_work import RecoveryWork
from .sessions import Present
from .store import Db
from .store_facts import facts_of
from .store_recoveries import Recovery
from .text_price import TextPrice
from .weighing import NOBODY, Weighing

NEXT: Final[list[answers.EvidenceKind]] = ["email", "sms", "totp", "passkey", "recovery_code", "question"]
"""What may be shown: the same list for every name."""


class Recovering:
    """The steps of somebody who wants an account back."""

    def __init__(
        self,
        parts: Parts,
        weighing: Weighing,
        proofs: Proofs,
        places: Places,
        limiter: Limiter,
        challenges: Challenges,
        changes: Changes,
        bans: BanWatch,
        work: RecoveryWork,
        outbox: Outbox,
        price: TextPrice,
    ) -> None:
        """Args: proofs: checks what is shown; work: sends codes and notices behind the answer; price: what a text costs a stranger."""
        config = parts.config
        self._parts = parts
        self._weighing = weighing
        self._proofs = proofs
        self._places = places
        self._limiter = limiter
        self._challenges = challenges
        self._changes = changes
        self._bans = bans
        self._work = work
        self._outbox = outbox
        self._price = price
        self._per_prefix = Limit("recovery_prefix", config.recoveries_per_prefix_per_h, 3600)
        self._strangers = Limit("recovery_strangers", config.recoveries_per_account_per_day, 86_400)
        self._owners = Limit("recovery_owners", config.recoveries_per_account_per_day, 86_400)

    async def start(self, body: recovery_requests.StartRecovery, caller: Caller) -> answers.RecoveryStarted:
        """Begins a recovery, or looks as if.

        Raises:
            Banned, ProofRequired, InvalidRequest, TooMany, Overloaded: as their names say.
        """
        self._bans.refuse_address(caller)
        await self._challenges.take(body.captcha, "recover", caller)
        if caller.counted:
            await self._limiter.take(self._per_prefix, caller.unit)
        parts, reading = self._parts, self._parts.store.reading
        named = parse_identifier(body.identifier)
        account = await store_accounts.find(reading, named, parts.seals.mark("contact", named.key))
        user = account.id if account and account.active else NOBODY
        mark = parts.seals.mark("device", body.device_hint or caller.device_cookie or "")
        device = await store_sessions.known_device(reading, user, mark)
        facts = await facts_of(reading, user, parts.config.factor_policy)
        is_linked = await self._is_linked(user, body.link)
        is_own = is_linked or _is_confirmed(facts, device)
        known = is_own or await self._is_at_home(user, facts, caller)
        tag = parts.seals.mark("identifier", named.key).hex()
        key = user or tag
        over = await self._limiter.wait_s(self._owners if known else self._strangers, key, 0 if is_linked else 1) > 0
        secret = parts.new_secret().hex()
        flow = flows.start(parts.new_id(), Goal(body.goal), parts.now_ms())
        admitted = user if user and (is_linked or not over) else None
        started = Recovery(flow, admitted, digest(secret.encode()), known, device, self._places.net_of(caller))
        # A place too is a known context, but a price that it spared would tell everybody there who has an account.
        started = replace(started, tag="" if is_own else tag)
        async with parts.store.writing() as tx:
            await store_recoveries.add(tx, started)
        self._work.wake()
        self._count(flow.goal, "started" if admitted else "quiet" if user else "decoy")
        return answers.RecoveryStarted(
            flow_id=flow.id, flow_secret=secret, expires_in=flows.COLLECTING_MS // 1000, next=NEXT
        )

    async def send(self, flow_id: str, body: recovery_requests.SendRecoveryCode, caller: Caller) -> None:
        """Asks for codes. To whom, and whether at all, is found out behind the answer.

        Raises:
            FlowGone: no such recovery.
            ProofRequired: a text wants work, except from a confirmed device or after a link from a notice.
            InvalidRequest, Overloaded: as `Challenges.take`.
        """
        kind = ContactKind.EMAIL if body.channel == "email" else ContactKind.PHONE
        recovery = await self._weighing.opened(self._parts.store.reading, flow_id, body.flow_secret)
        if kind is ContactKind.PHONE and recovery.tag:
            names = [f"name:{recovery.tag}"]
            await self._price.take(names, body.captcha, body.picture, "recover", flow_id, caller)
        async with self._parts.store.writing() as tx:
            await self._weighing.opened(tx, flow_id, body.flow_secret)
            await store_recoveries.ask_code(tx, flow_id, kind, self._outbox.prefix_mark(caller), self._parts.now_ms())
        self._work.wake()

    async def options(self, flow_id: str, body: recovery_requests.RecoverySecret) -> answers.PasskeyOptions:
        """What a browser needs to use a passkey as evidence: any that it has for us, so that nothing is said of the account.

        Raises:
            FlowGone: no such recovery.
            Contradicted: the server has no host name.
            Overloaded: no Redis.
        """
        await self._weighing.opened(self._parts.store.reading, flow_id, body.flow_secret)
        return answers.PasskeyOptions(options=await self._proofs.options(flow_id), expires_in=LIFETIME_S)

    async def evidence(self, flow_id: str, body: recovery_requests.ShowEvidence) -> answers.Accepted:
        """Takes evidence.

        Raises:
            FlowGone: no such recovery, or it takes no evidence any more.
            CodeInvalid: the code does not fit; of an answer to a question nothing is said.
            Contradicted: the recovery waits.
            Overloaded: no room for a hash.
        """
        if isinstance(body, recovery_requests.EvidenceDone):
            async with self._parts.store.writing() as tx:
                recovery = await self._collecting(tx, flow_id, body.flow_secret)
                if recovery.flow.phase is Phase.COLLECTING:
                    await self._weighing.judge(tx, recovery)
            return answers.Accepted()
        recovery = await self._weighing.opened(self._parts.store.reading, flow_id, body.flow_secret)
        checked = await self._proofs.prepared(body, recovery)
        async with self._parts.store.writing() as tx:
            recovery = await self._collecting(tx, flow_id, body.flow_secret)
            if isinstance(body, recovery_requests.EvidenceAnswer):
                await self._proofs.answer(tx, recovery, checked)
                return answers.Accepted()
            accepted = await self._proofs.accept(tx, recovery, body, checked)
            if accepted is not None:
                await self._proved(tx, recovery, accepted.factor)
        if accepted is None:
            raise CodeInvalid
        return answers.Accepted(recovery_code=UNSET if accepted.replacement is None else accepted.replacement)

    async def phone_unavailable(self, flow_id: str, body: recovery_requests.RecoverySecret) -> None:
        """The phone that would be asked is no more: in 72 h the next one is, if no contact objects.

        Raises:
            FlowGone: no such recovery.
        """
        async with self._parts.store.writing() as tx:
            recovery = await self._weighing.opened(tx, flow_id, body.flow_secret)
            facts = await self._weighing.facts(tx, recovery)
            now_ms = self._parts.now_ms()
            line_ms = horizon_ms(facts, now_ms)
            proved = await store_recoveries.proofs_of(tx, flow_id)
            counted = {factor.id for factor in facts.factors if life.counts(factor, facts.policy, line_ms, now_ms)}
            mature = any(
                device.id == recovery.device and life.is_device_mature(device, facts.policy, line_ms, now_ms)
                for device in facts.devices
            )
            heard = phones.may_release(proved_possession=not counted.isdisjoint(proved), on_mature_device=mature)
            flow = flows.expire(recovery.flow, now_ms)
            releases = await store_recoveries.releases_of(tx, flow_id)
            dead = await store_outbox.dead_phones(tx, recovery.user or NOBODY)
            gone = phones.given_up(releases, dead, now_ms)
            phone = phones.to_ask(phones.in_order(facts, line_ms, now_ms), gone)
            if recovery.user is None or not heard or phone is None or flow.phase is not Phase.COLLECTING:
                return
            if await store_recoveries.release(tx, flow_id, phone.id, now_ms):
                await self._weighing.settle(tx, recovery, flows.await_release(flow, now_ms))
                await self._changes.note(tx, recovery.user, Kind.RECOVERY_RELEASE, flow_id, device=recovery.device)

    async def shown(self, flow_id: str, secret: str) -> answers.RecoveryState:
        """How a recovery stands.

        Raises:
            FlowGone: no such recovery.
        """
        async with self._parts.store.writing() as tx:
            recovery = await self._weighing.time_out(tx, await self._weighing.opened(tx, flow_id, secret))
        flow = recovery.flow
        question = await self._proofs.question_shown(self._parts.store.reading, recovery)
        return answers.RecoveryState(
            state=flow.phase.value,
            not_before_ms=flow.not_before_ms if flow.phase is Phase.HOLDING else UNSET,
            question=UNSET if question is None else question,
        )

    async def pending(self, present: Present) -> answers.Recoveries:
        """The recoveries of somebody's account that wait, for every session to show."""
        living = await store_recoveries.living(self._parts.store.reading, present.account.id)
        now_ms = self._parts.now_ms()
        return answers.Recoveries(
            recoveries=[
                answers.PendingRecovery(
                    id=recovery.flow.id,
                    goal=recovery.flow.goal.value,
                    started_ms=recovery.flow.started_ms,
                    not_before_ms=recovery.flow.not_before_ms,
                )
                for recovery in living
                if recovery.flow.phase is Phase.HOLDING and now_ms < recovery.flow.until_ms
            ],
            one_contact=await self._has_one_contact(present),
        )

    async def _has_one_contact(self, present: Present) -> bool:
        facts = await facts_of(self._parts.store.reading, present.account.id, self._parts.config.factor_policy)
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        counted = [
            factor
            for factor in facts.factors
            if factor.kind is not FactorKind.QUESTION and life.counts(factor, facts.policy, line_ms, now_ms)
        ]
        return len(counted) <= 1

    async def _collecting(self, tx: Db, flow_id: str, secret: str) -> Recovery:
        """A recovery that takes evidence: one that collects, or one whose wait is over.

        Raises:
            FlowGone, Contradicted: it does not.
        """
        recovery = await self._weighing.opened(tx, flow_id, secret)
        now_ms = self._parts.now_ms()
        flow = flows.expire(recovery.flow, now_ms)
        if flow.phase is Phase.HOLDING and now_ms < flow.not_before_ms:
            raise Contradicted("This recovery waits.", until_ms=flow.not_before_ms)
        if flow.phase not in {Phase.COLLECTING, Phase.HOLDING}:
            raise FlowGone
        return recovery

    async def _proved(self, tx: Db, recovery: Recovery, factor: str) -> None:
        """A factor was proved: it is evidence, or the end of a wait."""
        now_ms = self._parts.now_ms()
        flow = recovery.flow
        await self._changes.audit.write(tx, "recovery.evidence", subject=recovery.user or "", id=flow.id, factor=factor)
        if flow.phase is Phase.COLLECTING:
            await store_recoveries.prove(tx, flow.id, factor, now_ms)
            recovery = replace(recovery, last_factor=factor)
            await store_recoveries.keep(tx, recovery)
            facts = await self._weighing.facts(tx, recovery)
            if flows.is_enough(flow.goal, await self._weighing.assess(tx, recovery, facts)):
                await self._weighing.judge(tx, recovery)
            return
        facts = await self._weighing.facts(tx, recovery)
        slow = flows.owner_acts(flow)
        if slow is not flow and await self._weighing.owner_is_active(tx, recovery, facts):
            await self._weighing.settle(tx, recovery, slow)
            return
        proved = await store_recoveries.proofs_of(tx, flow.id)
        again = factor in proved and worth_of(facts, factor, now_ms) > 0
        await self._weighing.settle(tx, recovery, flows.come_back(flow, proved_again=again, now_ms=now_ms))

    async def _is_linked(self, user: str, token: str | None) -> bool:
        """Whether somebody comes by a link from one of this account's notices."""
        link = await store_notices.link(self._parts.store.reading, digest((token or "").encode()))
        return link is not None and link.user == user and link.expires_ms > self._parts.now_ms()

    async def _is_at_home(self, user: str, facts: Facts, caller: Caller) -> bool:
        """Whether the account is often used from there."""
        place = await self._places.judge(self._parts.store.reading, user, self._places.net_of(caller), facts)
        return place in {Place.MEDIUM, Place.STRONG}

    def _count(self, goal: Goal, outcome: str) -> None:
        self._parts.metrics.recoveries.labels(goal.value, outcome).inc()


def _is_confirmed(facts: Facts, device: str | None) -> bool:
    return any(own.id == device and own.confirmed_ms is not None and own.removed_ms is None for own in facts.devices)
