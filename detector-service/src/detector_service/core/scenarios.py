"""The rules by name and version, and what a crossed line of one of them looks like.

A rule's version rises with every change of what it counts or of its line, so that a decision always says by which rule it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What a decision does. `SPARED`: a ban that good users held off. `WATCH` is noted, nothing acts on it; so is `CHALLENGE` of what is no user: a user is asked
    by the gateways.
    """

    BAN = "ban"
    SPARED = "spared"
    WATCH = "watch"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One rule. `reason` is the constant that a banned peer is told."""

    name: str
    version: int
    reason: str
    action: Action = Action.BAN


PROTOCOL_VIOLATION = Scenario("protocol-violation", 1, "protocol_violation")
PROTOCOL_SCANNER = Scenario("protocol-scanner", 1, "scanner")
CONNECTION_FLOOD = Scenario("connection-flood", 1, "connection_flood")
REFUSAL_FLOOD = Scenario("refusal-flood", 1, "flood")
MESSAGE_FLOOD = Scenario("message-flood", 1, "flood", Action.WATCH)
LOGIN_WALK = Scenario("login-walk", 1, "login_guessing")
LOGIN_BURST = Scenario("login-burst", 1, "login_guessing")
LOGIN_SPRAYING = Scenario("login-spraying", 1, "login_spraying")
ACCOUNT_WALK = Scenario("account-walk", 1, "login_guessing", Action.CHALLENGE)
OPERATOR_CHALLENGE = Scenario("operator-challenge", 1, "operator", Action.CHALLENGE)

ALL = (
    PROTOCOL_VIOLATION,
    PROTOCOL_SCANNER,
    CONNECTION_FLOOD,
    REFUSAL_FLOOD,
    MESSAGE_FLOOD,
    LOGIN_WALK,
    LOGIN_BURST,
    LOGIN_SPRAYING,
    ACCOUNT_WALK,
    OPERATOR_CHALLENGE,
)

Number = int | float | str


@dataclass(frozen=True, slots=True)
class Finding:
    """A line that a subject crossed. `window_start_ms` is when what was counted began: with rule and subject it names the finding for ever.

    `evidence` are rows of events, `numbers` the statistics beside their lines, `because` the clause of a sentence that begins with "it".
    """

    scenario: Scenario
    subject: str
    window_start_ms: int
    evidence: tuple[int, ...]
    numbers: Mapping[str, Number]
    because: str
