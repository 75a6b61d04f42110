"""Second factors on the page: TOTP and a passkey of Chromium's virtual authenticator, and saved codes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PASSWORD, PATIENCE_MS, Place


@pytest.fixture
def place(place: Place) -> Place:
    """By name: passkeys belong to a host name, never to an address."""
    return replace(place, http=place.http.replace("127.0.0.1", "localhost"))


async def test_totp_and_a_passkey_are_enrolled_and_the_passkey_logs_in(newcomer: Newcomer) -> None:
    """Then it is the second step beside the password, and is removed again."""
    ana = await newcomer("anap")
    page = ana.page
    await ana.give_authenticator()
    await ana.register()
    await ana.turn_on_totp()
    await ana.add_passkey()
    await ana.log_out()

    await page.get_by_role("button", name="Log in with a passkey").click()
    await ana.is_in()
    await ana.log_out()
    await page.get_by_label("User name, email or phone number").fill(ana.name)
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await page.get_by_role("button", name="Use a passkey").click()
    await ana.is_in()
    await page.goto(f"{ana.place.http}/#/account/signin")
    await page.get_by_role("button", name=re.compile("^Remove Chrom")).click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    await expect(page.get_by_text("It is being removed").last).to_be_visible(timeout=PATIENCE_MS)


async def test_a_saved_code_logs_in_and_is_replaced(newcomer: Newcomer) -> None:
    """The ten are shown once; the used one's successor is shown before anything else. In Spanish too."""
    bea = await newcomer("beap")
    page = bea.page
    await bea.register()
    await page.goto(f"{bea.place.http}/#/account/signin")
    await page.get_by_role("button", name="Make new codes").click()
    await expect(page.locator(".codes code")).to_have_count(10, timeout=PATIENCE_MS)
    code = await page.locator(".codes code").first.inner_text()
    await bea.turn_on_totp()
    await bea.log_out()

    await page.get_by_role("button", name="Español").click()
    await page.get_by_label("Nombre de usuario, correo o teléfono").fill(bea.name)
    await page.get_by_role("textbox", name="Contraseña").fill(PASSWORD)
    await (
        page.get_by_role("button", name="Entrar", exact=True)
        .or_(page.locator("form button.primary").first)
        .first.click()
    )
    await page.get_by_role("button", name="Usar un código de recuperación").click()
    await page.get_by_label("Código de recuperación").fill(code.lower())
    await page.locator("form button.primary").click()
    await expect(page.get_by_text("Este ocupa su lugar")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("button", name="Lo he guardado").click()
    await expect(page.locator(".side .none, a.room").first).to_be_visible(timeout=PATIENCE_MS)
