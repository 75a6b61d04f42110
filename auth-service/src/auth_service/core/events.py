"""What happens to an account, by kind: whether it draws the horizon, how urgently it is told, and what taking it back would mean.

And how often one kind is told: the first at once, what follows gathered over 10 minutes, then 1 hour, then 6 hours while it goes on. Nothing is dropped; a message
lists all that has gathered.
"""

from dataclasses import dataclass
from enum import Enum

from .recovery.facts import DAY_MS, HOUR_MS, MINUTE_MS

WINDOWS_MS = (10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS)
REMINDERS_MS = (7 * DAY_MS, 25 * DAY_MS)
"""After a factor was added; day 0 is the notice of its addition."""
UNDO_MS = 10 * DAY_MS
FREEZE_MS = 72 * HOUR_MS
FREEZE_AGAIN_MS = 30 * DAY_MS
"""A contact freezes an account once in this time: a thief of one mailbox must not hold it for good."""


class Table(Enum):
    """Where factors lie; the value is the table's name."""

    CONTACTS = "contacts"
    TOTP = "totp"
    PASSKEYS = "passkeys"
    CODES = "code_sets"
    QUESTIONS = "questions"
    DEVICES = "devices"


class Kind(Enum):
    """An event of an account. The value is stored, and shown by /me/security-events."""

    EMAIL_ADDED = "email_added"
    EMAIL_REMOVED = "email_removed"
    PHONE_ADDED = "phone_added"
    PHONE_REMOVED = "phone_removed"
    TOTP_ADDED = "totp_added"
    TOTP_REMOVED = "totp_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COPIED = "passkey_copied"
    CODES_ADDED = "codes_added"
    CODES_REMOVED = "codes_removed"
    QUESTION_ADDED = "question_added"
    QUESTION_REMOVED = "question_removed"
    REMOVAL_CANCELLED = "removal_cancelled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    USERNAME_CHANGED = "username_changed"
    DEVICE_NEW = "device_new"
    DEVICE_CONFIRMED = "device_confirmed"
    DEVICE_REMOVED = "device_removed"
    FACTOR_WAITS = "factor_waits"
    PASSWORD_GUESSED = "password_guessed"  # noqa: S105 - the name of an event
    SECOND_FACTOR_MISSED = "second_factor_missed"
    SESSION_STOLEN = "session_stolen"
    SESSIONS_ASKED = "sessions_asked"
    SESSION_KEPT = "session_kept"
    NUMBER_ASKED = "number_asked"
    NUMBER_SUSPECT = "number_suspect"
    RECOVERY_STARTED = "recovery_started"
    RECOVERY_HELD = "recovery_held"
    RECOVERY_RELEASE = "recovery_release"
    RECOVERY_ENDED = "recovery_ended"
    RECOVERY_COMPLETED = "recovery_completed"
    ACCOUNT_FROZEN = "account_frozen"
    ACCOUNT_THAWED = "account_thawed"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_KEPT = "account_kept"
    ACCOUNT_EXPORTED = "account_exported"
    ROLE_CHANGED = "role_changed"


@dataclass(frozen=True, slots=True)
class Trait:
    """`change`: the horizon is made of it. `critical`: the oldest phone is told too. `adds`, `removes`: where its subject lies, so that it can be taken back.

    `recovery`: its subject is a recovery, and taking it back is a contact's veto. `reminds`: of an addition, which can still be taken back.
    `deletes`: the account, unless that is taken back.
    """

    change: bool = False
    critical: bool = False
    adds: Table | None = None
    removes: Table | None = None
    recovery: bool = False
    reminds: bool = False
    deletes: bool = False
    windows_ms: tuple[int, ...] = WINDOWS_MS

    @property
    def is_undone(self) -> bool:
        """Whether "cancel" does anything; "not me" always does."""
        return self.adds is not None or self.removes is not None or self.recovery or self.reminds or self.deletes


def _added(table: Table) -> Trait:
    return Trait(change=True, critical=True, adds=table)


def _removed(table: Table) -> Trait:
    return Trait(change=True, critical=True, removes=table)


