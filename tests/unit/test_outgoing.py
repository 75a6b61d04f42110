"""No service asks an address that a user gave: there is no fetching of pictures, previews or hooks that could be turned against what is inside.

Whoever adds a module that opens connections by itself adds it here, with where its addresses come from. If ever that is a user, the connected address has to be
checked against private ranges first.
"""

import ast

import pytest

from .test_layers import SOURCES, Module, modules

OPENERS = {
    "aiohttp.ClientSession", "aiohttp.request", "asyncio.open_connection", "asyncio.open_unix_connection", "socket.create_connection",
    "urllib.request.urlopen", "http.client.HTTPConnection", "http.client.HTTPSConnection", "aiosmtplib.send", "aiosmtplib.SMTP",
    "smtplib.SMTP", "httpx.AsyncClient", "httpx.Client", "requests.get", "requests.post",
}  # fmt: skip
LOOP_METHODS = {"create_connection", "create_unix_connection", "sock_connect"}

FROM_SETTINGS = {
    "auth_service.mailing": "the mail server, GARITA_AUTH_SMTP_HOST",
    "auth_service.outside": "the gateways for texts that settings name; the connected address is checked against private ranges",
    "gateway.edge": "the auth service, GARITA_GATEWAY_AUTH_URL, in demo mode",
    "gateway.keys": "the auth service, GARITA_GATEWAY_AUTH_URL",
    "gateway.renewing": "the auth service's inner port, GARITA_GATEWAY_AUTH_INNER_URL",
}
SERVICES = ("gateway", "chat_service", "auth_service", "detector_service", "garita_common")


def opens(module: Module) -> bool:
    """Whether a module opens connections by a library's call."""
    imported: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            imported |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in LOOP_METHODS:
            return True
        if isinstance(node, ast.Name | ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, (imported.get(first, first), rest)))
            if name in OPENERS:
                return True
    return False


def test_only_what_settings_name_is_asked() -> None:
    """The modules that open connections, and no other."""
    assert set(SERVICES) <= set(SOURCES)
    assert {module.name for module in modules() if module.package in SERVICES and opens(module)} == FROM_SETTINGS.keys()


@pytest.mark.parametrize(
    "text",
    [
        "import aiohttp\nasync def f(url):\n    async with aiohttp.ClientSession() as s: ...",
        "from aiohttp import ClientSession as S\ndef f(): S()",
        "import urllib.request\nurllib.request.urlopen('x')",
        "from urllib.request import urlopen\nurlopen('x')",
        "import asyncio\nasync def f(): await asyncio.open_connection('h', 1)",
        "async def f(loop): await loop.create_connection(None)",
    ],
)
def test_every_way_out_is_seen(text: str) -> None:
    """One sample of each."""
    assert opens(Module("gateway.preview", text))
