"""/openapi.json, made from the table of endpoints: every field with its bounds, every status with its codes and headers. Nothing is written twice."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from garita_common.core.errors import AppError, Internal

from .core import problems
from .core.api_map import LINKS, Link, group_of
from .edge import BASE, FLOW_HEADER, MAX_SECRET_CHARS, PROBLEM_TYPE, WEB_HEADER, Route
from .origins import Cookies

VERSION = "0.1.0"
_ALWAYS: tuple[type[AppError], ...] = (problems.TooMany, problems.Overloaded, Internal)
_BODY: tuple[type[AppError], ...] = (problems.InvalidRequest, problems.BodyTooLarge, problems.MediaRefused)
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_NO_NUL: Final = "^[^\\u0000]*$"
_SECONDS: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457). Decide by `code`.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:chat:auth:", "description": "`code` as an identifier"},
        "title": _TEXT | {"description": "A sentence for people"},
        "status": {"type": "integer", "description": "The same as the answer's"},
        "code": _TEXT | {"description": "Constant: what a program decides by"},
        "request_id": _TEXT | {"description": "Finds the request in the server's log"},
        "detail": _TEXT | {"description": "With `invalid_request`: the field and what was expected"},
        "retry_after": _SECONDS | {"description": "Seconds after which a repeat may succeed"},
        "reasons": {"type": "array", "items": _TEXT, "description": "With `weak_password`: what is wrong with it"},
        "reason": _TEXT | {"description": "With `banned` and `conflict`"},
        "until_ms": {"type": "integer", "description": "With `banned` and `conflict`: Unix milliseconds"},
        "appeal": _TEXT | {"description": "With `banned`: what to appeal with"},
        "methods": {"type": "array", "items": _TEXT, "description": "With `step_up_required`: second factors there are"},
        "kinds": {"type": "array", "items": _TEXT, "description": "With `challenge_required`: of these one is wanted too"},
        "challenge": {"$ref": "#/components/schemas/Challenge"},
    },
}  # fmt: skip
_HEADERS: Final[dict[str, Any]] = {
    "Cache-Control": {"description": "Whether and how long the answer may be kept", "required": True, "schema": _TEXT},
    "Retry-After": {"description": "Seconds until a repeat may succeed", "required": True, "schema": _SECONDS},
    "WWW-Authenticate": {"description": "RFC 6750", "required": True, "schema": {"type": "string", "const": "Bearer"}},
    "Set-Cookie": {
        "description": "In browser mode: the refresh token, the device's secret, or the mark of a browser",
        "schema": _TEXT,
    },
}


def document(routes: Sequence[Route], cookies: Cookies) -> bytes:
    """The document of all public routes, as JSON. Args: cookies: how they are called here."""
    shown = [route for route in routes if route.public]
    types = [kind for route in shown for answer in (*route.answers.values(), route.body) for kind in _kinds(answer)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    for schema in components.values():
        if (
            schema.get("additionalProperties") is False
        ):  # a request's: in an answer nothing is promised that nobody needs
            _forbid_nul(schema)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Garita accounts",
                "version": VERSION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                "description": "Registration, login, second factors, sessions, tokens and recovery.",
            },
            "servers": [{"url": "/", "description": "This server"}],
            "tags": [{"name": name} for name in dict.fromkeys(_group(route) for route in shown)],
            "paths": paths,
            "components": {
                "schemas": {**components, "Problem": _PROBLEM},
                "headers": _HEADERS,
                "securitySchemes": {
                    "accessToken": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "JWT",
                        "description": "An access token whose audience is `auth`",
                    },
                    "refreshCookie": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": cookies.refresh,
                        "description": "Browser mode: instead of `refresh_token`",
                    },
                },
            },
        }
    )


def _operation(route: Route, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [_group(route)],
        "parameters": _parameters(route),
        "security": _security(route),
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[repr(route.body)]}},
        }
    answers = {str(status): _answer(route, answer, schemas) for status, answer in route.answers.items()}
    operation["responses"] = answers | _refusals(refusals_of(route))
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    found += [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": said} for name, said in route.query
    ]
    if route.flow_secret:
        found.append(
            {
                "name": FLOW_HEADER,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": MAX_SECRET_CHARS},
                "description": "The `flow_secret` of the flow",
            }
        )
    if route.sets_cookies:
        found.append(
            {
                "name": WEB_HEADER,
                "in": "header",
                "schema": {"type": "string"},
                "description": "`1`: a page of this server's own origin asks; its secrets are in cookies then",
            }
        )
    return found


def _security(route: Route) -> list[dict[str, Any]]:
    if route.needs_token:
        return [{"accessToken": []}]
    if route.takes_token:
        return [{}, {"accessToken": []}]
    if route.takes_cookie:
        return [{}, {"refreshCookie": []}]
    return []


def _answer(route: Route, answer: Any, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An answer that is no refusal."""
    names = ["Cache-Control"] + (["Set-Cookie"] if route.sets_cookies else [])
    found: dict[str, Any] = {"description": route.summary, "headers": _headers(names)}
    if answer is not None:
        found["content"] = _content(route, answer, schemas)
    links = {link.to: _link(link) for link in LINKS.get(route.name, ())}
    return found | ({"links": links} if links else {})


def _link(link: Link) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": link.to, "parameters": dict(link.parameters)}
    return found | ({"requestBody": dict(link.body)} if link.body else {})


def _group(route: Route) -> str:
    return group_of(route.path.removeprefix(BASE))


def _content(route: Route, answer: Any, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An answer by its media types: JSON has a schema, files have none."""
    if answer is bytes:
        return {media: {"schema": {"type": "string", "format": "binary"}} for media in route.media}
    return {"application/json": {"schema": _schema(answer, schemas)}}


def _kinds(answer: Any) -> tuple[Any, ...]:
    """The types of an answer or body: none, one, or one of several."""
    if answer is None or answer is bytes:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)


def _schema(answer: Any, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = [schemas[repr(kind)] for kind in _kinds(answer)]
    return found[0] if len(found) == 1 else {"oneOf": found}


def _forbid_nul(node: Any) -> None:
    """The edge refuses U+0000 in any text: so says every text of a request that has no pattern of its own."""
    if isinstance(node, dict):
        if node.get("type") == "string" and not node.keys() & {"pattern", "enum", "const"}:
            node["pattern"] = _NO_NUL
        for child in node.values():
            _forbid_nul(child)
    elif isinstance(node, list):
        for child in node:
            _forbid_nul(child)


def refusals_of(route: Route) -> list[type[AppError]]:
    """Everything that a route may refuse with: what it says, and what the edge adds."""
    found = [*route.refusals, *_ALWAYS]
    if route.body is not None:
        found += _BODY
    if route.flow_secret:
        found.append(problems.InvalidRequest)
    if route.method != "GET":
        found.append(problems.OriginRejected)
    if route.needs_token:
        found.append(problems.AccessRefused)
    return list(dict.fromkeys(found))


def _refusals(kinds: Iterable[type[AppError]]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind.code)
    return {
        str(status): {
            "description": " or ".join(f"`{code}`" for code in codes),
            "headers": _headers(["Cache-Control", *_HEADERS_OF.get(status, ())]),
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, codes in sorted(by_status.items())
    }


_HEADERS_OF: Final = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
