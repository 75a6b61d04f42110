"""Where an endpoint belongs, for the reader of /openapi.json and of the page made from it: its group, and which endpoint takes what another one answers.

The endpoints themselves are in the tables of the shell (`routes.py` and the modules that it names).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_GROUPS: Final = (
    ("/challenges", "Challenges"),
    ("/registrations", "Registration"),
    ("/login", "Login"),
    ("/passkeys", "Login"),
    ("/token", "Sessions and tokens"),
    ("/logout", "Sessions and tokens"),
    ("/sessions", "Sessions and tokens"),
    ("/step-up", "Sessions and tokens"),
    ("/recoveries", "Recovery"),
    ("/secret-questions", "Recovery"),
    ("/me/recoveries", "Recovery"),
    ("/me/secret-question", "Recovery"),
    ("/me/emails", "Contacts"),
    ("/me/phones", "Contacts"),
    ("/me/totp", "Second factors"),
    ("/me/passkeys", "Second factors"),
    ("/me/recovery-codes", "Second factors"),
    ("/me/devices", "Devices and events"),
    ("/me/security-events", "Devices and events"),
    ("/me/pending-changes", "Devices and events"),
    ("/undo", "Devices and events"),
    ("/appeals", "Bans"),
    ("/me", "The account"),
    ("/.well-known", "This API"),
    ("/openapi.json", "This API"),
    ("/docs", "This API"),
)
"""By the beginning of the path after the base: the first that fits."""


def group_of(path: str) -> str:
    """The group of an endpoint. Args: path: after the base."""
    return next((group for start, group in _GROUPS if path.startswith(start)), "More")


@dataclass(frozen=True, slots=True)
class Link:
    """An endpoint that goes on with what another one answered: parameters and fields of its body by OpenAPI's runtime expressions."""

    to: str
    parameters: Mapping[str, str]
    body: Mapping[str, str] = field(default_factory=dict)


_FLOW: Final = "$response.body#/flow_id"
_SECRET: Final = {"flow_secret": "$response.body#/flow_secret"}


def _first(name: str, of: str, *to: str) -> tuple[Link, ...]:
    return tuple(Link(one, {name: f"$response.body#/{of}/0/id"}) for one in to)


LINKS: Final[Mapping[str, tuple[Link, ...]]] = {
    "register": (Link("verify", {"flow_id": _FLOW}, _SECRET),),
    "verify": (
        Link("complete", {"flow_id": "$request.path.flow_id"}, {"ticket": "$response.body#/registration_ticket"}),
    ),
    "recovery": (
        *(
            Link(to, {"recovery_id": _FLOW}, _SECRET)
            for to in ("recovery_send", "recovery_evidence", "recovery_phone", "recovery_complete")
        ),
        Link("recovery_state", {"recovery_id": _FLOW, "X-Flow-Secret": "$response.body#/flow_secret"}),
        Link("recovery_veto", {"recovery_id": _FLOW}),
    ),
    "sessions": _first("session_id", "sessions", "session_delete", "session_answer"),
    "emails": _first("contact_id", "contacts", "email_delete", "email_lost", "email_verify"),
    "phones": _first("contact_id", "contacts", "phone_delete", "phone_lost", "phone_verify", "phone_not_mine"),
    "email_add": (Link("email_verify", {"contact_id": "$response.body#/id"}),),
    "phone_add": (Link("phone_verify", {"contact_id": "$response.body#/id"}),),
    "email_delete": (Link("pending_change_delete", {"change_id": "$response.body#/id"}),),
    "devices": _first("device_id", "devices", "device_delete", "device_lost"),
    "pending_changes": _first("change_id", "changes", "pending_change_delete"),
    "passkeys": _first("passkey_id", "passkeys", "passkey_rename", "passkey_delete", "passkey_lost"),
    "me_recoveries": _first("recovery_id", "recoveries", "recovery_veto"),
}
