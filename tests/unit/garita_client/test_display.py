"""What others wrote cannot steer the reader's terminal or disk."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_client.core.display import numbered, printable, safe_file_name, size_text


def test_escape_sequences_are_defused() -> None:
    """No control character reaches the terminal, no direction override either."""
    assert printable("\x1b[2J\x9b31mred\u202eabc\x07") == "�[2J�31mred�abc�"
    assert printable("one\ntwo\tthree") == "one ⏎ two three"
    assert printable("ñandú 👩\u200d🚀") == "ñandú 👩\u200d🚀"


@given(st.text())
def test_no_text_keeps_a_control_character(text: str) -> None:
    """Whatever is written."""
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in printable(text))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("con.txt", "file-con.txt"),
        ("a\x00b<c>.txt", "a_b_c_.txt"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    """A name is one plain name in the folder that was chosen."""
    assert safe_file_name(name) == safe


@given(st.text(max_size=400))
def test_any_name_is_one_plain_name(name: str) -> None:
    """Whatever a peer calls its file."""
    safe = safe_file_name(name)

    assert safe
    assert "/" not in safe
    assert "\\" not in safe
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 210


def test_numbered_and_sizes() -> None:
    """Small things that people read."""
    assert [numbered("a.tar.gz", number) for number in range(3)] == ["a.tar.gz", "a.tar (1).gz", "a.tar (2).gz"]
    assert [size_text(size) for size in (0, 1023, 5 * 1024**2, 3 * 1024**4)] == [
        "0 B",
        "1023 B",
        "5.0 MiB",
        "3072.0 GiB",
    ]
