"""auth_service.openapi: the document is whole, and agrees with docs/auth-api.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from auth_service.core.api_map import LINKS
from tests.integration.auth_service.conftest import World

PAGE = Path(__file__).parents[3] / "docs" / "auth-api.md"


def references(node: Any) -> set[str]:
    """Everything that is referred to."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(child) for child in node.values()))
    if isinstance(node, list):
        return set().union(*(references(child) for child in node))
    return set()


async def test_every_reference_resolves(world: World) -> None:
    """And every operation has a name of its own, an answer, and the refusals that any request can meet."""
    document = (await world.get("/openapi.json")).body
    components = document["components"]

    assert all(ref.split("/")[3] in components[ref.split("/")[2]] for ref in references(document))
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert {"429", "500", "503"} <= set(operation["responses"])
        assert any(status.startswith("2") for status in operation["responses"])
        assert "Retry-After" in operation["responses"]["429"]["headers"]
    named = {operation["operationId"] for operation in operations}
    assert set(LINKS) | {link.to for links in LINKS.values() for link in links} <= named
    assert set(document["components"]["securitySchemes"]) == {"accessToken", "refreshCookie"}


async def test_the_page_names_every_endpoint_and_no_other(world: World) -> None:
    """What is written for people is what is there."""
    documents = [(await world.get("/openapi.json")).body, (await world.get("/admin/openapi.json", office=True)).body]
    served = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/v1/auth")))
        for document in documents
        for path, methods in document["paths"].items()
        for method in methods
    }
    written = {
        (method, re.sub(r"\{\w+\}", "{}", path))
        for method, path in re.findall(r"(GET|POST|PUT|PATCH|DELETE) (/[\w./{}-]+)", PAGE.read_text(encoding="utf-8"))
    }

    assert {(method, path.removeprefix("/v1/auth")) for method, path in written} == served


async def test_every_field_is_declared(world: World) -> None:
    """What a registration answers is what the document says it answers."""
    document = (await world.get("/openapi.json")).body
    person = await world.register()
    schema = document["components"]["schemas"]

    assert set(person.tokens) <= set(schema["Tokens"]["properties"])
    me = await world.get("/me", token=person.access)
    assert set(me.body) <= set(schema["User"]["properties"])
    assert schema["LogIn"]["additionalProperties"] is False
    assert "invalid_credentials" in json.dumps(document["paths"]["/v1/auth/login"]["post"]["responses"]["401"])
    assert "/dev/outbox" not in document["paths"]
