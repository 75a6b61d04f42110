"""What users and strangers do, as records for the detector: one type per kind of event, in past tense.

Emitters are the gateway, the chat service and the auth service. `KEY_KINDS` go to the stream `activity:key`, the rest (noise, dropped first when
there is too much) to `activity`. Equal events of one connection and second are one record with a `count`; a `MessageSent` keeps its own.
Never in here: text, passwords, codes. Unknown fields are ignored by readers, so a field is read one release before it is written.
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from .frames import Compose

FIELD = "e"
"""The one field of a stream entry: the record as msgpack."""


class Activity(Struct, frozen=True, tag_field="type", kw_only=True, omit_defaults=True):
    """What every event has. `ts_ms` is the clock of the service that saw it first (Unix milliseconds, the gateway's receive time carried through);
    `connection` is `{gateway id}/{number}`; `ip` the address, `ip_prefix` its unit (`203.0.113.7/32`, `2001:db8::/64`), both empty where there is none.
    """

    ts_ms: int
    src: str
    v: int = 1
    count: int = 1
    connection: str = ""
    ip: str = ""
    ip_prefix: str = ""
    user: str = ""
    device: str = ""


class LoggedIn(Activity, frozen=True, tag="auth.ok", kw_only=True):
    """A complete login; `account_since_ms` is when the account was made."""

    account: str
    known_device: bool
    account_since_ms: int = 0


class LoginFailed(Activity, frozen=True, tag="auth.fail", kw_only=True):
    """A refused login; `account` is a keyed hash of the identifier that was tried, whether or not it exists."""

    account: str
    known_device: bool
    reason: str


class MessageSent(Activity, frozen=True, tag="msg.sent", kw_only=True):
    """A committed message: its length in characters and bytes, a keyed tag of its text, links in it, and how it was typed."""

    room: str
    len: int
    bytes: int
    tag: str = ""
    dup_tag: str = ""
    n_links: int = 0
    edit: bool = False
    compose: Compose | None = None


class ProtocolViolated(Activity, frozen=True, tag="proto.violation", kw_only=True):
    """A frame that no correct client emits.

    `kind` is a constant such as `tcp_kind`, `byte` the first offending byte (-1: none), `state` where the connection stood.
    `before_frames` is true for scanner noise: nothing valid had come on this connection before.
    """

    kind: str
    byte: int = -1
    state: str
    before_frames: bool = False


class CaptchaPassed(Activity, frozen=True, tag="captcha.pass", kw_only=True):
    """A challenge solved, from the auth service."""

    action: str


class CaptchaFailed(Activity, frozen=True, tag="captcha.fail", kw_only=True):
    """A challenge answered wrongly, from the auth service."""

    action: str


class CaptchaAttempted(Activity, frozen=True, tag="captcha.attempt", kw_only=True):
    """A distinct cmid that was refused with `challenge_required`, from the gateway."""

    cmid: str


class ConnectionOpened(Activity, frozen=True, tag="conn.open", kw_only=True):
    """A connection was admitted."""

    transport: str
    port: int


class ConnectionClosed(Activity, frozen=True, tag="conn.close", kw_only=True):
    """A connection ended; `reason` is a constant or a close code, times and sizes are of its whole life."""

    reason: str
    bytes_in: int
    lifetime_ms: int


class RateHit(Activity, frozen=True, tag="rate.hit", kw_only=True):
    """A limit refused something; `limit` is the limit's name."""

    limit: str


class TypingStarted(Activity, frozen=True, tag="typing.start", kw_only=True):
    """A user began to write in a room, as far as it was passed on."""

    room: str


class MessageReported(Activity, frozen=True, tag="user.report", kw_only=True):
    """A member reported a message; `about` is who wrote it."""

    room: str
    mid: str
    about: str
    reason: str


class ChallengeAsked(Activity, frozen=True, tag="admin.challenge", kw_only=True):
    """An operator wants a user to be challenged."""

    subject: str


class BanLifted(Activity, frozen=True, tag="admin.unban", kw_only=True):
    """An operator lifted a ban."""

    subject: str


Event: TypeAlias = (
    LoggedIn
    | LoginFailed
    | MessageSent
    | ProtocolViolated
    | CaptchaPassed
    | CaptchaFailed
    | CaptchaAttempted
    | ConnectionOpened
    | ConnectionClosed
    | RateHit
    | TypingStarted
    | MessageReported
    | BanLifted
    | ChallengeAsked
)

KEY_KINDS: tuple[type[Activity], ...] = (
    LoggedIn,
    LoginFailed,
    MessageSent,
    ProtocolViolated,
    CaptchaPassed,
    CaptchaFailed,
    CaptchaAttempted,
)

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Event).decode


def kind_of(event: Event) -> str:
    """The event's kind as the design names it: `proto.violation`, `auth.fail` …"""
    return str(event.__struct_config__.tag)


def is_key(event: Event) -> bool:
    """Whether the event belongs to `activity:key`."""
    return isinstance(event, KEY_KINDS)
