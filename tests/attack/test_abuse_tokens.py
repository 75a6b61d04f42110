"""Forged tokens at the API and at a gateway: the attack table, with the server's own key where the forger would need it; and tokens of other audiences."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth_service.core.sealing import Seals, parse_key
from tests.attack import people, raw
from tests.attack.conftest import Target
from tests.attack.test_g11_forged_token import refusal


def compact(data: Any) -> str:
    """JSON as our tokens have it: a header that is only spaced otherwise is refused for that alone."""
    return json.dumps(data, separators=(",", ":"))


def b64(data: Any) -> str:
    """A JWS segment; str and bytes are taken as they are."""
    encoded = data if isinstance(data, bytes) else (data if isinstance(data, str) else compact(data)).encode()
    return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()


@dataclass
class Forge:
    """A good token and all that a forger could wish for: the signing key too."""

    token: str
    key: Ed25519PrivateKey
    tokens: dict[str, Any]
    header: dict[str, Any] = field(init=False)
    claims: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Takes the token apart."""
        header, claims, _ = self.token.split(".")
        self.header, self.claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))

    def made(self, header: Any = None, claims: Any = None, key: Ed25519PrivateKey | None = None) -> str:
        """A token that is rightly signed; str and bytes are taken as they are."""
        signed = f"{b64(self.header if header is None else header)}.{b64(self.claims if claims is None else claims)}"
        return f"{signed}.{b64((key or self.key).sign(signed.encode()))}"

    def with_header(self, **changes: Any) -> str:
        """With another header, rightly signed."""
        return self.made({**self.header, **changes})

    def with_claims(self, **changes: Any) -> str:
        """With other claims, rightly signed."""
        return self.made(claims={**self.claims, **changes})

    def hs256(self, secret: bytes) -> str:
        """Signed with HMAC, the public key being the secret."""
        signed = f"{b64({**self.header, 'alg': 'HS256'})}.{b64(self.claims)}"
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def public(self, encoding: Encoding, shape: PublicFormat) -> bytes:
        """Our public key as a forger finds it."""
        return self.key.public_key().public_bytes(encoding, shape)

    @property
    def jwk(self) -> dict[str, str]:
        """A key of the forger's own."""
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.public(Encoding.Raw, PublicFormat.Raw))}

    def part(self, number: int) -> str:
        """A segment of the good token."""
        return self.token.split(".")[number]


