"""auth_service.mailing with auth_service.courier: codes and notices reach a real SMTP receiver, whatever it does."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import ssl
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.mail_receiver import TAKEN, Receiver, receiving
from tests.integration.auth_service.conftest import PASSWORD, Person, World, Worlds, eventually

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def route(receiver: Receiver, **settings: str) -> dict[str, str]:
    """The settings that send mail to a receiver."""
    return {
        "GARITA_MODE": "production",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(receiver.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "garita@chat.example",
        "PUBLIC_ORIGIN": "https://chat.example",
    } | settings


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A receiver's TLS, and the file by which it is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, both = folder / "ca.pem", folder / "both.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(
        pem.read_bytes()
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    return context, pem


async def registered(world: World, receiver: Receiver, email: str) -> Person:
    """A registration by what the mailbox got."""
    started = await world.start(email=email)
    assert started.status == 202, started
    await eventually(lambda: re.search(r"\b\d{6}\b", receiver.text_to(email)))
    code = re.findall(r"\b\d{6}\b", receiver.text_to(email))[-1]
    path = f"/registrations/{started.body['flow_id']}"
    verified = await world.post(f"{path}/verify", {"flow_secret": started.body["flow_secret"], "code": code})
    assert verified.status == 200, verified
    name = email.partition("@")[0]
    done = await world.post(f"{path}/complete", {"ticket": verified.body["registration_ticket"], "username": name})
    assert done.status == 201, done
    return Person(name, email, done.body["user"]["id"], done.body["tokens"])


async def waiting(world: World) -> int:
    """Rows in the outbox."""
    import aiosqlite

    async with aiosqlite.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
        rows = list(await db.execute_fetchall("SELECT count(*) FROM outbox"))
        return int(rows[0][0])


async def test_a_code_arrives_and_opens_an_account(worlds: Worlds) -> None:
    """In production mode, without the demo outbox; what was sent does not stay in the database."""
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        await registered(world, receiver, "ana@example.org")

        mail = receiver.mails[0]
        assert mail["From"] == "Garita <garita@chat.example>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Message-ID"].endswith("@chat.example>")
        await eventually(lambda: _is_zero(waiting(world)))
        assert await world.metric('auth_mail_total{result="sent"}') == 1


async def _is_zero(count: object) -> bool:
    return await count == 0  # type: ignore[misc]


@pytest.mark.parametrize("wrapped", [False, True], ids=["starttls", "tls"])
async def test_mail_goes_over_tls_with_a_password_from_a_file(worlds: Worlds, tmp_path: Path, wrapped: bool) -> None:
    """The receiver's certificate is checked against the authorities that the setting names."""
    tls, ca = certificate(tmp_path)
    (tmp_path / "smtp-password").write_text("right\n")
    async with receiving(tls, wrapped=wrapped, login=True) as receiver:
        settings = {
            "SMTP_SECURITY": "tls" if wrapped else "starttls",
            "SMTP_CA": str(ca),
            "SMTP_USER": "garita",
            "SMTP_PASSWORD_FILE": str(tmp_path / "smtp-password"),
        }
        async with worlds(**route(receiver, **settings)) as world:
            await world.start(email="ana@example.org")
            await eventually(lambda: receiver.mails)

        assert receiver.logins[-1] == (b"garita", b"right")
        assert wrapped or receiver.encrypted == [True]


@pytest.mark.parametrize("wrapped", [False, True], ids=["starttls", "tls"])
async def test_a_receiver_that_cannot_prove_its_name_gets_nothing(
    worlds: Worlds, tmp_path: Path, wrapped: bool
) -> None:
    """The same receiver without its authority."""
    tls, _ = certificate(tmp_path)
    async with receiving(tls, wrapped=wrapped) as receiver:
        async with worlds(**route(receiver, SMTP_SECURITY="tls" if wrapped else "starttls")) as world:
            await world.start(email="ana@example.org")
            await eventually(lambda: _is_counted(world, "later"))

            assert (receiver.mails, receiver.tries) == ([], 0)


async def _is_counted(world: World, result: str) -> bool:
    return await world.metric(f'auth_mail_total{{result="{result}"}}') > 0


async def test_a_receiver_without_starttls_gets_nothing(worlds: Worlds) -> None:
    """A stripped offer of TLS must not make the mail readable on its way."""
    async with receiving() as receiver, worlds(**route(receiver, SMTP_SECURITY="starttls")) as world:
        await world.start(email="ana@example.org")
        await eventually(lambda: _is_counted(world, "later"))

        assert receiver.tries == 0


async def test_greylisting_is_waited_out_with_the_same_message_id(worlds: Worlds) -> None:
    """Refused for now, tried again a minute later and not before."""
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        receiver.to_recipient = lambda tries: TAKEN if tries > 1 else "450 come back later"
        receiver.to_data = lambda tries: "451 again" if tries == 2 else TAKEN
        await world.start(email="ana@example.org")
        await eventually(lambda: _is_counted(world, "later"))
        assert receiver.tries == 1

        world.clock.pass_s(MINUTE_S)
        await eventually(lambda: receiver.tries == 2)
        assert receiver.mails == []

        world.clock.pass_s(2 * MINUTE_S)
        await eventually(lambda: receiver.mails)
        await eventually(lambda: _is_zero(waiting(world)))
        assert receiver.tries == 3


async def test_a_mailbox_that_does_not_exist_is_not_tried_again(worlds: Worlds) -> None:
    """550 for the recipient is final."""
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        receiver.to_recipient = lambda _: "550 no such user"
        await world.start(email="ana@example.org")
        await eventually(lambda: _is_zero(waiting(world)))

        assert receiver.tries == 1
        assert await _is_counted(world, "unknown")


