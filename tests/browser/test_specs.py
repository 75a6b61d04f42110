"""The page's pure modules, inside Chromium and under the page's own policy: each behaviour of `specs/` is a test here."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from gateway.core.edge import content_type, strict_headers
from tests.browser.conftest import CHROMIUM_WORDS, chromium
from tests.browser.qr_reader import read

SPECS = Path(__file__).parent / "specs"
WEB = Path(__file__).resolve().parents[2] / "web"
RUN = """
async ([address, name]) => {
  const { spec } = await import(address);
  try { await spec[name](); return ""; } catch (error) { return String(error.message ?? error); }
}
"""
CASES = [
    (path.stem, name)
    for path in sorted(SPECS.glob("*.js"))
    for name in re.findall(r'^  "(.+?)": ', path.read_text(), re.M)
]


class _Files(BaseHTTPRequestHandler):
    """The page's modules at the root, the specs beside them, everything with the gateway's own headers."""

    def do_GET(self) -> None:
        """Only files that are there; the empty page otherwise."""
        name = self.path.lstrip("/")
        path = SPECS.parent / name if name.startswith("specs/") else WEB / name
        body = path.read_bytes() if name and path.is_file() else b"<!doctype html><title>specs</title>"
        self.send_response(200)
        for header, value in strict_headers([]).items():
            self.send_header(header, value)
        self.send_header("Content-Type", content_type(name) or "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name
        """Nobody reads it."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """One page for all specs: they are pure."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=functools.partial(server.serve_forever, 0.05), name="specs")
        thread.start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_WORDS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        yield page
        browser.close()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("module", "behaviour"), CASES, ids=[f"{module}: {name}" for module, name in CASES])
def test_spec(page: Page, module: str, behaviour: str) -> None:
    """One behaviour of a pure module."""
    assert page.evaluate(RUN, [f"/specs/{module}.js", behaviour]) == ""


@pytest.mark.parametrize("length", [1, 14, 15, 26, 42, 62, 84, 106, 122, 152, 180, 213, 214, 287, 400, 530, 666])
def test_qr_codes_read_back(page: Page, length: int) -> None:
    """Texts of every version's size are read back by a reader that knows only the standard."""
    text = (
        ("otpauth://totp/Garita:ana?secret=GEZDGNBVGY3TQOJQ&issuer=Garita&ñ=" * 12)
        .encode()[:length]
        .decode(errors="ignore")
    )

    rows = page.evaluate("async (text) => (await import('/core/qr.js')).encode(text)", text)

    assert read(rows) == text


def test_a_qr_code_has_an_end(page: Page) -> None:
    """What does not fit is refused, not cut."""
    outcome = page.evaluate(
        "async () => { try { (await import('/core/qr.js')).encode('x'.repeat(667)); } catch (error) { return error.name; } }"
    )

    assert outcome == "RangeError"