TRAITS: dict[Kind, Trait] = {
    Kind.EMAIL_ADDED: _added(Table.CONTACTS),
    Kind.EMAIL_REMOVED: _removed(Table.CONTACTS),
    Kind.PHONE_ADDED: _added(Table.CONTACTS),
    Kind.PHONE_REMOVED: _removed(Table.CONTACTS),
    Kind.TOTP_ADDED: _added(Table.TOTP),
    Kind.TOTP_REMOVED: _removed(Table.TOTP),
    Kind.PASSKEY_ADDED: _added(Table.PASSKEYS),
    Kind.PASSKEY_REMOVED: _removed(Table.PASSKEYS),
    Kind.PASSKEY_COPIED: Trait(critical=True),
    Kind.CODES_ADDED: _added(Table.CODES),
    Kind.CODES_REMOVED: _removed(Table.CODES),
    Kind.QUESTION_ADDED: Trait(change=True, adds=Table.QUESTIONS),
    Kind.QUESTION_REMOVED: Trait(change=True, removes=Table.QUESTIONS),
    Kind.REMOVAL_CANCELLED: Trait(change=True),
    Kind.PASSWORD_CHANGED: Trait(change=True, critical=True),
    Kind.USERNAME_CHANGED: Trait(change=True, critical=True),
    Kind.DEVICE_NEW: Trait(adds=Table.DEVICES),
    Kind.DEVICE_CONFIRMED: Trait(),
    Kind.DEVICE_REMOVED: Trait(change=True, removes=Table.DEVICES),
    Kind.FACTOR_WAITS: Trait(critical=True, reminds=True),
    Kind.PASSWORD_GUESSED: Trait(),
    Kind.SECOND_FACTOR_MISSED: Trait(),
    Kind.SESSION_STOLEN: Trait(),
    Kind.SESSIONS_ASKED: Trait(critical=True),
    Kind.SESSION_KEPT: Trait(critical=True),
    Kind.NUMBER_ASKED: Trait(),
    Kind.NUMBER_SUSPECT: Trait(),
    # A stranger can cause it: the first at once, then one a day.
    Kind.RECOVERY_STARTED: Trait(recovery=True, windows_ms=(DAY_MS,)),
    Kind.RECOVERY_HELD: Trait(critical=True, recovery=True),
    Kind.RECOVERY_RELEASE: Trait(critical=True, recovery=True),
    Kind.RECOVERY_ENDED: Trait(),
    Kind.RECOVERY_COMPLETED: Trait(critical=True),
    Kind.ACCOUNT_FROZEN: Trait(critical=True),
    Kind.ACCOUNT_THAWED: Trait(),
    Kind.ACCOUNT_LOCKED: Trait(critical=True),
    Kind.ACCOUNT_UNLOCKED: Trait(),
    Kind.ACCOUNT_DELETED: Trait(critical=True, deletes=True),
    Kind.ACCOUNT_KEPT: Trait(),
    Kind.ACCOUNT_EXPORTED: Trait(),
    Kind.ROLE_CHANGED: Trait(critical=True),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How one kind is told to one user: not before `open_ms`. `gathered`: something waits for that time."""

    level: int = 0
    open_ms: int = 0
    gathered: bool = False


def after_event(pace: Pace, kind: Kind, now_ms: int) -> tuple[Pace, bool]:
    """What an event does to the pace, and whether it is told now.

    It goes on where it comes within one more window after the last one; else it begins anew.
    """
    if pace.gathered or now_ms < pace.open_ms:
        return Pace(pace.level, pace.open_ms, gathered=True), False
    windows = TRAITS[kind].windows_ms
    goes_on = pace.open_ms > 0 and now_ms < pace.open_ms + windows[pace.level]
    return _told(kind, pace.level + 1 if goes_on else 0, now_ms), True


def after_gathering(pace: Pace, kind: Kind, now_ms: int) -> Pace:
    """The pace when what has gathered is told."""
    return _told(kind, pace.level + 1, now_ms)


def _told(kind: Kind, level: int, now_ms: int) -> Pace:
    windows = TRAITS[kind].windows_ms
    level = min(level, len(windows) - 1)
    return Pace(level, now_ms + windows[level])