async def test_a_receiver_that_hangs_is_left_after_its_time(worlds: Worlds) -> None:
    """And tried again later."""
    async with receiving() as receiver, worlds(**route(receiver, SMTP_TIMEOUT_S="0.2")) as world:
        receiver.hangs = True
        await world.start(email="ana@example.org")
        await eventually(lambda: _is_counted(world, "later"))

        receiver.hangs = False
        world.clock.pass_s(MINUTE_S)
        await eventually(lambda: receiver.mails)


async def test_a_notice_outlives_a_receiver_that_is_away_for_days(worlds: Worlds) -> None:
    """Codes are given up after a day, a warning is delivered when the receiver is back on the sixth."""
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        person = await registered(world, receiver, "ana@example.org")
        receiver.to_recipient = lambda _: "451 not now"
        await world.start(email="bob@example.org")
        await world.log_in(person, device=False)
        await eventually(lambda: _is_lagging(world))
        for _ in range(10):  # so many tries, and the wait has grown to its 6 hours
            world.clock.pass_s(12 * HOUR_S)
            await eventually(partial(_more, receiver, receiver.tries))
        assert await world.metric("auth_notice_queue") >= 1
        await eventually(lambda: _lag(world, 5 * DAY_S))

        receiver.to_recipient = lambda _: TAKEN
        world.clock.pass_s(6 * HOUR_S)
        await eventually(lambda: "A new device logged in" in receiver.text_to("ana@example.org"))
        assert receiver.text_to("bob@example.org") == ""
        await eventually(lambda: _is_zero(waiting(world)))


def _more(receiver: Receiver, tries: int) -> bool:
    return receiver.tries > tries


async def _is_lagging(world: World) -> bool:
    return await world.metric("auth_notice_queue") >= 1


async def _lag(world: World, seconds: float) -> bool:
    return await world.metric("auth_notice_lag_seconds") >= seconds


async def test_abuse_25_a_forged_host_is_in_no_link(worlds: Worlds) -> None:
    """What the request says of its host is nowhere in the mail: links and Message-ID name the configured origin."""
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        person = await registered(world, receiver, "ana@example.org")
        forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        await world.log_in(person, device=False, headers=forged)
        await eventually(lambda: "/undo.html#" in receiver.text_to("ana@example.org"))

        links = re.findall(r"https?://[^\s#]+", receiver.text_to("ana@example.org"))
        assert set(links) == {"https://chat.example/undo.html"}
        assert "evil.example" not in "".join(str(mail) for mail in receiver.mails)


async def test_abuse_49_a_stranger_s_mailbox_is_not_filled(worlds: Worlds) -> None:
    """A hundred tries from a hundred addresses: at most four mails a day, and a minute between two of them."""
    async with receiving() as receiver:
        settings = route(
            receiver, TRUSTED_PROXIES="127.0.0.1", REGISTRATIONS_PER_CONTACT_PER_DAY="1000", HASH_WAITING="200"
        )
        async with worlds(**settings) as world:
            for number in range(40):
                body = {"password": PASSWORD, "captcha": await world.proof("register"), "email": "eve@example.org"}
                headers = {"X-Forwarded-For": f"203.0.113.{number}"}
                assert (await world.post("/registrations", body, headers=headers)).status == 202
            await eventually(lambda: receiver.mails)
            for _ in range(10):
                world.clock.pass_s(HOUR_S)
                await eventually(lambda: _is_zero(waiting(world)))

            assert 2 <= len(receiver.mails) <= 4
            assert await world.metric('auth_limit_total{bucket="mail_address"}') == 36


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"SMTP_SECURITY": "none", "SMTP_HOST": "mail.example"}, "GARITA_AUTH_SMTP_SECURITY"),
        ({"SMTP_USER": "garita"}, "GARITA_AUTH_SMTP_PASSWORD_FILE"),
        ({"MAIL_FROM": "garita@chat.example\r\nBcc: eve@example.org"}, "GARITA_AUTH_MAIL_FROM"),
        ({"MAIL_FROM": ""}, "GARITA_AUTH_MAIL_FROM"),
        ({"PUBLIC_ORIGIN": ""}, "GARITA_AUTH_PUBLIC_ORIGIN"),
        ({"SMTP_SECURITY": "starttls", "SMTP_CA": "/nowhere.pem"}, "GARITA_AUTH_SMTP_CA"),
        (
            {"SMTP_SECURITY": "tls", "SMTP_USER": "garita", "SMTP_PASSWORD_FILE": "/nowhere"},
            "password file /nowhere",
        ),
    ],
)
async def test_settings_that_cannot_work_refuse_the_start(worlds: Worlds, settings: dict[str, str], says: str) -> None:
    """With a sentence that names the setting."""
    from garita_common.config import ConfigError

    with pytest.raises(ConfigError, match=says):
        async with worlds(**route(Receiver(port=1), **settings)):
            pass


async def test_without_a_way_out_registration_is_closed_with_a_sentence(worlds: Worlds) -> None:
    """In production nobody can be sent a code; with mail alone a phone number cannot register."""
    async with worlds(GARITA_MODE="production") as world:
        answer = await world.start(email="ana@example.org")
        assert (answer.status, answer.code) == (403, "registration_closed")
        assert "invite" in answer.body["title"]
    async with receiving() as receiver, worlds(**route(receiver)) as world:
        answer = await world.start(phone="+34600000000")
        assert (answer.status, answer.code) == (403, "registration_closed")
        assert "no SMS" in answer.body["title"]
        assert (await world.start(email="ana@example.org")).status == 202
