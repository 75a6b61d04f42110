"""The page for everybody: by keyboard alone, in Spanish, on 360 pixels, with a name on every control."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PASSWORD, PATIENCE_MS

NAMELESS = """
[...document.querySelectorAll('a[href], button, input:not([type=file], .trap), textarea, img, [role=img]')]
  .filter(one => one.checkVisibility())
  .filter(one => !(one.ariaLabel || one.textContent.trim() || one.alt || one.labels?.length || one.title))
  .map(one => one.outerHTML)
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def tab_to(page: Page, name: str, limit: int = 40) -> None:
    """Presses Tab until the control of that name has the focus."""
    for _ in range(limit):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            "(one => one.ariaLabel || one.labels?.[0]?.textContent || one.textContent)(document.activeElement)"
        )
        if focused.strip() == name:
            return
    raise AssertionError(f"no way to {name!r} by Tab")


async def test_by_keyboard_alone(newcomer: Newcomer) -> None:
    """Log in, make a room, write, read, find the rooms again: without touching a mouse."""
    kim = await newcomer("kim")
    await kim.register()
    await kim.log_out()
    page = kim.page
    keyboard = page.keyboard

    await expect(page.get_by_label("User name, email or phone number")).to_be_focused()
    await keyboard.type("kim")
    await keyboard.press("Tab")
    await keyboard.type(PASSWORD)
    await keyboard.press("Enter")
    await kim.is_in()
    await tab_to(page, "New room")
    await keyboard.press("Enter")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await keyboard.type("Keys")
    await keyboard.press("Enter")
    await kim.is_in_room("Keys")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await keyboard.type("one line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("and another")
    await keyboard.press("Enter")
    await kim.hears("one line\nand another")
    await tab_to(page, "Members")
    await keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="1 member")).to_be_focused()
    await tab_to(page, "Hide the members")
    await keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Members", exact=True)).to_be_focused()
    await tab_to(page, "New direct message")
    await keyboard.press("Enter")
    await keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New direct message")).to_be_focused()


async def test_news_are_spoken(newcomer: Newcomer) -> None:
    """A message that comes in is put where screen readers listen."""
    ana, bob = await newcomer("ana.say"), await newcomer("bob.say")
    await ana.register()
    await bob.register()
    await ana.make_room("Aloud")
    await bob.find_room("Aloud")

    await ana.say("Can you hear me?")

    await expect(bob.page.locator("#news")).to_have_text("ana.say: Can you hear me?", timeout=PATIENCE_MS)


async def test_in_spanish(newcomer: Newcomer) -> None:
    """A Spanish browser gets Spanish; the choice can be changed without losing what was typed, and is remembered."""
    luz = await newcomer("luz", locale="es-ES")
    page = luz.page
    await expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "es"
    await page.get_by_label("Nombre de usuario, correo o teléfono").fill("luz")

    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await expect(page.get_by_label("User name, email or phone number")).to_have_value("luz")
    await page.reload()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()

    await page.get_by_role("button", name="Español").click()
    await page.get_by_role("link", name="Crea una cuenta").click()
    await page.get_by_label("Correo o teléfono").fill("nada")
    await page.get_by_role("textbox", name="Contraseña").fill("corta")
    await page.get_by_role("button", name="Continuar").click()
    await expect(page.get_by_text("Escribe un correo, o un teléfono")).to_be_visible()


async def test_on_a_small_telephone(newcomer: Newcomer) -> None:
    """At 360 pixels nothing has to be scrolled sideways, and the way back to the rooms is there."""
    pia = await newcomer("pia", viewport={"width": 360, "height": 640})
    page = pia.page
    wide: dict[str, int] = {}

    async def measure(where: str) -> None:
        wide[where] = await page.evaluate(TOO_WIDE)

    await measure("login")
    await page.goto(f"{pia.place.http}/#/register")
    await measure("register")
    await page.goto(f"{pia.place.http}/#/login")
    await pia.register()
    await measure("rooms")
    await pia.make_room("A room with quite a long name, as rooms sometimes have")
    await pia.say("w" * 300)
    await pia.hears("w" * 300)
    await measure("room")
    await page.get_by_role("button", name="Members", exact=True).click()
    await measure("members")
    await page.get_by_role("link", name="Back to the rooms").click()
    await page.get_by_role("button", name="Find a room").click()
    await measure("find")
    await page.keyboard.press("Escape")
    await page.goto(f"{pia.place.http}/#/account/signin")
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_role("img", name="QR code")).to_be_visible(timeout=PATIENCE_MS)
    await measure("account")

    assert wide == dict.fromkeys(wide, 0)


async def test_every_control_has_a_name(newcomer: Newcomer) -> None:
    """No button, link, field or picture without words for those who do not see it."""
    ida = await newcomer("ida")
    page = ida.page
    nameless = [await page.evaluate(NAMELESS)]
    await ida.register()
    nameless.append(await page.evaluate(NAMELESS))
    await ida.make_room("Names")
    await ida.say("Something")
    await ida.hears("Something")
    nameless.append(await page.evaluate(NAMELESS))
    await page.get_by_role("navigation").get_by_role("button", name="Find a room").click()
    nameless.append(await page.evaluate(NAMELESS))
    await page.keyboard.press("Escape")
    await page.goto(f"{ida.place.http}/#/account/signin")
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_role("img", name="QR code")).to_be_visible(timeout=PATIENCE_MS)
    nameless.append(await page.evaluate(NAMELESS))

    assert nameless == [[], [], [], [], []]
