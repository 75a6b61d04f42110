"""The record of a message tells the detector what it needs, and never the text."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from chat_service.activity_records import ActivityRecords
from chat_service.core.texttags import TextTags
from chat_service.turn import Reported, Sent, Typed
from garita_common.core import activity
from garita_common.core.frames import Compose, Edit, Report, Typing
from tests.fakes.chat_gateway import stamped, user_id

from .conftest import send

ROOM = "r" + "0" * 32
TEXT = "¡Mirad esta página! https://a.example y www.b.example"
RECORDS = ActivityRecords(TextTags(b"k" * 32))


def test_a_record_has_tags_and_sizes_but_no_text() -> None:
    """Length in characters and bytes, links, tags, how it was typed, and the gateway's stamp."""
    compose = Compose(ms=900, keys=50, fixes=2, paste=False, ikcv=0.5)
    op = send(ROOM, TEXT, compose=compose)
    command = stamped("ana", op, connection=7)

    record = RECORDS.message_sent(Sent("g1", command, op))

    assert (record.connection, record.user, record.device, record.room) == ("g1/7", user_id("ana"), "d", ROOM)
    assert (record.ip, record.ip_prefix, record.ts_ms) == ("203.0.113.7", "203.0.113.7/32", command.received_ms)
    assert (record.len, record.bytes, record.n_links) == (len(TEXT), len(TEXT.encode()), 2)
    assert (len(record.tag), len(record.dup_tag), record.compose) == (16, 16, compose)
    assert b"Mirad" not in activity.encode(record)
    assert activity.is_key(record)


def test_an_edit_is_a_message_again() -> None:
    """Else what is refused to be said could be said by editing something harmless; a repeat is none."""
    op = Edit(id=1, cmid=uuid.uuid4(), room=ROOM, mid=uuid.uuid4(), text=TEXT)

    record = RECORDS.message_sent(Sent("g1", stamped("ana", op), op))

    assert (record.edit, record.n_links, record.compose) == (True, 2, None)
    assert record.dup_tag == RECORDS.message_sent(Sent("g1", stamped("ana", op), send(ROOM, TEXT))).dup_tag


def test_beginning_to_write_is_recorded() -> None:
    """With the gateway's stamp."""
    op = Typing(room=ROOM)

    record = RECORDS.of(Typed("g1", stamped("ana", op, connection=7), op))

    assert isinstance(record, activity.TypingStarted)
    assert (record.connection, record.user, record.room, record.ip_prefix) == (
        "g1/7",
        user_id("ana"),
        ROOM,
        "203.0.113.7/32",
    )
    assert not activity.is_key(record)


def test_a_report_names_who_wrote_what_was_reported() -> None:
    """And who reported, for the detector alone; no text, no note."""
    mid = uuid.uuid4()
    op = Report(id=1, cmid=uuid.uuid4(), room=ROOM, mid=mid, reason="abuse", note="una nota")
    command = stamped("ana", op, connection=7)

    record = RECORDS.of(Reported("g1", command, op, user_id("bob")))

    assert isinstance(record, activity.MessageReported)
    assert (record.user, record.about, record.reason) == (user_id("ana"), user_id("bob"), "abuse")
    assert (record.room, record.mid, record.connection) == (ROOM, str(mid), "g1/7")
    assert (record.ip_prefix, record.ts_ms) == ("203.0.113.7/32", command.received_ms)
    assert b"nota" not in activity.encode(record)


@pytest.mark.parametrize(("ip", "prefix"), [("2001:db8::7", "2001:db8::/64"), ("", ""), ("nonsense", "")])
def test_an_address_is_counted_by_its_unit(ip: str, prefix: str) -> None:
    """What is no address has none."""
    op = send(ROOM)

    record = RECORDS.message_sent(Sent("g1", msgspec.structs.replace(stamped("ana", op), ip=ip), op))

    assert record.ip_prefix == prefix
    assert record.tag == ""
