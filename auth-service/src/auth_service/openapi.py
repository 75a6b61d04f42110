"""/openapi.json, made from the table of endpoints: every field with its bounds, every status with its codes. Nothing is written twice."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from garita_common.core.errors import AppError, Internal

from .core import problems
from .edge import FLOW_HEADER, PROBLEM_TYPE, Route

VERSION = "0.1.0"
_ALWAYS: tuple[type[AppError], ...] = (problems.TooMany, problems.Overloaded, Internal)
_BODY: tuple[type[AppError], ...] = (problems.InvalidRequest, problems.BodyTooLarge, problems.MediaRefused)
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:chat:auth:"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "detail": {"type": "string"},
        "retry_after": {"type": "integer"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "reason": {"type": "string"},
        "until_ms": {"type": "integer"},
        "appeal": {"type": "string"},
        "methods": {"type": "array", "items": {"type": "string"}},
        "kinds": {"type": "array", "items": {"type": "string"}},
        "challenge": {"$ref": "#/components/schemas/Challenge"},
    },
}


def document(routes: Sequence[Route]) -> bytes:
    """The document of all public routes, as JSON."""
    shown = [route for route in routes if route.public]
    types = [kind for route in shown for answer in (*route.answers.values(), route.body) for kind in _kinds(answer)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Garita accounts", "version": VERSION, "license": {"name": "Apache-2.0"}},
            "paths": paths,
            "components": {
                "schemas": {**components, "Problem": _PROBLEM},
                "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }
    )


def _operation(route: Route, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    names = re.findall(r"\{(\w+)\}", route.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.flow_secret:
        secret = {"name": FLOW_HEADER, "in": "header", "required": True, "schema": {"type": "string"}}
        operation.setdefault("parameters", []).append(secret)
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[repr(route.body)]}},
        }
    if route.needs_token or route.takes_token:
        operation["security"] = [{"accessToken": []}] if route.needs_token else [{}, {"accessToken": []}]
    operation["responses"] = {
        str(status): {
            "description": route.summary,
            **({"content": _content(route, answer, schemas)} if answer is not None else {}),
        }
        for status, answer in route.answers.items()
    } | _refusals(refusals_of(route))
    return operation


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


def refusals_of(route: Route) -> list[type[AppError]]:
    """Everything that a route may refuse with: what it says, and what the edge adds."""
    found = [*route.refusals, *_ALWAYS]
    if route.body is not None:
        found += _BODY
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
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, codes in sorted(by_status.items())
    }
