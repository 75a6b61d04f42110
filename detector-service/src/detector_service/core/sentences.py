"""A decision in one sentence, for the operator and for whoever was banned."""

from .rulings import Ruling
from .scenarios import Action, Finding

_UNITS = (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000))


def explain(decision: int, finding: Finding, ruling: Ruling, good_users: int) -> str:
    """The sentence of a decision."""
    said = _said(finding, ruling, good_users)
    return f"{name_of(finding.subject)} {said}; decision {decision}, rule {finding.scenario.name} v{finding.scenario.version}."


def _said(finding: Finding, ruling: Ruling, good_users: int) -> str:
    match ruling.action:
        case Action.BAN:
            return f"was banned for {duration(ruling.nominal_ms)} because {finding.because}"
        case Action.SPARED:
            return f"was not banned although {finding.because}: {good_users} good users share the address"
        case Action.WATCH:
            return f"is watched because {finding.because}"
        case Action.CHALLENGE:
            return f"is to be challenged because {finding.because}"


def name_of(subject: str) -> str:
    """A subject as people read it: `127.0.0.5`, `2001:db8::/64`, `user u…`."""
    kind, _, name = subject.partition(":")
    return name.removesuffix("/32") if kind == "addr" else f"{kind} {name}"


def duration(length_ms: int) -> str:
    """A length of time in words, in days, hours and minutes: `10 minutes`, `2 hours 40 minutes`."""
    words = []
    for unit, unit_ms in _UNITS:
        count, length_ms = divmod(length_ms, unit_ms)
        if count:
            words.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(words) or "less than a minute"
