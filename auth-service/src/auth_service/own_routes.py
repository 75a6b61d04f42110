"""The endpoints of contacts, devices, events and undo links."""

from dataclasses import dataclass

from .contact_codes import ContactCodes
from .contacts import Contacts
from .core import answers, identifiers, problems, requests
from .core.identifiers import ContactKind
from .edge import BASE, Ask, Reply, Route
from .freezing import Freezing
from .own_devices import OwnDevices
from .own_events import OwnEvents


@dataclass(frozen=True, slots=True)
class OwnHandlers:
    """What these endpoints do, in terms of the service's parts."""

    contacts: Contacts
    devices: OwnDevices
    events: OwnEvents
    codes: ContactCodes
    freezing: Freezing

    async def emails(self, ask: Ask) -> Reply:
        """GET /me/emails"""
        return Reply(200, await self.contacts.listed(ask.present, ContactKind.EMAIL))

    async def phones(self, ask: Ask) -> Reply:
        """GET /me/phones"""
        return Reply(200, await self.contacts.listed(ask.present, ContactKind.PHONE))

    async def add_email(self, ask: Ask) -> Reply:
        """POST /me/emails"""
        contact = identifiers.parse_email(ask.body.email)
        return Reply(202, await self.contacts.add(ask.present, contact, ask.caller))

    async def add_phone(self, ask: Ask) -> Reply:
        """POST /me/phones"""
        contact = identifiers.parse_phone(ask.body.phone)
        return Reply(202, await self.contacts.add(ask.present, contact, ask.caller, ask.body))

    async def verify_email(self, ask: Ask) -> Reply:
        """POST /me/emails/{id}/verify"""
        return await self._verify(ask, ContactKind.EMAIL)

    async def verify_phone(self, ask: Ask) -> Reply:
        """POST /me/phones/{id}/verify"""
        return await self._verify(ask, ContactKind.PHONE)

    async def remove_email(self, ask: Ask) -> Reply:
        """DELETE /me/emails/{id}"""
        return Reply(202, await self.contacts.remove(ask.present, ContactKind.EMAIL, ask.path["contact_id"]))

    async def remove_phone(self, ask: Ask) -> Reply:
        """DELETE /me/phones/{id}"""
        return Reply(202, await self.contacts.remove(ask.present, ContactKind.PHONE, ask.path["contact_id"]))

    async def lose_email(self, ask: Ask) -> Reply:
        """POST /me/emails/{id}/lost"""
        return Reply(200, await self.contacts.lose(ask.present, ContactKind.EMAIL, ask.path["contact_id"]))

    async def lose_phone(self, ask: Ask) -> Reply:
        """POST /me/phones/{id}/lost"""
        return Reply(200, await self.contacts.lose(ask.present, ContactKind.PHONE, ask.path["contact_id"]))

    async def disown_phone(self, ask: Ask) -> Reply:
        """POST /me/phones/{id}/not-mine"""
        await self.contacts.disown(ask.present, ask.path["contact_id"])
        return Reply(204)

    async def list_devices(self, ask: Ask) -> Reply:
        """GET /me/devices"""
        return Reply(200, await self.devices.listed(ask.present))

    async def remove_device(self, ask: Ask) -> Reply:
        """DELETE /me/devices/{id}"""
        return Reply(202, await self.devices.remove(ask.present, ask.path["device_id"], lost=False))

    async def lose_device(self, ask: Ask) -> Reply:
        """POST /me/devices/{id}/lost"""
        return Reply(200, await self.devices.remove(ask.present, ask.path["device_id"], lost=True))

    async def security_events(self, ask: Ask) -> Reply:
        """GET /me/security-events"""
        return Reply(200, await self.events.events(ask.present))

    async def pending_changes(self, ask: Ask) -> Reply:
        """GET /me/pending-changes"""
        return Reply(200, await self.events.pending(ask.present))

    async def cancel_change(self, ask: Ask) -> Reply:
        """DELETE /me/pending-changes/{id}"""
        await self.events.cancel(ask.present, ask.path["change_id"])
        return Reply(204)

    async def send_step_up(self, ask: Ask) -> Reply:
        """POST /step-up/send"""
        return Reply(202, await self.codes.send(ask.present, ask.body, ask.caller))

    async def undo(self, ask: Ask) -> Reply:
        """POST /undo"""
        return Reply(200, await self.freezing.undo(ask.body, ask.caller))

    async def _verify(self, ask: Ask, kind: ContactKind) -> Reply:
        return Reply(200, await self.contacts.verify(ask.present, kind, ask.path["contact_id"], ask.body.code))


