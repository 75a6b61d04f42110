"""The API about itself: /openapi.json, and the page that shows it to people."""

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import msgspec

from . import openapi
from .core import reference_page
from .core.reference_page import STYLE
from .edge import BASE, Ask, Reply, Route
from .origins import Cookies

CACHE_S: Final = 300
POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
"""The page needs its stylesheet and nothing else: no script, no image, no font, no connection."""


@dataclass(frozen=True, slots=True)
class Describing:
    """What these endpoints do. `routes` is the whole table, these included, once it is there."""

    cookies: Cookies
    routes: list[Route] = field(default_factory=list)
    made: dict[str, bytes] = field(default_factory=dict)
    """What was asked for once: each costs some milliseconds and never changes."""

    async def openapi(self, _: Ask) -> Reply:
        """GET /openapi.json"""
        return Reply(200, self._document(), cache_s=CACHE_S)

    async def page(self, ask: Ask) -> Reply:
        """GET /docs"""
        language: reference_page.Language = "es" if ask.query.get("lang") == "es" else "en"
        if language not in self.made:
            shown: dict[str, Any] = msgspec.json.decode(self._document())
            self.made[language] = reference_page.page(shown, language).encode()
        return Reply(200, self.made[language], cache_s=CACHE_S, media="text/html; charset=utf-8", policy=POLICY)

    async def style(self, _: Ask) -> Reply:
        """GET /docs.css"""
        if STYLE not in self.made:
            self.made[STYLE] = (files(__package__) / STYLE).read_bytes()
        return Reply(200, self.made[STYLE], cache_s=CACHE_S, media="text/css; charset=utf-8")

    def table(self) -> tuple[Route, ...]:
        """These endpoints."""
        lang = ("lang", "`en` or `es`: the language of the page's own words; `en` without it")
        return (
            Route("GET", f"{BASE}/openapi.json", "openapi", "This document", self.openapi, {200: dict[str, Any]}),
            Route("GET", f"{BASE}/docs", "docs", "This document as a page", self.page, {200: bytes},
                  media=("text/html",), query=(lang,)),
            Route("GET", f"{BASE}/{STYLE}", "docs_style", "The page's stylesheet", self.style, {200: bytes}, media=("text/css",)),
        )  # fmt: skip

    def _document(self) -> bytes:
        if "openapi" not in self.made:
            self.made["openapi"] = openapi.document(self.routes, self.cookies)
        return self.made["openapi"]
