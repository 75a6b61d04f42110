"""The layers of docs/architecture.md, held by reading the source: who may import whom, and what core/ may not touch.

`__main__ → app → shell modules → core → garita_common.core`, and no service imports another. The rules are functions
over one module's text, so that the tests below can also show that each rule sees what it forbids.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "garita_common": "common/src",
    "gateway": "gateway/src",
    "chat_service": "chat-service/src",
    "auth_service": "auth-service/src",
    "detector_service": "detector-service/src",
    "garita_client": "client/src",
    "garita_local": "deploy/local/src",
}
COMMON = "garita_common"
# Sockets, clocks, files, environment, processes, logs, metrics and chance: what core/ leaves to the modules beside it.
TALKERS = frozenset({
    "aiohttp", "aiosmtplib", "aiosqlite", "anyio", "argon2", "asyncio", "asyncpg", "concurrent", "fcntl", "http", "io",
    "logging", "mmap", "multiprocessing", "obstore", "os", "prometheus_client", "pydantic_settings", "queue", "random",
    "redis", "secrets", "select", "selectors", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "structlog",
    "subprocess", "sys", "tempfile", "threading", "time", "uvloop",
})  # fmt: skip
TALKING_PARTS = frozenset({"urllib.request"})  # talks, while the rest of its package does not
TALKING_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "compile", "__import__"})
CLOCKS_AND_CHANCE = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7"})

READS_ALL_SETTINGS = frozenset({"garita_local.settings_page"})  # writes docs/configuration.md; runs in no service


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name and its text."""

    name: str
    text: str
    is_package: bool = False

    @property
    def package(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def in_core(self) -> bool:
        return "core" in self.name.split(".")[1:2]

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


def modules() -> Iterator[Module]:
    """Every module of every distribution."""
    for package, source in SOURCES.items():
        for path in sorted((ROOT / source / package).rglob("*.py")):
            parts = path.relative_to(ROOT / source).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield Module(".".join(parts[:-1] if is_package else parts), path.read_text(encoding="utf-8"), is_package)


def imports(module: Module) -> set[str]:
    """The dotted names of all that a module imports, also inside functions; relative ones made whole."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            found.add(base)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def _base(module: Module, node: ast.ImportFrom) -> str:
    """What a `from … import` starts from."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    here = parts[: len(parts) - node.level + (1 if module.is_package else 0)]
    return ".".join([*here, node.module] if node.module else here)


def core_talks(module: Module) -> list[str]:
    """Where a core module does more than decide: imports, awaits, calls that touch the world."""
    if not module.in_core:
        return []
    faults = [
        f"imports {name}"
        for name in sorted(imports(module))
        if name.split(".")[0] in TALKERS or any(name == part or name.startswith(part + ".") for part in TALKING_PARTS)
    ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            faults.append(f"line {node.lineno} is asynchronous")
        elif isinstance(node, ast.Call) and _called(node) is not None:
            faults.append(f"line {node.lineno} calls {_called(node)}")
    return faults


def _called(node: ast.Call) -> str | None:
    """The name of a call that core must not make."""
    match node.func:
        case ast.Name(id=name) if name in TALKING_CALLS | CLOCKS_AND_CHANCE:
            return name
        case ast.Attribute(attr=name) if name in CLOCKS_AND_CHANCE:
            return name
    return None


def leaves_core(module: Module) -> list[str]:
    """Imports of a core module that lead out of its own core/ and garita_common.core."""
    if not module.in_core:
        return []
    ours = tuple(SOURCES)
    allowed = {f"{module.package}.core", f"{COMMON}.core"}
    return [
        f"imports {name}"
        for name in sorted(imports(module))
        if name.split(".")[0] in ours
        and ".".join(name.split(".")[:2]) not in allowed
        and name not in {module.package, COMMON}  # `from <package> import core` names the package on the way
    ]


def crosses_services(module: Module) -> list[str]:
    """Imports of another distribution than the shared one. The launcher starts the others as processes only."""
    if module.name in READS_ALL_SETTINGS:
        return []
    return [
        f"imports {name}"
        for name in sorted(imports(module))
        if name.split(".")[0] in SOURCES and name.split(".")[0] not in {module.package, COMMON}
    ]


def climbs(module: Module) -> list[str]:
    """Imports against the direction: only `__main__` knows `app`, and nobody knows `__main__`."""
    app, main = f"{module.package}.app", f"{module.package}.__main__"
    known = imports(module)
    faults = [f"imports {main}" for name in known if name == main or name.startswith(main + ".")]
    if module.name not in {app, main}:
        faults += [f"imports {app}" for name in known if name == app or name.startswith(app + ".")]
    return sorted(set(faults))


Rule = Callable[[Module], list[str]]
RULES: tuple[Rule, ...] = (core_talks, leaves_core, crosses_services, climbs)


@pytest.mark.parametrize("rule", RULES, ids=["core-decides", "core-is-closed", "services-are-apart", "one-way"])
def test_every_module_keeps_its_layer(rule: Rule) -> None:
    """No module of any distribution breaks the rule."""
    faults = [f"{module.name}: {fault}" for module in modules() for fault in rule(module)]

    assert faults == []


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("gateway.core.limits", "import time", core_talks),
        ("gateway.core.limits", "from os import environ", core_talks),
        ("gateway.core.limits", "import urllib.request", core_talks),
        ("gateway.core.limits", "def f():\n    import socket", core_talks),
        ("gateway.core.limits", "async def f(): ...", core_talks),
        ("gateway.core.limits", "from datetime import datetime\nx = datetime.now()", core_talks),
        ("gateway.core.limits", "import uuid\nx = uuid.uuid4()", core_talks),
        ("gateway.core.limits", "x = open('a')", core_talks),
        ("gateway.core.limits", "from ..bus import Bus", leaves_core),
        ("gateway.core.limits", "from gateway.metrics import X", leaves_core),
        ("gateway.core.limits", "from garita_common.bus import Bus", leaves_core),
        ("gateway.core.limits", "from garita_common import bus", leaves_core),
        ("gateway.fanout", "from chat_service.core.rooms import Room", crosses_services),
        ("garita_common.bus", "import gateway", crosses_services),
        ("gateway.fanout", "from .app import build", climbs),
        ("gateway.fanout", "from gateway import app", climbs),
        ("gateway.app", "from gateway.__main__ import main", climbs),
    ],
)
def test_each_rule_sees_what_it_forbids(name: str, text: str, rule: Rule) -> None:
    """One sample per forbidden thing: the rule names it."""
    assert rule(Module(name, text)) != []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gateway.core.limits", "from ..core.gate import Gate\nfrom . import gate\nfrom .gate import Gate"),
        ("gateway.core.limits", "from garita_common.core import ids\nfrom garita_common.core.errors import AppError"),
        ("gateway.core.limits", "import urllib.parse\nimport msgspec\nfrom datetime import datetime\nimport uuid"),
        ("gateway.fanout", "import asyncio\nfrom garita_common.bus import Bus\nfrom .core.limits import X"),
        ("gateway.__main__", "from .app import build"),
        ("gateway.app", "from . import fanout"),
    ],
)
def test_what_is_allowed_passes_every_rule(name: str, text: str) -> None:
    """The same places with allowed imports: no rule complains."""
    assert [fault for rule in RULES for fault in rule(Module(name, text))] == []


def twins(module: Module) -> list[Path]:
    """Where the unit test of a core module may be; one of a package within core has its tests in a folder of that package's name."""
    *inner, name = module.name.split(".")[2:]
    folders = [module.package, module.package.removeprefix("garita_")]
    return [ROOT.joinpath("tests", "unit", folder, *inner, f"test_{name}.py") for folder in folders]


def decides(module: Module) -> bool:
    """Whether a core module has a function of its own, and is not only a list of names and types."""
    return module.in_core and any(isinstance(node, ast.FunctionDef) for node in ast.walk(module.tree))


def test_every_core_module_that_decides_has_a_unit_test() -> None:
    """The test bears the module's name, in the folder of its package."""
    alone = [
        module.name
        for module in modules()
        if decides(module) and not module.is_package and not any(twin.exists() for twin in twins(module))
    ]

    assert alone == []


def test_every_distribution_is_read() -> None:
    """A renamed folder must not make the rules pass by finding nothing."""
    assert {module.package for module in modules()} == set(SOURCES)
    assert any(module.in_core for module in modules())
