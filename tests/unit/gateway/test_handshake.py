"""The upgrade request: what is accepted, and every single thing that is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import handshake
from gateway.core.handshake import Rejected
from tests.fakes.wire_clients import upgrade

PAGE = "https://chat.example"


def accept(data: bytes) -> bytes:
    """The answer to a request, where `PAGE` may connect."""
    return handshake.accept(handshake.parse_head(data), frozenset({PAGE}))


def rejected(data: bytes) -> Rejected:
    """The refusal of a request."""
    with pytest.raises(Rejected) as caught:
        accept(data)
    return caught.value


def test_the_key_of_the_rfc_is_answered_as_in_the_rfc() -> None:
    """RFC 6455 §1.3's own example."""
    answer = accept(upgrade(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="))

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b"\r\nSec-WebSocket-Protocol: garita.v1\r\n" in answer
    assert b"Extensions" not in answer


def test_a_browser_comes_from_a_page_that_may() -> None:
    """An allowed origin passes; no origin is no browser."""
    assert accept(upgrade(Origin=PAGE))
    assert accept(upgrade())


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        PAGE + "/",
        "http://chat.example",
        PAGE.upper(),
        PAGE + ":443",
        PAGE + ":8443",
        PAGE + ".evil.example",
        f"{PAGE} {PAGE}",
        f"{PAGE}, {PAGE}",
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    """By exact comparison."""
    assert rejected(upgrade(Origin=origin)).status == 403


def test_an_empty_list_refuses_every_browser() -> None:
    """No origin at all may come."""
    with pytest.raises(Rejected) as caught:
        handshake.accept(handshake.parse_head(upgrade(Origin=PAGE)), frozenset())
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Host": None}, 400),
        ({"Upgrade": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": None}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Protocol": None}, 400),
        ({"Sec_WebSocket_Protocol": "chat"}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": "!" * 24}, 400),
        ({"Content_Length": "5"}, 400),
        ({"Transfer_Encoding": "chunked"}, 400),
    ],
)
def test_an_upgrade_that_lacks_something_is_refused(changes: dict[str, str | None], status: int) -> None:
    """Each of them alone."""
    assert rejected(upgrade(**changes)).status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Upgrade": "WebSocket"},
        {"Sec_WebSocket_Protocol": "other, garita.v1"},
        {"Sec_WebSocket_Extensions": "permessage-deflate"},
    ],
)
def test_what_browsers_and_libraries_write_differently_is_accepted(changes: dict[str, str]) -> None:
    """Lists, case, and extensions that are not taken up."""
    assert b"101" in accept(upgrade(**changes))


def test_a_header_that_may_come_once_comes_once() -> None:
    """Two hosts, two keys, two origins are ambiguous."""
    request = upgrade()
    for twice in (
        b"Host: other\r\n",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        b"Sec-WebSocket-Version: 13\r\n",
    ):
        assert rejected(request.replace(b"\r\n", b"\r\n" + twice, 1)).status == 400
    assert rejected(upgrade(Origin=PAGE).replace(b"\r\n", b"\r\nOrigin: x\r\n", 1)).status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET /v1/socket\r\n\r\n",
        b"GET  /v1/socket HTTP/1.1\r\n\r\n",
        b"get /v1/socket HTTP/1.1\r\n\r\n",
        b"GET /v1/socket HTTP/2.0\r\n\r\n",
        b"GET /v1/socket HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /v1/socket HTTP/1.1\r\n Host: a\r\n\r\n",
        b"GET /v1/socket HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"GET /v1/socket HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET /v1/socket HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
def test_a_head_that_is_none_is_refused(data: bytes) -> None:
    """Rather than interpreted."""
    with pytest.raises(Rejected) as caught:
        handshake.parse_head(data)
    assert caught.value.status == 400


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    """Nothing else is raised."""
    status = 101
    try:
        handshake.accept(handshake.parse_head(data + b"\r\n\r\n"), ())
    except Rejected as refusal:
        status = refusal.status

    assert status in {101, 400, 403, 426}


def test_the_path_is_compared_without_its_query() -> None:
    """A query changes nothing."""
    head = handshake.parse_head(b"GET /v1/socket?a=/v1/socket HTTP/1.1\r\nHost: a\r\n\r\n")

    assert head.path == handshake.SOCKET_PATH
    assert handshake.parse_head(b"GET /v1/socket/ HTTP/1.1\r\n\r\n").path != handshake.SOCKET_PATH


def test_a_refusal_is_a_whole_answer() -> None:
    """With its length, its waiting time and nothing to come after it."""
    answer = handshake.refusal(429, {"code": "rate_limited"}, retry_after_s=2.1)
    head, body = answer.split(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"\r\nRetry-After: 3" in head
    assert b"\r\nConnection: close" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Sec-WebSocket-Version: 13" in handshake.refusal(426, {})
