"""Requests that are made to do harm by what stands in them, or by the page that sends them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.integration.auth_service.conftest import ORIGIN, PASSWORD, World, Worlds

WEB = {"X-Garita-Web": "1"}
OPEN = dict.fromkeys(("LOGIN_PROOF_AFTER", "LOGIN_PICTURE_AFTER", "LOGIN_SHUT_AFTER_PER_H"), "100000")
"""So that a name is looked up, and a password hashed, each time."""
HOSTILE = {
    "quote": "' OR '1'='1' --",
    "statement": '"; DROP TABLE users; --',
    "union": "x' UNION SELECT hash FROM passwords --",
    "nul": "ana\0",
    "right to left": "\u202eana\u202c",
    "zero width": "an\u200ba",
    "wide": "\U0001f600" * 200,
    "wildcards": "%_\\",
    "lines": "a\r\nSet-Cookie: rt=x",
    "template": "{{7*7}}${7*7}{text}",
}
RAW = {
    "overlong": b"\xc0\xa7 OR 1=1",
    "half a character": b"\\ud800",
    "no text": b"\xff\xfe",
    "surrogate": b"\xed\xa0\x80",
}
"""Bytes for the inside of a JSON text that are no UTF-8, or a character's half."""


def fields_of(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A whole right body of a schema, with the simplest values."""
    if "$ref" in schema:
        return fields_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return fields_of(schema[several][0], schemas)
    return {name: value_of(field, schemas) for name, field in schema.get("properties", {}).items()}


def value_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The simplest value of a schema."""
    if "$ref" in schema or "properties" in schema:
        found = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return fields_of(found, schemas) if "properties" in found else value_of(found, schemas)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return value_of(schema[several][0], schemas)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "string":
            return "0" * int(schema.get("maxLength", 32)) if "[0-9" in schema.get("pattern", "") else "ana"
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [value_of(schema["items"], schemas)] if "items" in schema else []
        case _:
            return {}


def texts_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where texts are in a body."""
    if isinstance(value, str):
        return [path]
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in texts_in(inner, (*path, name))]
    if isinstance(value, list):
        return [found for number, inner in enumerate(value) for found in texts_in(inner, (*path, number))]
    return []


def with_text(body: Any, path: tuple[Any, ...], text: str) -> Any:
    """A copy of a body with another text in one place."""
    copy = json.loads(json.dumps(body))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = text
    return copy


async def rows(world: World) -> dict[str, Any]:
    """What is stored about people, counted."""
    with closing(sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}  # noqa: S608 - names from the schema itself


@pytest.mark.slow
async def test_abuse_27_no_text_is_more_than_a_text(worlds: Worlds) -> None:
    """SQL, NUL, half characters, overlong UTF-8 and marks of direction in every field of every endpoint: refused or taken as text, never a 5xx; no account is
    added or lost, and nobody comes in.
    """
    async with worlds(**OPEN) as world:
        ana = await world.register("ana")
        document = (await world.get("/openapi.json")).body
        schemas = document["components"]["schemas"]
        before = await rows(world)
        asked = 0
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                body = fields_of(schema, schemas)
                place = path.removeprefix("/v1/auth").replace("{", "").replace("}", "")
                for where in texts_in(body):
                    for hostile in HOSTILE.values():
                        answer = await world.ask(
                            method.upper(), place, with_text(body, where, hostile), token=ana.access
                        )
                        asked += 1
                        assert answer.status < 500 or answer.code == "overloaded", (path, where, hostile, answer)
                        assert str(answer.status) in operation["responses"], (path, where, hostile, answer)
                        assert not isinstance(answer.body, dict) or "tokens" not in answer.body
                        assert "Set-Cookie" not in answer.headers
                        if "\0" in hostile:
                            assert answer.status >= 400
                    for bytes_ in RAW.values():
                        data = json.dumps(with_text(body, where, "HERE")).encode().replace(b"HERE", bytes_)
                        answer = await world.ask(method.upper(), place, data=data, token=ana.access)
                        assert 400 <= answer.status < 500, (path, where, bytes_, answer)

        after = await rows(world)
        assert asked > 500
        assert after["users"] == before["users"]
        assert set(after) == set(before)
        assert (await world.log_in(ana)).status == 200


@pytest.mark.parametrize("hostile", [*HOSTILE.values(), "..%2f..%2fetc%2fpasswd", "%00", "%ff", "%27%20OR%201=1--"])
async def test_abuse_27_no_path_is_more_than_a_name(world: World, hostile: str) -> None:
    """The same where an id stands in the path, in the query and in headers: there is nothing by that name."""
    ana = await world.register("ana")
    quoted = hostile if "%" in hostile else "".join(f"%{byte:02x}" for byte in hostile.encode())
    for method, path in (
        ("DELETE", f"/sessions/{quoted}"),
        ("DELETE", f"/me/emails/{quoted}"),
        ("GET", f"/challenges/{quoted}/media"),
        ("GET", f"/recoveries/{quoted}"),
    ):
        answer = await world.ask(method, path, token=ana.access, headers={"X-Flow-Secret": "x' OR 1=1 --"})
        assert answer.status in (400, 404, 405, 410), (path, answer)
    assert (await world.get(f"/openapi.json?lang={quoted}")).status == 200
    assert len((await world.get("/sessions", token=ana.access)).body["sessions"]) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Origin": ORIGIN + ".evil.example"}, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example", "Content-Type": "text/plain"}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Origin": ORIGIN, "Content-Type": "text/plain"}, 415),
    ],
)
async def test_abuse_24_another_page_changes_nothing(world: World, headers: dict[str, str], status: int) -> None:
    """With the victim's own cookies: refused before anything is looked at, and the session goes on where it was. The same without browser mode, for a page that
    leaves its header out.
    """
    own = {"Origin": ORIGIN, **WEB}
    ana = await world.register("ana")
    body = {"identifier": "ana", "password": PASSWORD, "device_hint": ana.device}
    cookies = (await world.post("/login", body, headers=own)).cookies
    jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    before = await rows(world)
    for path, sent in (
        ("/token/refresh", {"audience": "auth"}),
        ("/logout", {"scope": "all"}),
        ("/login", body),
        ("/registrations", {"email": "x@example.org", "password": PASSWORD}),
        ("/undo", {"token": "a" * 64, "action": "cancel"}),
    ):
        answer = await world.post(path, None, data=json.dumps(sent).encode(), headers={**jar, **WEB, **headers})
        assert answer.status == status, (path, answer)
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
        plain = await world.post(path, None, data=json.dumps(sent).encode(), headers={**jar, **headers})
        assert path in ("/login", "/undo", "/registrations") or plain.status in (400, 401, 403, 415), (path, plain)

    assert "rt" in cookies
    after = await world.post("/token/refresh", {"audience": "auth"}, headers={**jar, **own})
    assert after.status == 200, after
    assert before["users"] == (await rows(world))["users"]
