"""auth_service.core.gateways: requests that send a text, and what answers mean."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.gateways import BadTemplate, Gateway, check, outcome_of, parse_object, request_of
from auth_service.core.parcels import Outcome

TWILIO = Gateway("twilio", "https://sms.example/Accounts/AC1/Messages.json", "+15005550006", user="AC1")
PLAIN = Gateway(
    "template",
    "https://sms.example/v1/send?key={password}",
    "Garita",
    headers={"X-Key": "k {password}"},
    body={"messages": [{"to": "{to}", "content": "{text}", "n": 1}], "ref": "{id}"},
)
NASTY = 'a"b&to=+1\r\nX-Evil: 1\n{to}{password}\\ñ'


def sent(gateway: Gateway, text: str = "hola") -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body."""
    made = request_of(gateway, to="+34600000000", text=text, message_id="ab12", password="s3cret")
    return made.url, dict(made.headers), made.body


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_text_stays_one_field(text: str) -> None:
    """Quotes, ampersands, braces and line breaks neither add a field nor change another."""
    _, _, body = sent(TWILIO, text)
    form = parse_qs(body.decode(), keep_blank_values=True)
    assert form == {"To": ["+34600000000"], "From": ["+15005550006"], "Body": [text]}

    _, _, body = sent(PLAIN, text)
    assert json.loads(body) == {"messages": [{"to": "+34600000000", "content": text, "n": 1}], "ref": "ab12"}


def test_a_text_in_a_url_or_header_cannot_leave_its_place() -> None:
    """Not to another parameter, host or header."""
    gateway = replace(PLAIN, url="https://sms.example/send/{to}?text={text}", headers={"X-T": "{text}"}, body={})
    url, headers, body = sent(gateway, NASTY)

    assert urlsplit(url).netloc == "sms.example"
    assert urlsplit(url).path == "/send/%2B34600000000"
    assert parse_qs(urlsplit(url).query) == {"text": [NASTY]}
    assert "\n" not in headers["X-T"] and "\r" not in headers["X-T"]
    assert body == b""


def test_a_form_is_sent_where_the_operator_says_so() -> None:
    """Instead of JSON."""
    url, headers, body = sent(replace(PLAIN, body={"n": "{to}", "t": "{text}"}, body_as="form"), NASTY)

    assert url == "https://sms.example/v1/send?key=s3cret"
    assert headers == {"Content-Type": "application/x-www-form-urlencoded", "X-Key": "k s3cret"}
    assert parse_qs(body.decode()) == {"n": ["+34600000000"], "t": [NASTY]}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (201, b'{"sid":"SM1"}', Outcome.SENT),
        (400, b'{"code":21211}', Outcome.UNKNOWN),
        (400, b'{"code":21614}', Outcome.UNKNOWN),
        (400, b'{"code":21610}', Outcome.STOPPED),
        (400, b'{"code":21408}', Outcome.LATER),
        (400, b"not json", Outcome.LATER),
        (401, b'{"code":20003}', Outcome.LATER),
        (429, b'{"code":20429}', Outcome.LATER),
        (500, b"", Outcome.LATER),
        (302, b"", Outcome.LATER),
    ],
)
def test_twilio_s_answers(status: int, body: bytes, outcome: Outcome) -> None:
    """Only what is known to be about the number is final."""
    assert outcome_of(TWILIO, status, body) is outcome


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"messages":[{"status":"queued"}]}', Outcome.SENT),
        (200, b'{"messages":[{"status":"failed"}]}', Outcome.LATER),
        (200, b'{"messages":[]}', Outcome.LATER),
        (200, b"[" * 100_000, Outcome.LATER),
        (422, b"", Outcome.UNKNOWN),
        (403, b"", Outcome.LATER),
        (503, b"", Outcome.LATER),
    ],
)
def test_a_described_gateway_s_answers(status: int, body: bytes, outcome: Outcome) -> None:
    """By status, and by the place that the operator named."""
    gateway = replace(PLAIN, success_path="messages.0.status", success_value="queued")

    assert outcome_of(gateway, status, body) is outcome


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://{to}/"},
        {"url": "/send"},
        {"url": "https://user:pass@sms.example/"},
        {"body": {"to": "{to}"}},
        {"headers": {"X": 1}},
    ],
)
def test_a_description_that_cannot_work_is_refused(changes: dict[str, object]) -> None:
    """The host is fixed, and a text needs a number and words."""
    assert check(PLAIN) == "sms.example"
    with pytest.raises(BadTemplate):
        check(replace(PLAIN, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["[1]", "{", '{"a":"{nobody}"}'])
def test_a_setting_that_is_no_object_is_refused(text: str) -> None:
    """With a name that nobody fills, too."""
    with pytest.raises(BadTemplate):
        parse_object(text)
    assert parse_object("") == {}
