"""What an SMS gateway is asked and what its answer means: one of Twilio's shape, and one that the operator describes.

The operator's templates are filled after they were taken apart: a text or number with quotes, ampersands or line breaks stays a value and never becomes a field,
a header or another host.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from .parcels import Outcome

NAMES: Final = frozenset({"to", "text", "from", "id", "password"})
_PLACE: Final = re.compile(r"\{(\w+)\}")

# Twilio's error codes that no further try can mend: not a number, not a mobile one, not reachable from there. The rest (no money, a region that is switched off,
# too fast) is for the operator or for time to mend.
TWILIO_UNKNOWN: Final = frozenset({21211, 21214, 21217, 21219, 21612, 21614, 21265, 30005, 30006})
TWILIO_STOPPED: Final = 21610
FINAL_STATUSES: Final = frozenset({400, 410, 422})
"""Of a described gateway: the request was understood, and its number is not one. 401, 403 and 404 are mistakes in the settings."""


class BadTemplate(ValueError):
    """The operator's description of a gateway cannot work; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as the settings describe it. `body`: a JSON object, sent as JSON or as a form; `success`: dotted path in a JSON answer, and the value it must have."""

    shape: Literal["twilio", "template"]
    url: str
    sender: str
    user: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    body_as: Literal["json", "form"] = "json"
    success_path: str = ""
    success_value: str = ""


def parse_object(text: str) -> dict[str, Any]:
    """A setting that is a JSON object; empty is an empty one.

    Raises:
        BadTemplate: it is none, or names a place that we do not fill.
    """
    if not text:
        return {}
    try:
        parsed = json.loads(text)
    except ValueError as exc:
        raise BadTemplate("it is not JSON") from exc
    if not isinstance(parsed, dict):
        raise BadTemplate("it is not a JSON object")
    unknown = {name for name in _PLACE.findall(text) if name not in NAMES}
    if unknown:
        raise BadTemplate(
            f"there is no {{{min(unknown)}}}; there are {', '.join('{' + name + '}' for name in sorted(NAMES))}"
        )
    return parsed


def check(gateway: Gateway) -> str:
    """The gateway's host.

    Raises:
        BadTemplate: its URL is not one to a fixed host, or neither URL nor body say whom to send what.
    """
    parts = urlsplit(gateway.url)
    if not parts.hostname or parts.username is not None or _PLACE.search(parts.netloc) or "{" in parts.scheme:
        raise BadTemplate("the URL needs a fixed host, and no password")
    written = gateway.url + json.dumps(gateway.body)
    if gateway.shape == "template" and not {"to", "text"} <= set(_PLACE.findall(written)):
        raise BadTemplate("neither the URL nor the body has {to} and {text}")
    if any(not isinstance(value, str) for value in gateway.headers.values()):
        raise BadTemplate("a header is a text")
    return parts.hostname


def request_of(gateway: Gateway, *, to: str, text: str, message_id: str, password: str) -> Request:
    """The request that sends a text. Args: to: in international form."""
    if gateway.shape == "twilio":
        login = base64.b64encode(f"{gateway.user}:{password}".encode()).decode()
        body = urlencode({"To": to, "From": gateway.sender, "Body": text}).encode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", gateway.url, headers, body)
    values = {"to": to, "text": text, "from": gateway.sender, "id": message_id, "password": password}
    url = _PLACE.sub(lambda place: quote(values.get(place[1], ""), safe=""), gateway.url)
    headers = {name: _one_line(_filled(value, values)) for name, value in gateway.headers.items()}
    if not gateway.body:
        return Request(gateway.method, url, headers, b"")
    filled = _filled(gateway.body, values)
    if gateway.body_as == "form":
        return Request(
            gateway.method,
            url,
            {"Content-Type": "application/x-www-form-urlencoded"} | headers,
            urlencode(filled).encode(),
        )
    return Request(gateway.method, url, {"Content-Type": "application/json"} | headers, json.dumps(filled).encode())


def outcome_of(gateway: Gateway, status: int, body: bytes) -> Outcome:
    """What an answer means."""
    answer = _json(body)
    if gateway.shape == "twilio":
        code = answer.get("code") if isinstance(answer, dict) else None
        if code == TWILIO_STOPPED:
            return Outcome.STOPPED
        if code in TWILIO_UNKNOWN:
            return Outcome.UNKNOWN
        return Outcome.SENT if 200 <= status < 300 else Outcome.LATER
    if status in FINAL_STATUSES:
        return Outcome.UNKNOWN
    if not 200 <= status < 300:
        return Outcome.LATER
    if gateway.success_path and _at(answer, gateway.success_path) != gateway.success_value:
        return Outcome.LATER
    return Outcome.SENT


def _filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its places filled, in texts alone and once: a value that looks like a place stays as it is."""
    if isinstance(template, str):
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)
    if isinstance(template, Mapping):
        return {name: _filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    return template


def _one_line(text: str) -> str:
    """A header's value: line breaks would begin another header."""
    return " ".join(text.split())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _at(answer: Any, path: str) -> str | None:
    for name in path.split("."):
        if isinstance(answer, list) and name.isdecimal() and int(name) < len(answer):
            answer = answer[int(name)]
        elif isinstance(answer, dict) and name in answer:
            answer = answer[name]
        else:
            return None
    return answer if isinstance(answer, str) else json.dumps(answer)
