"""Files: sent by one, fetched by the other, the same to the last bit; pictures shown, documents never."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PATIENCE_MS

HOSTILE_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>top.broken.push('ran')</script></svg>"


def png(side: int) -> bytes:
    """A small real picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([40, 120, 130]) * side for _ in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def test_a_file_arrives_unchanged(newcomer: Newcomer, tmp_path: Path) -> None:
    """Five MiB, with a bar on both sides, and the same SHA-256 at the end."""
    ana, bob = await newcomer("ana.file"), await newcomer("bob.file")
    await ana.register()
    await bob.register()
    await ana.make_room("Archive")
    await bob.find_room("Archive")
    path = tmp_path / "Diario de guardia ñ.bin"
    path.write_bytes(os.urandom(5 * 1024 * 1024 + 17))

    await ana.page.locator("input[type=file]").set_input_files(path)
    await expect(ana.page.get_by_role("progressbar", name=f"Sending {path.name}")).to_be_visible(timeout=PATIENCE_MS)
    await ana.page.get_by_role("button", name="Send", exact=True).click()
    fetched = await bob.fetch_file(path.name)

    assert hashlib.sha256(fetched).hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_pictures_are_shown_and_documents_are_not(newcomer: Newcomer, tmp_path: Path) -> None:
    """A real picture stands in the room; SVG and HTML, also under a picture's type, are only ever downloads."""
    ana = await newcomer("ana.pic")
    await ana.register()
    await ana.make_room("Gallery")
    files = {
        "tower.png": png(32),
        "drawing.svg": HOSTILE_SVG,
        "page.html": b"<script>top.broken.push('ran')</script>",
        "disguised.png": b"<!doctype html><script>top.broken.push('ran')</script>",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        await ana.send_file(tmp_path / name)
        await expect(ana.page.get_by_role("button", name=f"Download {name}")).to_be_visible(timeout=PATIENCE_MS)

    await expect(ana.page.get_by_role("img", name="tower.png")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.page.get_by_text("not the picture that it claims to be")).to_be_visible(timeout=PATIENCE_MS)
    assert await ana.page.locator(".file img").count() == 1
    assert await ana.fetch_file("drawing.svg") == HOSTILE_SVG


async def test_files_that_cannot_be_sent(newcomer: Newcomer, tmp_path: Path) -> None:
    """An empty file and one over the limit are told at once, by name."""
    ana = await newcomer("ana.big")
    await ana.register()
    await ana.make_room("Limits")
    (tmp_path / "empty.txt").write_bytes(b"")
    with (tmp_path / "huge.bin").open("wb") as huge:
        huge.truncate(25 * 1024 * 1024 + 1)

    picker = ana.page.locator("input[type=file]")
    await picker.set_input_files(tmp_path / "empty.txt")
    await expect(ana.page.get_by_text("empty.txt is empty.")).to_be_visible(timeout=PATIENCE_MS)
    await picker.set_input_files(tmp_path / "huge.bin")

    await expect(ana.page.get_by_text("huge.bin is too large: at most 25 MB.")).to_be_visible(timeout=PATIENCE_MS)
