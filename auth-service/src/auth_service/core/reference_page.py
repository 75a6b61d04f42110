"""The page that shows /openapi.json to people: plain HTML made from the very document, without a script and with one stylesheet of our own.

What the document says is in English and is marked so in the Spanish page, whose own words are Spanish. Every text is escaped; nothing on the page leads anywhere
but to this server.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final, Literal

Language = Literal["en", "es"]
METHODS: Final = ("get", "post", "put", "patch", "delete")
STYLE: Final = "docs.css"

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "Accounts API of this Garita server",
        "intro": "Every endpoint, field and answer. Made from",
        "other": "Español",
        "skip": "Skip to the endpoints",
        "contents": "Endpoints",
        "token": "Needs an access token.",
        "maybe": "Takes an access token; works without one.",
        "parameters": "Parameters",
        "body": "Body",
        "one_of": "One of",
        "answers": "Answers",
        "name": "Name",
        "type": "Type",
        "meaning": "Meaning",
        "required": "required",
        "optional": "optional",
        "status": "Status",
        "code": "What",
        "headers": "Headers",
        "objects": "Objects",
        "empty": "nothing",
        "any": "any",
    },
    "es": {
        "title": "API de cuentas de este servidor Garita",
        "intro": "Cada punto de acceso, campo y respuesta. Hecha a partir de",
        "other": "English",
        "skip": "Ir a los puntos de acceso",
        "contents": "Puntos de acceso",
        "token": "Necesita un token de acceso.",
        "maybe": "Admite un token de acceso; funciona también sin él.",
        "parameters": "Parámetros",
        "body": "Cuerpo",
        "one_of": "Uno de",
        "answers": "Respuestas",
        "name": "Nombre",
        "type": "Tipo",
        "meaning": "Significado",
        "required": "obligatorio",
        "optional": "opcional",
        "status": "Estado",
        "code": "Qué",
        "headers": "Cabeceras",
        "objects": "Objetos",
        "empty": "nada",
        "any": "cualquiera",
    },
}
_GROUPS_ES: Final = {
    "Challenges": "Retos",
    "Registration": "Registro",
    "Login": "Entrada",
    "Sessions and tokens": "Sesiones y tokens",
    "Recovery": "Recuperación",
    "Contacts": "Contactos",
    "Second factors": "Segundos factores",
    "Devices and events": "Dispositivos y sucesos",
    "Bans": "Vetos",
    "The account": "La cuenta",
    "This API": "Esta API",
    "More": "Otros",
}


def page(document: Mapping[str, Any], language: Language) -> str:
    """The whole page. Args: document: as `openapi.document` makes it."""
    return "\n".join(_Page(document, language).lines()) + "\n"


class _Page:
    """One rendering."""

    def __init__(self, document: Mapping[str, Any], language: Language) -> None:
        self._document = document
        self._words = _WORDS[language]
        self._language = language
        self._other: Language = "es" if language == "en" else "en"
        self._said = "" if language == "en" else ' lang="en"'
        """Marks what stands in English on a page of another language, for those who listen to it."""

    def lines(self) -> Iterator[str]:
        words, groups = self._words, self._groups()
        yield f'<!doctype html>\n<html lang="{self._language}">\n<head>\n<meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f'<title>{words["title"]}</title>\n<link rel="stylesheet" href="{STYLE}">\n</head>\n<body>'
        yield f'<a class="skip" href="#endpoints">{words["skip"]}</a>'
        yield f'<header>\n<h1>{words["title"]}</h1>\n<p>{words["intro"]} <a href="openapi.json">openapi.json</a>. '
        yield f'<a href="?lang={self._other}" hreflang="{self._other}" lang="{self._other}">{words["other"]}</a></p>\n</header>'
        yield f'<nav aria-label="{words["contents"]}">'
        for group, operations in groups.items():
            yield f"<h2>{self._group(group)}</h2>\n<ul>"
            for path, method, operation in operations:
                link = f'<a href="#{escape(operation["operationId"])}">'
                yield f"<li>{link}<code>{method.upper()} {_short(path)}</code></a></li>"
            yield "</ul>"
        yield '</nav>\n<main id="endpoints" tabindex="-1">'
        for group, operations in groups.items():
            yield f"<section>\n<h2>{self._group(group)}</h2>"
            for path, method, operation in operations:
                yield from self._operation(path, method, operation)
            yield "</section>"
        yield from self._objects()
        yield "</main>\n</body>\n</html>"

    def _group(self, name: str) -> str:
        return escape(name if self._language == "en" else _GROUPS_ES.get(name, name))

    def _groups(self) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
        groups: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {
            tag["name"]: [] for tag in self._document["tags"]
        }
        for path, methods in self._document["paths"].items():
            for method in METHODS:
                if method in methods:
                    groups[methods[method]["tags"][0]].append((path, method, methods[method]))
        return groups

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
        words, name = self._words, escape(operation["operationId"])
        yield f'<article id="{name}" aria-labelledby="{name}-title">'
        yield f'<h3 id="{name}-title"><code><span class="method">{method.upper()}</span> {escape(path)}</code></h3>'
        yield f"<p{self._said}>{escape(operation['summary'])}.</p>"
        if {"accessToken": []} in operation["security"]:
            yield f"<p>{words['maybe' if {} in operation['security'] else 'token']}</p>"
        if operation["parameters"]:
            rows = [(one["name"], one["schema"], one.get("required", False)) for one in operation["parameters"]]
            yield from self._fields(words["parameters"], rows)
        if "requestBody" in operation:
            yield f"<h4>{words['body']}</h4>"
            yield f"<p>{self._shape(operation['requestBody']['content']['application/json']['schema'])}</p>"
        yield from self._answers(operation["responses"])
        yield "</article>"

    def _answers(self, responses: Mapping[str, Any]) -> Iterator[str]:
        words = self._words
        yield f"<table>\n<caption>{words['answers']}</caption>"
        yield f'<thead><tr><th scope="col">{words["status"]}</th><th scope="col">{words["code"]}</th><th scope="col">{words["headers"]}</th></tr></thead>\n<tbody>'
        for status, response in responses.items():
            refused = int(status) >= 400
            what = _only_codes(response["description"]) if refused else self._media(response.get("content", {}))
            names = (escape(name) for name in response["headers"] if name != "Cache-Control")
            yield f'<tr><th scope="row">{status}</th><td>{what}</td><td>{", ".join(names)}</td></tr>'
        yield "</tbody>\n</table>"

    def _media(self, content: Mapping[str, Any]) -> str:
        if not content:
            return self._words["empty"]
        return ", ".join(
            self._shape(body["schema"]) if media == "application/json" else f"<code>{escape(media)}</code>"
            for media, body in content.items()
        )

    def _objects(self) -> Iterator[str]:
        yield f'<section>\n<h2 id="objects">{self._words["objects"]}</h2>'
        for name, schema in sorted(self._document["components"]["schemas"].items()):
            yield f'<article id="object-{escape(name)}"><h3>{escape(name)}</h3>'
            if "description" in schema:
                yield f"<p{self._said}>{_codes(schema['description'])}</p>"
            required = schema.get("required", ())
            rows = [(field, what, field in required) for field, what in schema.get("properties", {}).items()]
            if rows:
                yield from self._fields(name, rows)
            yield "</article>"
        yield "</section>"

    def _fields(self, caption: str, rows: list[tuple[str, Mapping[str, Any], bool]]) -> Iterator[str]:
        words = self._words
        yield f"<table>\n<caption>{escape(caption)}</caption>"
        yield f'<thead><tr><th scope="col">{words["name"]}</th><th scope="col">{words["type"]}</th><th scope="col">{words["meaning"]}</th></tr></thead>\n<tbody>'
        for name, schema, required in rows:
            said = _codes(schema.get("description", ""))
            meaning = words["required" if required else "optional"] + (
                f". <span{self._said}>{said}</span>" if said else ""
            )
            yield f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{self._shape(schema)}</td><td>{meaning}</td></tr>'
        yield "</tbody>\n</table>"

    def _shape(self, schema: Mapping[str, Any]) -> str:
        """A type in one line, with its bounds and with links to the objects."""
        if "$ref" in schema:
            name = escape(schema["$ref"].rpartition("/")[2])
            return f'<a href="#object-{name}">{name}</a>'
        for several in ("oneOf", "anyOf"):
            if several in schema:
                return f"{self._words['one_of']}: " + ", ".join(self._shape(one) for one in schema[several])
        if "enum" in schema:
            return " · ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
        if "const" in schema:
            return f"<code>{escape(str(schema['const']))}</code>"
        if schema.get("type") == "array":
            return f"array ({self._shape(schema.get('items', {}))}){self._bounds(schema)}"
        return escape(str(schema.get("type", self._words["any"]))) + self._bounds(schema)

    def _bounds(self, schema: Mapping[str, Any]) -> str:
        found = [said.format(escape(str(schema[key]))) for key, said in _BOUNDS if key in schema]
        return f" <small{self._said}>{', '.join(found)}</small>" if found else ""


_BOUNDS: Final = (
    ("minLength", "≥ {} chars"), ("maxLength", "≤ {} chars"), ("minimum", "≥ {}"), ("maximum", "≤ {}"),
    ("minItems", "≥ {} items"), ("maxItems", "≤ {} items"), ("format", "{}"),
)  # fmt: skip


def _short(path: str) -> str:
    """A path for the list, where every other one begins alike."""
    return escape("…" + path.removeprefix("/v1/auth") if path.startswith("/v1/auth") else path)


def _only_codes(text: str) -> str:
    """What stands between backticks, in any language."""
    return ", ".join(f"<code>{escape(part)}</code>" for part in text.split("`")[1::2])


def _codes(text: str) -> str:
    """A sentence of ours, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
