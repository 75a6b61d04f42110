"""Frames that no correct client can send. Three in an hour ban: the address before login, the user and the device after it.

Before login nobody is known but the address. After it the address is left alone, for others may share it, and nothing depends on a name that the client
claims: user and device come from its token. HTTP or TLS spoken to the TCP port is what scanners of the whole Internet do; it has a count of its own, so
that two stray probes and one broken client behind the same address do not add up.
"""

from garita_common.core.activity import ProtocolViolated

from .counting import Entry, Window
from .facts import Fact
from .scenarios import PROTOCOL_SCANNER, PROTOCOL_VIOLATION, Finding

LINE = 3
SPAN_MS = 3_600_000

SCANNER_KINDS = frozenset({"http", "http_on_tcp", "tls", "tls_on_tcp"})
TCP_KIND = "tcp_kind"
TLS_HELLO = 0x16
HTTP_FIRST_BYTES = frozenset(b"GPHDOCT")
"""GET, POST/PUT/PATCH/PRI, HEAD, DELETE, OPTIONS, CONNECT, TRACE. An `R` (0x52) begins none of them."""


def is_scanner(event: ProtocolViolated) -> bool:
    """Whether this is HTTP or TLS on the TCP port, spoken before any frame."""
    if not event.before_frames:
        return False
    if event.kind in SCANNER_KINDS:
        return True
    return event.kind == TCP_KIND and (event.byte == TLS_HELLO or event.byte in HTTP_FIRST_BYTES)


class ProtocolLane:
    """One subject's violations of the last hour."""

    __slots__ = ("_frames", "_scans")

    def __init__(self) -> None:
        """No violation yet."""
        self._frames = Window(SPAN_MS)
        self._scans = Window(SPAN_MS)

    @property
    def progress(self) -> float:
        """How far on the way to a line: 0 to 1."""
        return max(self._frames.total, self._scans.total) / LINE

    def violated(self, subject: str, fact: Fact, event: ProtocolViolated) -> Finding | None:
        """Counts one violation."""
        window = self._scans if is_scanner(event) else self._frames
        tag = f"{event.connection} {_byte(event.byte)}"
        if event.connection and window.holds(fact.at_ms, tag):
            return None  # an emitter that lost Redis's answer writes a record again, and a connection ends with its first violation
        window.add(Entry(fact.at_ms, fact.id, fact.count, tag))
        if window.total < LINE:
            return None
        return self._found(subject, window)

    def _found(self, subject: str, window: Window) -> Finding:
        total, first_bytes = window.total, _bytes(window.tags)
        scans = window is self._scans
        finding = Finding(
            scenario=PROTOCOL_SCANNER if scans else PROTOCOL_VIOLATION,
            subject=subject,
            window_start_ms=window.start_ms,
            evidence=window.evidence,
            numbers={"violations": total, "line": LINE, "window_s": SPAN_MS // 1000, "first_byte": first_bytes},
            because=f"it spoke HTTP or TLS to the TCP port {total} times within 1 hour"
            if scans
            else f"it sent {total} frames within 1 hour that no correct client can send{_first_byte(first_bytes)}",
        )
        if scans:
            self._scans = Window(SPAN_MS)
        else:
            self._frames = Window(SPAN_MS)
        return finding


def _byte(byte: int) -> str:
    return f"0x{byte:02x}" if 0 <= byte <= 0xFF else ""


def _bytes(tags: list[str]) -> str:
    bytes_seen = dict.fromkeys(tag.rpartition(" ")[2] for tag in tags)
    return ", ".join([byte for byte in bytes_seen if byte][:4])


def _first_byte(first_bytes: str) -> str:
    return f" (first byte {first_bytes})" if first_bytes else ""