def table(do: OwnHandlers) -> tuple[Route, ...]:
    """These endpoints."""
    p = problems
    fresh = (p.StepUpRequired, p.Contradicted)
    there = (*fresh, p.NotHere)
    proved = (p.CodeInvalid, p.FlowGone, p.Contradicted, p.NotHere)
    return (
        Route("GET", f"{BASE}/me/emails", "emails", "The account's e-mail addresses", do.emails,
              {200: answers.OwnContacts}, needs_token=True),
        Route("POST", f"{BASE}/me/emails", "email_add", "Send a code to an address", do.add_email,
              {202: answers.ContactPending}, requests.AddEmail, needs_token=True, refusals=fresh),
        Route("POST", f"{BASE}/me/emails/{{contact_id}}/verify", "email_verify", "Prove an address with its code", do.verify_email,
              {200: answers.OwnContact}, requests.VerifyContact, needs_token=True, refusals=proved),
        Route("DELETE", f"{BASE}/me/emails/{{contact_id}}", "email_delete", "Remove an address", do.remove_email,
              {202: answers.Removal}, needs_token=True, refusals=there),
        Route("POST", f"{BASE}/me/emails/{{contact_id}}/lost", "email_lost", "Remove an address at once", do.lose_email,
              {200: answers.Removal}, requests.Nothing, needs_token=True, refusals=there),
        Route("GET", f"{BASE}/me/phones", "phones", "The account's phone numbers", do.phones,
              {200: answers.OwnContacts}, needs_token=True),
        Route("POST", f"{BASE}/me/phones", "phone_add", "Send a code to a number", do.add_phone,
              {202: answers.ContactPending}, requests.AddPhone, needs_token=True,
              refusals=(*fresh, p.ProofRequired)),
        Route("POST", f"{BASE}/me/phones/{{contact_id}}/verify", "phone_verify", "Prove a number with its code", do.verify_phone,
              {200: answers.OwnContact}, requests.VerifyContact, needs_token=True, refusals=proved),
        Route("DELETE", f"{BASE}/me/phones/{{contact_id}}", "phone_delete", "Remove a number", do.remove_phone,
              {202: answers.Removal}, needs_token=True, refusals=there),
        Route("POST", f"{BASE}/me/phones/{{contact_id}}/lost", "phone_lost", "Remove a number at once", do.lose_phone,
              {200: answers.Removal}, requests.Nothing, needs_token=True, refusals=there),
        Route("POST", f"{BASE}/me/phones/{{contact_id}}/not-mine", "phone_not_mine", "Answer that a number is not yours any more",
              do.disown_phone, {204: None}, requests.Nothing, needs_token=True, refusals=(p.StepUpRequired, p.NotHere)),
        Route("GET", f"{BASE}/me/devices", "devices", "The devices that have logged in", do.list_devices,
              {200: answers.OwnDevices}, needs_token=True),
        Route("DELETE", f"{BASE}/me/devices/{{device_id}}", "device_delete", "Remove a device", do.remove_device,
              {202: answers.Removal}, needs_token=True, refusals=there),
        Route("POST", f"{BASE}/me/devices/{{device_id}}/lost", "device_lost", "Remove a device at once", do.lose_device,
              {200: answers.Removal}, requests.Nothing, needs_token=True, refusals=there),
        Route("GET", f"{BASE}/me/security-events", "security_events", "What has happened to the account", do.security_events,
              {200: answers.SecurityEvents}, needs_token=True),
        Route("GET", f"{BASE}/me/pending-changes", "pending_changes", "What is about to change", do.pending_changes,
              {200: answers.PendingChanges}, needs_token=True),
        Route("DELETE", f"{BASE}/me/pending-changes/{{change_id}}", "pending_change_delete", "Take a removal back", do.cancel_change,
              {204: None}, needs_token=True, refusals=there),
        Route("POST", f"{BASE}/step-up/send", "step_up_send", "Send a code to a mature contact", do.send_step_up,
              {202: answers.CodeSent}, requests.SendStepUp, needs_token=True, refusals=(p.ProofRequired,)),
        Route("POST", f"{BASE}/undo", "undo", "Use the link of a notice", do.undo,
              {200: answers.Undone}, requests.Undo, spared=True),
    )  # fmt: skip
