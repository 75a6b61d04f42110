"""auth_service.core.reference_page: a document becomes a page, and no text of it becomes markup."""

from typing import Any

import pytest

from auth_service.core.reference_page import Language, page

HOSTILE = '<script>alert("1")</script>'


def document(text: str) -> dict[str, Any]:
    """A document of one operation whose every text is this one."""
    schema = {
        "type": "object",
        "description": text,
        "required": [text],
        "properties": {text: {"type": "string", "maxLength": 5, "description": text}, "kind": {"enum": [text]}},
    }
    operation = {
        "operationId": text,
        "summary": text,
        "tags": [text],
        "security": [{"accessToken": []}],
        "parameters": [{"name": text, "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{text}"}}}},
        "responses": {
            "200": {"description": text, "headers": {text: {}}, "content": {text: {"schema": {}}}},
            "401": {"description": f"`{text}` or `b`", "headers": {}},
        },
    }
    return {"tags": [{"name": text}], "paths": {text: {"post": operation}}, "components": {"schemas": {text: schema}}}


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_becomes_markup(language: Language) -> None:
    """Whatever a description or a path holds."""
    made = page(document(HOSTILE), language)

    assert "<script" not in made
    assert 'alert("1")' not in made


def test_english_is_marked_on_the_spanish_page() -> None:
    """So that it is read aloud as what it is; the page's own words are in Spanish."""
    made = page(document("word"), "es")

    assert '<html lang="es">' in made
    assert '<p lang="en">word.</p>' in made
    assert "Necesita un token de acceso." in made


def test_types_come_with_their_bounds_and_links() -> None:
    """A bound is text, an object a link, a code is set as one."""
    made = page(document("word"), "en")

    assert "string <small>≤ 5 chars</small>" in made
    assert '<a href="#object-word">word</a>' in made
    assert "<code>word</code>, <code>b</code>" in made
