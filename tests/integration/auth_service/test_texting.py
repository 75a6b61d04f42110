"""auth_service.texting with auth_service.courier: texts reach a real HTTP gateway of the test's own, within the caps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from auth_service.outside import Outside
from tests.integration.auth_service.conftest import PASSWORD, World, Worlds, eventually


@dataclass
class SmsGateway:
    """What it was sent, and what it answers."""

    port: int = 0
    texts: list[dict[str, str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    status: int = 201
    answer: dict[str, object] = field(default_factory=lambda: {"sid": "SM1"})

    async def take(self, request: web.Request) -> web.Response:
        """POST of a form."""
        self.logins.append(request.headers["Authorization"])
        form = await request.post()
        if self.status < 300:
            self.texts.append({name: str(value) for name, value in form.items()})
        return web.json_response(self.answer, status=self.status)

    def outside(self, hosts: list[str]) -> Outside:
        """The guarded client, let through to this gateway's port alone."""
        return Outside(
            hosts, may_connect=lambda to, port: to.is_loopback and port == self.port, schemes=frozenset({"http"})
        )


@asynccontextmanager
async def taking() -> AsyncIterator[SmsGateway]:
    """A gateway of Twilio's shape on loopback."""
    gateway = SmsGateway()
    app = web.Application()
    app.router.add_post("/Messages.json", gateway.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gateway.port = runner.addresses[0][1]
    try:
        yield gateway
    finally:
        await runner.cleanup()


def route(gateway: SmsGateway, folder: Path, **settings: str) -> dict[str, str]:
    """The settings that send texts to a gateway."""
    (folder / "sms-password").write_text("token")
    return {
        "GARITA_MODE": "production",
        "SMS_GATEWAY": "twilio",
        "SMS_URL": f"http://127.0.0.1:{gateway.port}/Messages.json",
        "SMS_USER": "AC1",
        "SMS_PASSWORD_FILE": str(folder / "sms-password"),
        "SMS_FROM": "+15005550006",
        "SMS_COUNTRIES": "ES,PT,FR,DE",
        "TRUSTED_PROXIES": "127.0.0.1",
        "REGISTRATIONS_PER_PREFIX_PER_H": "1000",
        "REGISTRATIONS_PER_PREFIX_PER_DAY": "1000",
        "CHALLENGES_PER_PREFIX_PER_10_MIN": "1000",
    } | settings


async def ask(world: World, phone: str, address: str) -> int:
    """A registration from an address; its status."""
    body = {"password": PASSWORD, "captcha": await world.proof("register"), "phone": phone}
    return (await world.post("/registrations", body, headers={"X-Forwarded-For": address})).status


async def test_a_text_arrives_with_its_code(worlds: Worlds, tmp_path: Path) -> None:
    """Form, login and number as the gateway wants them."""
    async with taking() as gateway, worlds(outside=gateway.outside, **route(gateway, tmp_path)) as world:
        assert await ask(world, "+34600000001", "203.0.113.1") == 202
        await eventually(lambda: gateway.texts)

        assert (gateway.texts[0]["To"], gateway.texts[0]["From"]) == ("+34600000001", "+15005550006")
        assert re.search(r"\b\d{6}\b", gateway.texts[0]["Body"])
        assert gateway.logins[0] == "Basic QUMxOnRva2Vu"
        await eventually(lambda: _counted(world, 'auth_sms_total{country="ES",result="sent"}', 1))


async def _counted(world: World, line: str, count: int) -> bool:
    return await world.metric(line) == count


async def test_a_number_that_is_none_is_not_tried_again(worlds: Worlds, tmp_path: Path) -> None:
    """A busy gateway is."""
    async with taking() as gateway, worlds(outside=gateway.outside, **route(gateway, tmp_path)) as world:
        gateway.status, gateway.answer = 503, {}
        assert await ask(world, "+34600000001", "203.0.113.1") == 202
        await eventually(lambda: len(gateway.logins) == 1)
        gateway.status, gateway.answer = 400, {"code": 21614}
        world.clock.pass_s(60)
        await eventually(lambda: _counted(world, 'auth_sms_total{country="ES",result="unknown"}', 1))
        world.clock.pass_s(3600)

        assert len(gateway.logins) == 2


async def test_a_code_is_bound_to_our_pages(worlds: Worlds, tmp_path: Path) -> None:
    """By the last line of the text, under a name; an address is none."""
    async with taking() as gateway:
        settings = route(gateway, tmp_path, PUBLIC_ORIGIN="https://chat.example.org")
        async with worlds(outside=gateway.outside, **settings) as world:
            assert await ask(world, "+34600000001", "203.0.113.1") == 202
            await eventually(lambda: gateway.texts)
        assert re.search(r"is (\d{6})\..*\n\n@chat\.example\.org #\1$", gateway.texts[0]["Body"], re.DOTALL)
        assert "//" not in gateway.texts[0]["Body"]

        async with worlds(outside=gateway.outside, **route(gateway, tmp_path)) as world:
            assert await ask(world, "+34600000002", "203.0.113.1") == 202
            await eventually(lambda: len(gateway.texts) == 2)
        assert "@" not in gateway.texts[1]["Body"]


def codes_in(gateway: SmsGateway) -> list[str]:
    """The codes to register that it took."""
    found = (re.search(r"code to register is (\d{6})", text["Body"]) for text in gateway.texts)
    return [match[1] for match in found if match]


async def registered(world: World, gateway: SmsGateway, phone: str, name: str) -> str:
    """A whole registration with a number; returns the access token."""
    body = {"password": PASSWORD, "phone": phone}
    before = codes_in(gateway)
    started = await world.pay("/registrations", body, "register", phone)
    assert started.status == 202, started
    await eventually(lambda: len(codes_in(gateway)) > len(before))
    one = f"/registrations/{started.body['flow_id']}"
    proved = await world.post(
        f"{one}/verify", {"flow_secret": started.body["flow_secret"], "code": codes_in(gateway)[-1]}
    )
    ticket = proved.body["registration_ticket"]
    done = await world.post(f"{one}/complete", {"ticket": ticket, "username": name})
    assert done.status == 201, done
    token: str = done.body["tokens"]["access_token"]
    return token


async def test_whoever_wants_no_more_texts_makes_the_number_suspect(worlds: Worlds, tmp_path: Path) -> None:
    """It counts for nothing, its owner is told, and whoever has it now registers with it; the name of the number is theirs then."""
    phone = "+34600000001"
    async with taking() as gateway, worlds(outside=gateway.outside, **route(gateway, tmp_path)) as world:
        token = await registered(world, gateway, phone, "ana")
        world.clock.pass_s(61)
        gateway.status, gateway.answer = 400, {"code": 21610}
        assert (await world.post("/step-up/send", {"channel": "sms"}, token=token)).status == 202

        async def suspect() -> bool:
            return bool((await world.get("/me/phones", token=token)).body["contacts"][0]["suspect"])

        await eventually(suspect)
        events = (await world.get("/me/security-events", token=token)).body["events"]
        assert [event["kind"] for event in events][:1] == ["number_suspect"]
        gateway.status, gateway.answer = 201, {"sid": "SM2"}
        world.clock.pass_s(61)
        assert (await world.post("/step-up/send", {"channel": "sms"}, token=token)).status == 202
        await registered(world, gateway, phone, "bea")
        assert not [text for text in gateway.texts if "prove that it is you" in text["Body"]]
        entered = await world.post("/login", {"identifier": phone, "password": PASSWORD})
        assert entered.body["user"]["username"] == "bea"


async def test_abuse_48_pumping_ends_at_the_caps(worlds: Worlds, tmp_path: Path) -> None:
    """Many numbers from one address, several countries, many addresses: ten, three, and what the operator pays for a day; the refusals are counted."""
    async with taking() as gateway:
        settings = route(gateway, tmp_path, SMS_PER_DAY="14", SMS_PER_COUNTRY_PER_DAY="12")
        async with worlds(outside=gateway.outside, **settings) as world:
            for phone in ("+34600000001", "+351912345678", "+33612345678", "+4915123456789", "+12025550143"):
                assert await ask(world, phone, "203.0.113.1") == 202
            for number in range(10, 22):
                assert await ask(world, f"+346000000{number}", "203.0.113.1") == 202
            for number in range(30, 45):
                assert await ask(world, f"+346000000{number}", f"203.0.113.{number}") == 202
            await eventually(lambda: len(gateway.texts) == 14)

            for cap in ("sms_prefix_countries", "sms_country", "sms_prefix", "sms_all"):
                assert await world.metric(f'auth_limit_total{{bucket="{cap}"}}') > 0, cap
            await eventually(lambda: _counted(world, 'auth_sms_day_share{country="all"}', 1))
            countries = {text["To"][:3] for text in gateway.texts}
            assert countries == {"+34", "+35", "+33"}
