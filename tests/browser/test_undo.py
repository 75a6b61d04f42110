"""The page behind a warning's link: it asks, and changes nothing before somebody has answered."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request

from playwright.async_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PATIENCE_MS, Place


def newest_link(place: Place, to: str) -> str:
    """The link in the newest warning to an address."""
    with urllib.request.urlopen(place.outbox, timeout=10) as answer:
        texts = [letter["text"] for letter in json.load(answer) if letter["to"] == to]
    return str(re.findall(r"\S+/undo\.html#\S+", "\n".join(texts))[-1])


async def test_a_warning_is_answered_on_its_page(newcomer: Newcomer) -> None:
    """Two-step login was turned on; opening the link leaves it on, "Undo it" turns it off; it begins a recovery too; the address keeps no secret."""
    ana, reader = await newcomer("undo-ana"), await newcomer("undo-luz", locale="es-ES")
    await ana.register()
    await ana.turn_on_totp()
    link = await asyncio.to_thread(newest_link, ana.place, ana.email)

    await reader.page.goto(link)
    await expect(reader.page.get_by_role("heading", name="¿Has sido tú?")).to_be_visible(timeout=PATIENCE_MS)
    await expect(reader.page.get_by_role("button")).to_have_count(2)
    assert "#" not in reader.page.url
    await ana.page.goto(f"{ana.place.http}/#/account/signin")
    await expect(ana.page.get_by_role("main").get_by_text("Two-step login is on")).to_be_visible(timeout=PATIENCE_MS)

    letters = re.findall(r"#([a-p]{64})", link)[0]
    await reader.page.get_by_role("link", name="Recuperar mi cuenta").click()
    await expect(reader.page.get_by_text("Vienes de uno de nuestros avisos.")).to_be_visible(timeout=PATIENCE_MS)
    assert letters not in reader.page.url
    await reader.page.get_by_label("Nombre de usuario, correo o teléfono").fill(ana.name)
    async with reader.page.expect_request("**/v1/auth/recoveries", timeout=PATIENCE_MS) as asked:
        await reader.page.get_by_role("button", name="Empezar", exact=True).click()
    assert json.loads((await asked.value).post_data or "{}")["link"] == letters
    await expect(reader.page.get_by_role("heading", name="Demuestra que es tuya")).to_be_visible(timeout=PATIENCE_MS)

    await ana.page.goto(link)
    await expect(ana.page.get_by_role("heading", name="Was this you?")).to_be_visible(timeout=PATIENCE_MS)
    await ana.page.get_by_role("button", name="Undo it").click()
    await expect(ana.page.get_by_text("it is done now")).to_be_focused(timeout=PATIENCE_MS)
    await expect(ana.page.get_by_role("button")).to_have_count(0)
    await ana.page.goto(f"{ana.place.http}/#/account/signin")
    await expect(ana.page.get_by_role("button", name="Turn on")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_link_that_is_not_whole_says_so(newcomer: Newcomer) -> None:
    """Mail programs break long lines."""
    eva = await newcomer("undo-eva")
    await eva.page.goto(f"{eva.place.http}/undo.html#abcdef")

    await expect(eva.page.get_by_role("alert")).to_have_text(re.compile("not whole"), timeout=PATIENCE_MS)
    await expect(eva.page.get_by_role("button")).to_have_count(0)
