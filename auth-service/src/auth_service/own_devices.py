"""The devices of an account as its owner sees them, and removing one."""

from msgspec import UNSET, UnsetType

from . import store_contacts, store_sessions
from .changes import Changes
from .core import answers
from .core.events import Kind, Table
from .core.problems import Contradicted, NotHere, StepUpRequired
from .core.recovery import life
from .core.recovery.facts import Device, Facts
from .devices import Devices
from .ending import Ending
from .parts import Parts
from .second_factors import SecondFactors
from .sessions import Present, Sessions
from .standing import standing_of
from .store_facts import facts_of


class OwnDevices:
    """Lists and removes devices."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        devices: Devices,
        changes: Changes,
        second: SecondFactors,
        ending: Ending,
    ) -> None:
        """Args: changes: records what changed; second: knows what proof a change wants; ending: ends sessions."""
        self._parts = parts
        self._sessions = sessions
        self._devices = devices
        self._changes = changes
        self._second = second
        self._ending = ending

    async def listed(self, present: Present) -> answers.OwnDevices:
        """The user's devices, newest first."""
        reading, user = self._parts.store.reading, present.account.id
        facts = await facts_of(reading, user, self._parts.config.factor_policy)
        by_id = {device.id: device for device in facts.devices}
        stored = await store_sessions.devices_of(reading, user)
        return answers.OwnDevices(
            devices=[
                answers.OwnDevice(
                    id=row.id,
                    label=row.label,
                    grade=self._grade(facts, by_id[row.id]),
                    first_login_ms=by_id[row.id].first_login_ms,
                    last_login_ms=row.last_login_ms,
                    current=row.id == present.session.device,
                    confirmed_ms=_or_unset(by_id[row.id].confirmed_ms),
                    effective_ms=self._ends(facts, by_id[row.id]),
                )
                for row in stored
                if row.id in by_id
            ]
        )

    async def remove(self, present: Present, device: str, *, lost: bool) -> answers.Removal:
        """Removes a device. Its sessions end, or are asked first, where it is mature and the one that asks is not confirmed.

        Args: lost: the device is lost or stolen, and has no rights from now on.

        Raises:
            StepUpRequired: the last proof is too old or too weak; or, for what is lost, not with a mature factor on a mature device.
            NotHere: no such device of this user.
            Contradicted: it is being removed already, or nothing may be removed now.
        """
        await self._second.demand(self._parts.store.reading, present)
        user, now_ms = present.account.id, self._parts.now_ms()
        policy = self._parts.config.factor_policy
        async with self._parts.store.writing() as tx:
            facts = await facts_of(tx, user, policy)
            target = next((row for row in facts.devices if row.id == device), None)
            if target is None:
                raise NotHere
            is_mature = self._devices.is_mature(facts, target)
            if lost and not (await standing_of(tx, self._parts, present)).is_strong:
                raise StepUpRequired
            await (self._changes.refuse_if_guarded if is_mature else self._changes.refuse_if_frozen)(tx, user)
            if not await store_contacts.remove(tx, Table.DEVICES, user, device, now_ms, lost=lost):
                raise Contradicted
            await self._changes.record(tx, present, Kind.DEVICE_REMOVED, device)
            living = await store_sessions.living_sessions(tx, user, now_ms)
            ended, _ = await self._ending.end_or_ask(
                tx, present, [row for row in living if row.device == device], "device"
            )
        await self._sessions.say(ended)
        return answers.Removal(
            id=device,
            effective_ms=life.rights_end_ms(now_ms, policy, lost=lost),
            cancel_until_ms=now_ms if lost else now_ms + life.CANCELLABLE_MS,
        )

    def _grade(self, facts: Facts, device: Device) -> answers.Grade:
        if self._devices.is_mature(facts, device):
            return "mature"
        return "known" if device.confirmed_ms is None else "confirmed"

    def _ends(self, facts: Facts, device: Device) -> int | UnsetType:
        if device.removed_ms is None:
            return UNSET
        return life.rights_end_ms(device.removed_ms, facts.policy, lost=device.lost)


def _or_unset(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value
