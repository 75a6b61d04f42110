"""auth_service.core.audit_events: one list, which the code writes and docs/operations.md shows."""

import re
from pathlib import Path

from auth_service.core.audit_events import EVENTS, OF_ACCOUNTS, OTHERS
from auth_service.core.events import Kind

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "auth-service" / "src" / "auth_service"


def test_every_event_of_an_account_has_a_name() -> None:
    """A new kind fails here until it has one."""
    assert set(OF_ACCOUNTS) == set(Kind)


def test_every_other_name_is_written_somewhere() -> None:
    """What nothing writes is no event."""
    text = "\n".join(path.read_text() for path in SOURCE.rglob("*.py") if path.name != "audit_events.py")
    assert {name for name in OTHERS if f'"{name}"' not in text} == set()


def test_the_page_lists_them_all() -> None:
    """docs/operations.md."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("## The audit log")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", section)) == EVENTS
