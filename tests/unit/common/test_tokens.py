"""garita_common.core.tokens: the attack table is the design's."""

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import tokens
from garita_common.core.tokens import Claims, Jwks, Keyring, TokenInvalid, TokenOver

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
JWK = tokens.jwk_of(KEY.public_key())
RING = Keyring.parse(msgspec.json.encode(Jwks([JWK])))
CLAIMS = Claims(
    iss="garita",
    sub="u1",
    aud="chat",
    iat=1000,
    nbf=1000,
    exp=1300,
    jti="j",
    client_id="web",
    sid="s",
    did="d",
    name="ana",
)
TOKEN = tokens.sign(CLAIMS, KEY)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verify(token: str, now_s: float = 1100, audience: tokens.Audience = "chat") -> Claims:
    """Verifies with the one key."""
    return RING.verify(token, issuer="garita", audience=audience, now_s=now_s)


def forge(header: object, payload: object = None, key: Ed25519PrivateKey = KEY) -> str:
    """A token with another header or payload, rightly signed over what it says."""
    head = header if isinstance(header, str) else b64(json.dumps(header).encode())
    body = PAYLOAD if payload is None else b64(json.dumps(payload).encode())
    return f"{head}.{body}.{b64(key.sign(f'{head}.{body}'.encode()))}"


def test_a_token_of_ours_is_accepted() -> None:
    """The claims come back as they were signed."""
    assert verify(TOKEN) == CLAIMS


def test_a_thumbprint_is_rfc_7638s() -> None:
    """RFC 8037 Appendix A.3 gives key and thumbprint."""
    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    ring = Keyring.parse(
        json.dumps(
            {
                "keys": [
                    {"kty": "OKP", "crv": "Ed25519", "x": b64(x), "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}
                ]
            }
        ).encode()
    )

    assert len(ring) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": JWK.kid, "typ": "at+jwt"},
        {"alg": "NONE", "kid": JWK.kid, "typ": "at+jwt"},
        {"alg": "HS256", "kid": JWK.kid, "typ": "at+jwt"},
        {"alg": "EdDSA", "kid": "../../etc/passwd", "typ": "at+jwt"},
        {"alg": "EdDSA", "kid": "' OR 1=1 --", "typ": "at+jwt"},
        {"alg": "EdDSA", "kid": "x" * 3000, "typ": "at+jwt"},
        {"alg": "EdDSA", "kid": JWK.kid, "typ": "JWT"},
        {"alg": "EdDSA", "kid": JWK.kid, "typ": "at+jwt", "crit": ["x"]},
        {"alg": "EdDSA", "kid": JWK.kid, "typ": "at+jwt", "jwk": {"kty": "OKP"}},
        {"alg": "EdDSA", "kid": JWK.kid, "typ": "at+jwt", "jku": "http://127.0.0.1/"},
        {"alg": "EdDSA", "typ": "at+jwt"},
        {},
    ],
)
def test_no_header_but_the_canonical_one_is_read(header: dict[str, object]) -> None:
    """Even rightly signed by our own key."""
    with pytest.raises(TokenInvalid):
        verify(forge(header))


def test_a_header_with_a_repeated_key_is_refused() -> None:
    """A second `alg` has no place to stand."""
    header = b64(f'{{"alg":"none","alg":"EdDSA","kid":"{JWK.kid}","typ":"at+jwt"}}'.encode())

    with pytest.raises(TokenInvalid):
        verify(forge(header))


@pytest.mark.parametrize(
    "change",
    [
        {"exp": "1300"},
        {"exp": 1300.0},
        {"exp": 10**12},
        {"aud": ["chat", "auth"]},
        {"aud": "root"},
        {"iss": "other"},
        {"sub": 5},
        {"nbf": 2000},
        {"iat": 2000},
        {"sub": None},
    ],
)
def test_a_claim_of_the_wrong_type_or_value_is_refused(change: dict[str, object]) -> None:
    """Though the signature is right."""
    payload = json.loads(msgspec.json.encode(CLAIMS)) | change

    with pytest.raises(TokenInvalid):
        verify(forge(HEADER, payload))


def test_another_audience_is_refused() -> None:
    """One token, one audience."""
    for audience in ("auth", "console"):
        with pytest.raises(TokenInvalid):
            verify(TOKEN, audience=audience)


def test_another_key_is_refused() -> None:
    """Under our header, signed by a stranger."""
    with pytest.raises(TokenInvalid):
        verify(forge(HEADER, key=Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        TOKEN + ".x",
        TOKEN + "=",
        TOKEN + "AA",
        f"{HEADER}.{PAYLOAD}.",
        f"{HEADER}.{PAYLOAD}.{b64(bytes(64))}",
        f"{HEADER}..{SIGNATURE}",
        TOKEN.replace(".", " "),
        "é" * 10,
        "x" * 5000,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Missing, empty, doubled, padded and trailing parts."""
    with pytest.raises(TokenInvalid):
        verify(token)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_a_token_with_one_character_changed_is_refused(place: int, character: str) -> None:
    """A 0 made a 1 anywhere: no other spelling of the same token is accepted either."""
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]

    if changed != TOKEN:
        with pytest.raises(TokenInvalid):
            verify(changed)


def test_time_is_judged_with_30_s_of_skew() -> None:
    """At the last moment it passes, one later it is over; before its time it is invalid."""
    assert verify(TOKEN, now_s=1329.9) == CLAIMS
    with pytest.raises(TokenOver):
        verify(TOKEN, now_s=1330)
    assert verify(TOKEN, now_s=970) == CLAIMS
    with pytest.raises(TokenInvalid):
        verify(TOKEN, now_s=969)


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b'{"keys":[{"kty":"RSA"}]}', b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"k"}]}'],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    """Another kind of key, a short one, none at all."""
    with pytest.raises(ValueError, match=r".+"):
        Keyring.parse(document)


def test_a_kid_that_is_not_the_thumbprint_is_refused() -> None:
    """A key cannot borrow another's name."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": JWK.x, "kid": "other"}

    with pytest.raises(ValueError, match="thumbprint"):
        Keyring.parse(json.dumps({"keys": [jwk]}).encode())
