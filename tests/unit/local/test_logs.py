"""Rotation of logs, and what a process said last."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_local import logs


def test_a_log_at_the_limit_stays_and_one_past_it_is_moved(tmp_path: Path) -> None:
    """Rotation begins one byte past the limit, and the text is found in the first old log."""
    log = tmp_path / "chat.log"

    log.write_bytes(b"x" * 100)
    at_limit = logs.rotate(log, max_bytes=100)
    log.write_bytes(b"x" * 101)
    past_limit = logs.rotate(log, max_bytes=100)

    assert (at_limit, past_limit) == (False, True)
    assert log.read_bytes() == b""
    assert (tmp_path / "chat.log.1").read_bytes() == b"x" * 101


def test_only_so_many_old_logs_are_kept(tmp_path: Path) -> None:
    """The oldest text goes when there is no number left for it."""
    log = tmp_path / "chat.log"

    for text in (b"first", b"second", b"third", b"fourth"):
        log.write_bytes(text)
        logs.rotate(log, max_bytes=1, kept=3)

    assert [(tmp_path / f"chat.log.{n}").read_bytes() for n in (1, 2, 3)] == [b"fourth", b"third", b"second"]
    assert not (tmp_path / "chat.log.4").exists()


def test_a_writer_in_append_mode_goes_on_at_the_start(tmp_path: Path) -> None:
    """The process keeps its open file: what it writes after a rotation is the new log's first line."""
    log = tmp_path / "chat.log"

    with log.open("ab", buffering=0) as writer:
        writer.write(b"before\n")
        logs.rotate(log, max_bytes=1)
        writer.write(b"after\n")

    assert log.read_bytes() == b"after\n"


def test_a_missing_log_is_left_alone(tmp_path: Path) -> None:
    """A process that never wrote has nothing to rotate."""
    assert logs.rotate(tmp_path / "none.log") is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ('{"event":"starting"}\nGARITA_CHAT_DATABASE is missing.\n', "GARITA_CHAT_DATABASE is missing."),
        ('one\ntwo\n{"event":"stopped"}\n', "two"),
        ('{"event":"database_locked","level":"error"}\n', "database_locked"),
        ("{not json\n", "{not json"),
    ],
)
def test_last_words(tmp_path: Path, text: str, said: str) -> None:
    """The last plain line is the sentence; without one, the event of the last structured line."""
    log = tmp_path / "auth.log"
    log.write_text(text)

    assert logs.last_words(log) == said


def test_last_words_of_an_earlier_life_are_not_repeated(tmp_path: Path) -> None:
    """Only what was written since the given position counts."""
    log = tmp_path / "auth.log"
    log.write_text("old trouble\n")

    assert logs.last_words(log, since=log.stat().st_size) == ""
    assert logs.last_words(tmp_path / "none.log") == ""
