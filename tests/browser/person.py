"""A person at a browser: what they do on the page, by the names that they see or hear, and what the page complained of meanwhile."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyotp
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from playwright.async_api import Error as PlaywrightError

PATIENCE_MS = 30_000
PASSWORD = "cangrejo sin reloj ni paraguas"
# The machine's own network changed under the browser (a container came up): the page tries again by itself.
MACHINE = ("ERR_NETWORK_CHANGED", "Failed to fetch dynamically imported module")
_WATCH_POLICY = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => broken.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass(frozen=True)
class Place:
    """Where the stack is reached."""

    http: str
    outbox: str

    def letters(self, to: str) -> list[str]:
        """The texts of all messages to an address or number, oldest first."""
        with urllib.request.urlopen(self.outbox, timeout=10) as answer:
            return [letter["text"] for letter in json.load(answer) if letter["to"] == to]

    def newest_code(self, to: str) -> str:
        """The code of the newest message to an address, once it is there; empty before."""
        found = [code.group() for text in self.letters(to) if (code := re.search(r"\b\d{6}\b", text))]
        return found[-1] if found else ""


@dataclass
class Person:
    """One browser profile with one page. `complaints` holds what the console, the page or its policy had to say."""

    name: str
    place: Place
    context: BrowserContext
    page: Page
    secret: str = ""
    used_codes: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    ahead_s: float = 0.0
    """How far the clock of this person's authenticator is moved, where the server's is."""

    @classmethod
    async def arrive(cls, browser: Browser, place: Place, name: str, **profile: object) -> Self:
        """A new profile that looks at the page for the first time."""
        context = await browser.new_context(accept_downloads=True, **{"locale": "en-GB", **profile})  # type: ignore[arg-type]  # options by name
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(_WATCH_POLICY)
        page = await context.new_page()
        person = cls(name, place, context, page)
        page.on("console", person._heard)
        page.on("pageerror", person._broke)
        await page.goto(place.http)
        await expect(page.locator("#main")).to_be_visible(timeout=PATIENCE_MS)
        return person

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(
            part in message.text for part in (*MACHINE, *self.expected)
        ):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _broke(self, error: PlaywrightError) -> None:
        if not any(part in error.message for part in MACHINE):
            self.complaints.append(f"page error: {error}")

    async def all_complaints(self) -> list[str]:
        """Everything that went wrong on this page up to now."""
        return [*self.complaints, *await self.page.evaluate("window.broken")]

    async def register(self, contact: str = "") -> None:
        """From the first page to the rooms, with the code from the outbox. Args: contact: a phone number instead of the address."""
        page, to = self.page, contact or self.email
        await page.get_by_role("link", name="Create an account").click()
        await page.get_by_label("Email or phone number").fill(to)
        await page.get_by_role("textbox", name="Password").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("heading", name="Check your messages")).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_label("Code").fill(await self.new_code(to))
        await page.get_by_label("User name").fill(self.name)
        await page.get_by_label("Display name").fill(self.name.capitalize())
        await page.get_by_role("button", name="Create the account").click()
        await self.is_in()

    async def new_code(self, to: str) -> str:
        """The code of a message to an address or number, which was not used yet."""
        for _ in range(100):
            if (code := self.place.newest_code(to)) and code not in self.used_codes:
                self.used_codes.append(code)
                return code
            await self.page.wait_for_timeout(100)
        raise AssertionError(f"no code came for {to}")

    async def is_in(self) -> None:
        """The rooms are there and the link stands."""
        await expect(self.page.get_by_role("navigation", name="Rooms")).to_be_visible(timeout=PATIENCE_MS)
        listed = self.page.locator(".side .none, a.room").first
        await expect(listed).to_be_visible(timeout=PATIENCE_MS)

    async def turn_on_totp(self) -> None:
        """Two-step login, by the key that the page shows."""
        page = self.page
        await page.goto(f"{self.place.http}/#/account/signin")
        await page.get_by_role("button", name="Turn on").click()
        self.secret = (await page.locator(".secret code").inner_text()).replace(" ", "")
        await page.get_by_label("Code from your authenticator app").fill(await self.fresh_code())
        await expect(page.get_by_role("main").get_by_text("Two-step login is on")).to_be_visible(timeout=PATIENCE_MS)

    async def give_authenticator(self) -> None:
        """A virtual authenticator that keeps discoverable passkeys and verifies its user by itself."""
        devtools = await self.context.new_cdp_session(self.page)
        await devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    async def add_passkey(self) -> None:
        """A passkey of the virtual authenticator, on the account's page, which is open."""
        await self.page.get_by_role("button", name="Add a passkey").click()
        await expect(self.page.get_by_text("The passkey was added.").last).to_be_visible(timeout=PATIENCE_MS)

    async def fresh_code(self) -> str:
        """A code that was not used yet. The server takes one of the next half minute too, so nobody has to wait for the clock."""
        totp = pyotp.TOTP(self.secret)
        for _ in range(200):
            now = int(time.time() + self.ahead_s)
            for code in (totp.at(now), totp.at(now, counter_offset=1)):
                if code not in self.used_codes:
                    self.used_codes.append(code)
                    return code
            await self.page.wait_for_timeout(500)
        raise AssertionError("no fresh code in 100 s")

    async def log_in(self) -> None:
        """With name and password, and a code where two-step login is on."""
        page = self.page
        await page.get_by_label("User name, email or phone number").fill(self.name)
        await page.get_by_role("textbox", name="Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in", exact=True).click()
        if self.secret:
            await page.get_by_label("Code from your authenticator app").fill(await self.fresh_code())
        await self.is_in()

    async def log_out(self) -> None:
        """Here only."""
        await self.page.goto(f"{self.place.http}/#/account")
        await self.page.get_by_role("button", name="Log out", exact=True).click()
        await expect(self.page.get_by_role("heading", name="Log in")).to_be_visible(timeout=PATIENCE_MS)

    async def make_room(self, title: str, *, private: bool = False) -> None:
        """A room of one's own, which is open afterwards."""
        page = self.page
        await page.get_by_role("navigation").get_by_role("button", name="New room").click()
        await page.get_by_label("Name", exact=True).fill(title)
        if private:
            await page.get_by_role("radio", name="Private").check()
        await page.get_by_role("button", name="Create the room").click()
        await self.is_in_room(title)

    async def find_room(self, title: str) -> None:
        """Joins a public room by the list."""
        page = self.page
        await page.get_by_role("navigation").get_by_role("button", name="Find a room").click()
        await page.get_by_role("searchbox", name="Name or topic").fill(title)
        await page.get_by_role("button", name=f"Join {title}").click()
        await self.is_in_room(title)

    async def open_room(self, title: str) -> None:
        """By the list at the side."""
        await self.page.get_by_role("navigation").get_by_role("link", name=title).click()
        await self.is_in_room(title)

    async def is_in_room(self, title: str) -> None:
        """The room's name stands above."""
        await expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=PATIENCE_MS)

    async def say(self, text: str) -> None:
        """Writes and sends with the Enter key."""
        box = self.page.get_by_role("textbox", name="Message")
        await box.fill(text)
        await box.press("Enter")

    async def hears(self, text: str, times: int = 1) -> None:
        """A stored message stands in the room so often."""
        found = self.page.locator(".log:not(.outbox) .message .text").get_by_text(text, exact=True)
        await expect(found).to_have_count(times, timeout=PATIENCE_MS)

    async def send_file(self, path: Path) -> None:
        """Picks a file and sends it without a text."""
        await self.page.locator("input[type=file]").set_input_files(path)
        await expect(self.page.locator(".chip-file")).to_be_visible(timeout=PATIENCE_MS)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def fetch_file(self, name: str) -> bytes:
        """Downloads a file that stands in the room."""
        async with self.page.expect_download(timeout=PATIENCE_MS) as waiting:
            await self.page.get_by_role("button", name=f"Download {name}").click()
        download = await waiting.value
        assert download.suggested_filename == name
        return Path(await download.path()).read_bytes()

    async def leave(self) -> None:
        """Closes the browser profile."""
        await self.context.close()
