"""auth_service.describing: the page of /openapi.json shows every endpoint and loads nothing but its own stylesheet."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.integration.auth_service.conftest import World

VOID = {"meta", "link"}


class Seen(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        """Args: text: the page."""
        super().__init__()
        self.ids: list[str] = []
        self.led: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.odd: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                (self.loaded if tag == "link" else self.led).append(value or "")
            elif name in {"src", "srcset", "style", "action", "data"} or name.startswith("on"):
                self.odd.append(name)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Its end."""
        assert self._open.pop() == tag


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_operation_stands_on_the_page(world: World, language: str) -> None:
    """With an anchor, its parameters, its answers and its objects; every link of the page leads somewhere on it."""
    document = (await world.get("/openapi.json")).body
    async with world.http.get(f"{world.url}/v1/auth/docs?lang={language}") as response:
        text = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert (response.status, response.content_type) == (200, "text/html")
    page = Seen(text)

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {operation["operationId"] for operation in operations} <= set(page.ids)
    assert {f"object-{name}" for name in document["components"]["schemas"]} <= set(page.ids)
    assert all(f"</span> {path}</code>" in text for path in document["paths"])
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.led if link.startswith("#")} <= set(page.ids)
    assert f'<html lang="{language}">' in text
    assert {link for link in page.led if not link.startswith("#")} == {
        "openapi.json",
        "?lang=es" if language == "en" else "?lang=en",
    }
    assert page.loaded == ["docs.css"]
    assert page.odd == []
    assert not page.tags & {"script", "style", "img", "iframe", "form", "base", "object", "embed", "svg"}
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy


async def test_the_stylesheet_loads_nothing(world: World) -> None:
    """It is the one thing that the page loads, and has both colour schemes."""
    async with world.http.get(f"{world.url}/v1/auth/docs.css") as response:
        text = await response.text()
        assert (response.status, response.content_type) == (200, "text/css")

    assert not re.search(r"url\(|@import|@font-face|https?:", text)
    assert "prefers-color-scheme: dark" in text
