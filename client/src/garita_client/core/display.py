"""Making what others wrote safe to show and to store: a message must not steer the reader's terminal, a file name not the disk."""

import unicodedata
from pathlib import PurePosixPath

MAX_NAME_BYTES = 200
_UNITS = ("B", "KiB", "MiB", "GiB")
_DEVICES = frozenset({"con", "prn", "aux", "nul"})


def printable(text: str) -> str:
    """The text without control, format (direction overrides) and unassigned characters; line ends become spaces, tabs too."""
    spaced = text.replace("\r\n", "\n").replace("\n", " ⏎ ").replace("\t", " ")
    return "".join(character if _harmless(character) else "\N{REPLACEMENT CHARACTER}" for character in spaced)


def _harmless(character: str) -> bool:
    joiner = character == "\N{ZERO WIDTH JOINER}"  # holds emoji together
    return joiner or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def safe_file_name(name: str) -> str:
    """A name for a received file: its last part only, no hidden file, nothing that means something to a system."""
    last = PurePosixPath(printable(name).replace("\\", "/")).name.strip(" .")
    kept = "".join("_" if character in '<>:"|?*\N{REPLACEMENT CHARACTER}' else character for character in last)
    while len(kept.encode()) > MAX_NAME_BYTES:
        kept = kept[1:]
    kept = kept.strip(" .")
    return kept if kept and kept.split(".")[0].lower() not in _DEVICES else f"file-{kept}".rstrip("-")


def numbered(name: str, number: int) -> str:
    """The name to try when the ones before are taken: `a.txt`, `a (1).txt`, …"""
    if number == 0:
        return name
    path = PurePosixPath(name)
    return f"{path.stem} ({number}){path.suffix}"


def size_text(size: int) -> str:
    """A number of bytes for people."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
