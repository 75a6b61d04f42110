"""The certificate with which the gateway ends TLS by itself, and its renewal without a restart.

TLS 1.2 and 1.3 with forward secrecy and authenticated encryption alone; no compression, no renegotiation. The files are looked at every minute and at
SIGHUP. New ones count for handshakes from then on; live connections keep theirs. Files that cannot be used are logged, and the old certificate stays.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

import structlog
from cryptography import x509

from garita_common.config import ConfigError

from .metrics import Metrics

log = structlog.get_logger()

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # for TLS 1.2; all of TLS 1.3's will do
_Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate and its key, from two files in PEM; `run` watches them."""

    def __init__(self, cert: Path, key: Path, metrics: Metrics, *, every_s: float) -> None:
        """Args: every_s: seconds between two looks at the files.

        Raises:
            ConfigError: they cannot be used.
        """
        self._files = (cert, key)
        self._metrics = metrics
        self._every_s = every_s
        self._wake = asyncio.Event()
        self._stamp: _Stamp = ()
        self.http: ssl.SSLContext
        self.tcp: ssl.SSLContext
        try:
            self._load()
        except (OSError, ValueError) as exc:
            raise ConfigError(
                "GARITA_GATEWAY_TLS_CERT and GARITA_GATEWAY_TLS_KEY must be files in PEM with a certificate and its key, without a password: "
                f"{_reason(exc)}."
            ) from exc

    async def run(self) -> None:
        """Watches the files until cancelled."""
        with self._heeding_sighup():
            while True:
                asked = await self._asked()
                await asyncio.to_thread(self._renew, asked=asked)

    async def _asked(self) -> bool:
        """Waits for the next look; whether somebody asked for it."""
        try:
            async with asyncio.timeout(self._every_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def _renew(self, *, asked: bool) -> None:
        try:
            if not asked and self._stamp_now() == self._stamp:
                return
            self._load()
        except (OSError, ValueError) as exc:
            log.error("certificate_not_renewed", reason=_reason(exc))
        else:
            log.info("certificate_renewed")

    def _load(self) -> None:
        """Takes the files as they are now, or leaves everything as it was; what failed is not tried again before it changes."""
        self._stamp = self._stamp_now()
        until = x509.load_pem_x509_certificate(self._files[0].read_bytes()).not_valid_after_utc
        http, tcp = self._context(), self._context()
        http.set_alpn_protocols(["http/1.1"])
        self.http, self.tcp = http, tcp
        self._metrics.certificate_until.set(until.timestamp())

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.load_cert_chain(
            *self._files, password=lambda: ""
        )  # a key with a password fails instead of asking the terminal
        return context

    def _stamp_now(self) -> _Stamp:
        stats = [path.stat() for path in self._files]
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)

    @contextmanager
    def _heeding_sighup(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(SIGHUP, self._wake.set)
        try:
            yield
        finally:
            loop.remove_signal_handler(SIGHUP)


def _reason(exc: Exception) -> str:
    """What is wrong, without a path of this machine."""
    if isinstance(exc, ssl.SSLError):
        return str(exc.reason or "not usable")
    return str(exc.strerror) if isinstance(exc, OSError) else "not PEM"