OTHER = Ed25519PrivateKey.generate()
ROWS: dict[str, Callable[[Forge], str]] = {
    **{
        f"alg {alg}": lambda f, alg=alg: f"{b64({**f.header, 'alg': alg})}.{f.part(1)}."  # type: ignore[misc]
        for alg in ("none", "None", "NONE", "nOnE")
    },
    "HS256 with our JWK": lambda f: f.hs256(json.dumps(f.jwk).encode()),
    "HS256 with our PEM": lambda f: f.hs256(f.public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
    "HS256 with our DER": lambda f: f.hs256(f.public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "jwk header": lambda f: f.with_header(jwk=f.jwk),
    "jku header": lambda f: f.with_header(jku="http://127.0.0.1:1/jwks.json"),
    "x5u header": lambda f: f.with_header(x5u="http://127.0.0.1:1/cert"),
    "x5c header": lambda f: f.with_header(x5c=["MIIB"]),
    "kid traversal": lambda f: f.with_header(kid="../../../../dev/null"),
    "kid SQL": lambda f: f.with_header(kid="' OR '1'='1"),
    "kid NUL": lambda f: f.with_header(kid=f.header["kid"] + "\0"),
    "kid 10 KB": lambda f: f.with_header(kid="k" * 10_240),
    "unknown kid": lambda f: f.with_header(kid="A" * 43),
    "unknown crit": lambda f: f.with_header(crit=["exp"]),
    "duplicate header key": lambda f: f.made(compact(f.header)[:-1] + ',"alg":"none"}'),
    "duplicate claim": lambda f: f.made(claims=compact(f.claims)[:-1] + ',"aud":"console","exp":99999999999}'),
    "typ of an id token": lambda f: f.with_header(typ="JWT"),
    "no typ": lambda f: f.made({name: value for name, value in f.header.items() if name != "typ"}),
    "refresh token": lambda f: str(f.tokens["refresh_token"]),
    "device secret": lambda f: str(f.tokens["device"]),
    "exp as text": lambda f: f.with_claims(exp=str(f.claims["exp"])),
    "exp as float": lambda f: f.with_claims(exp=f.claims["exp"] + 0.5),
    "exp huge": lambda f: f.with_claims(exp=2**62),
    "exp negative": lambda f: f.with_claims(exp=-1),
    "aud as list": lambda f: f.with_claims(aud=[f.claims["aud"]]),
    "aud as list of all": lambda f: f.with_claims(aud=["auth", "chat", "console"]),
    "aud in capitals": lambda f: f.with_claims(aud=f.claims["aud"].upper()),
    "another issuer": lambda f: f.with_claims(iss="somebody"),
    "another key": lambda f: f.made(key=OTHER),
    "zero signature": lambda f: f"{f.part(0)}.{f.part(1)}.{b64(bytes(64))}",
    "no signature": lambda f: f"{f.part(0)}.{f.part(1)}.",
    "trailing segment": lambda f: f.token + ".AAAA",
    "trailing bytes": lambda f: f.token + "AAAA",
    "padding": lambda f: f.token + "==",
    "padded header": lambda f: f"{f.part(0)}=.{f.part(1)}.{f.part(2)}",
    "not canonical": lambda f: f.token[:-1] + chr(ord(f.token[-1]) + 1),
    "standard alphabet": lambda f: f"{f.part(0)}.{f.part(1)}.{'+' + f.part(2)[1:]}",
}  # fmt: skip


def signing_key(target: Target) -> Ed25519PrivateKey:
    """The stack's own key, as nobody outside gets it."""
    secrets, database = target.state / "secrets", target.state / "auth" / "auth.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        kid, sealed = db.execute("SELECT kid, sealed_private FROM signing_keys ORDER BY signs_ms DESC").fetchone()
    seals = Seals(parse_key((secrets / "auth_data_key").read_text().strip()))
    return Ed25519PrivateKey.from_private_bytes(seals.open("signing-key", kid, sealed))


@pytest.fixture(scope="module")
def forges(target: Target) -> dict[str, Forge]:
    """A forger's material for each audience, made once."""
    return asyncio.run(material(target))


async def material(target: Target) -> dict[str, Forge]:
    """An account's tokens, and the key."""
    person, key = await target.person(), signing_key(target)
    async with people.Api(target.origin, person.source) as api:
        chat = await person.chat_token(api)
        body = {"refresh_token": person.tokens["refresh_token"], "device_hint": person.tokens["device"]}
        auth = (await api.post("token/refresh", body)).body
    tokens = person.tokens | auth
    return {"chat": Forge(chat, key, tokens), "auth": Forge(auth["access_token"], key, tokens)}


async def api_status(target: Target, token: str) -> int:
    """What the API answers to this token."""
    async with people.Api(target.origin, raw.fresh_address()) as api:
        return (await api.get("me", token)).status


async def test_what_the_forger_starts_from_is_good(target: Target, forges: dict[str, Forge]) -> None:
    """Signed anew with the key, nothing changed: so each row is refused for its own change."""
    assert await api_status(target, forges["auth"].made()) == 200
    async with raw.tcp(target.tcp(), raw.fresh_address()) as connection:
        assert (await connection.connect(forges["chat"].made()))["op"] == "ok"


@pytest.mark.parametrize("row", ROWS)
async def test_abuse_17_no_forged_token_opens_anything(target: Target, forges: dict[str, Forge], row: str) -> None:
    """401 at the API, 4500 at the gateway."""
    forged = ROWS[row](forges["auth"])
    if len(forged) < 8_000:  # more is no header any more (aiohttp: 8 190 bytes), and has no answer of ours
        assert await api_status(target, forged) == 401
    assert await refusal(target, ROWS[row](forges["chat"])) in (
        4500,
        4502,
        4403,
    )  # 4502: longer than a first frame may be; 4403: over


async def test_abuse_69_a_token_is_for_one_audience(target: Target, forges: dict[str, Forge]) -> None:
    """An auth token at a gateway and the detector, a chat token at the API, a console token at either: refused; signed by us all the same."""
    chat, auth = forges["chat"].token, forges["auth"].token
    console = forges["auth"].with_claims(aud="console")
    assert [await api_status(target, token) for token in (auth, chat, console)] == [200, 401, 401]
    assert [await refusal(target, token) for token in (auth, console)] == [4500, 4500]
    operator = str(target.facts["operator"])
    async with people.Api(target.origin, "127.0.0.1") as api:
        for token in (auth, chat, console):
            headers = {"Authorization": f"Bearer {token}"}
            async with api._http.get(f"{operator}/v1/bans", headers=headers) as response:
                assert response.status == 401


@pytest.mark.parametrize("claim", ["sub", "sid", "did"])
async def test_abuse_69_renew_keeps_user_session_and_device(
    target: Target, forges: dict[str, Forge], claim: str
) -> None:
    """Another's is refused with 4500, though it is rightly signed."""
    forge = forges["chat"]
    other = "u" + "0" * 32 if claim == "sub" else "0" * 32
    async with raw.tcp(target.tcp(), raw.fresh_address()) as connection:
        assert (await connection.connect(forge.made()))["op"] == "ok"
        await connection.send_json({"op": "renew", "id": 9, "token": forge.with_claims(**{claim: other})})
        closed = await connection.end()
    assert closed.said is not None and closed.said["code"] == 4500
