"""What is to run: every process with its words and its environment, from the person's few choices.

Pure: takes ports, addresses and paths, starts nothing and opens nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from garita_local.layout import Layout
from garita_local.ports import HOST, GatewayPorts

LOOPBACK_KINDS = ("private", "public")
PREFIX = "GARITA_"
SERVICE_PREFIXES = {
    "gateway": "GARITA_GATEWAY_",
    "chat": "GARITA_CHAT_",
    "auth": "GARITA_AUTH_",
    "detector": "GARITA_DETECTOR_",
}
MODULES = {"gateway": "gateway", "chat": "chat_service", "auth": "auth_service", "detector": "detector_service"}


@dataclass(frozen=True)
class Addresses:
    """Every port of the stack: what people use, and the inner ones the launcher chose."""

    gateways: tuple[GatewayPorts, ...]
    gateway_inner: tuple[int, ...]
    chat_inner: tuple[int, ...]
    auth_inner: int
    auth_http: int
    auth_admin: int
    detector_inner: int
    detector_operator: int
    gateway_files: tuple[tuple[int, int], ...]
    """The files of each gateway's two sockets, HTTP and TCP, which listen already and are inherited."""

    @property
    def origin(self) -> str:
        """The one origin of page, socket and accounts."""
        return http_address(self.gateways[0].http)

    @property
    def origins(self) -> str:
        """The pages that are ours: of every gateway, by number and by name, since a browser may be pointed at either."""
        pairs = dict.fromkeys(self.gateways)
        return ",".join(f"http://{host}:{pair.http}" for pair in pairs for host in (HOST, "localhost"))

    @property
    def shared(self) -> bool:
        """Whether several gateways listen on one pair of ports."""
        return len(set(self.gateways)) < len(self.gateways)


@dataclass(frozen=True)
class Process:
    """One process to keep alive. `inner_port` answers /readyz; None for the Redis server, which is asked otherwise."""

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    inner_port: int | None = None
    ports: GatewayPorts | None = None
    files: tuple[int, ...] = ()
    """Open files that the process inherits, under the same numbers."""


@dataclass(frozen=True)
class Surroundings:
    """What the launcher itself was given: its environment, and what tests lay over everything else: settings, and modules to run in
    a service's place."""

    environment: Mapping[str, str]
    overrides: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)


def http_address(port: int) -> str:
    return f"http://{HOST}:{port}"


def service_processes(
    layout: Layout, addresses: Addresses, *, redis_url: str, loopback: str, web: Path, around: Surroundings
) -> list[Process]:
    """The service processes, in the order in which they are stopped: who talks to people first, who stores last."""
    shared = {
        "GARITA_MODE": "demo",
        "GARITA_LOOPBACK": loopback,
        "GARITA_REDIS_URL": redis_url,
        "GARITA_SECRETS_DIR": str(layout.secrets),
    }
    gateways = [
        replace(
            _process(
                f"gateway-{number}",
                "gateway",
                layout,
                around,
                shared | _gateway_settings(layout, addresses, web, ports, inner) | _files(files),
                inner,
            ),
            ports=ports,
            files=files,
        )
        for number, (ports, inner, files) in enumerate(
            zip(addresses.gateways, addresses.gateway_inner, addresses.gateway_files, strict=True), start=1
        )
    ]
    chat = shared | {
        "GARITA_CHAT_INNER_HOST": HOST,
        "GARITA_CHAT_DATABASE": str(layout.database("chat")),
        "GARITA_CHAT_BLOB_URL": layout.blobs.as_uri(),
    }
    auth = shared | {
        "GARITA_AUTH_INNER_HOST": HOST,
        "GARITA_AUTH_INNER_PORT": str(addresses.auth_inner),
        "GARITA_AUTH_HTTP_HOST": HOST,
        "GARITA_AUTH_HTTP_PORT": str(addresses.auth_http),
        "GARITA_AUTH_ADMIN_HOST": HOST,
        "GARITA_AUTH_ADMIN_PORT": str(addresses.auth_admin),
        "GARITA_AUTH_DATABASE": str(layout.database("auth")),
        "GARITA_AUTH_PUBLIC_ORIGIN": addresses.origins,
        "GARITA_AUTH_TRUSTED_PROXIES": HOST,
    }
    detector = shared | {
        "GARITA_DETECTOR_INNER_HOST": HOST,
        "GARITA_DETECTOR_INNER_PORT": str(addresses.detector_inner),
        "GARITA_DETECTOR_OPERATOR_HOST": HOST,
        "GARITA_DETECTOR_OPERATOR_PORT": str(addresses.detector_operator),
        "GARITA_DETECTOR_DATABASE": str(layout.database("detector")),
    }
    return [
        *gateways,
        *(
            _process(
                "chat" if number == 1 else f"chat-{number}",
                "chat",
                layout,
                around,
                chat | {"GARITA_CHAT_INNER_PORT": str(inner)},
                inner,
            )
            for number, inner in enumerate(addresses.chat_inner, start=1)
        ),
        _process("auth", "auth", layout, around, auth, addresses.auth_inner),
        _process("detector", "detector", layout, around, detector, addresses.detector_inner),
    ]


def redis_process(program: Path, config: Path, layout: Layout, around: Surroundings) -> Process:
    """The private Redis server; it gets nothing of our settings."""
    return Process(
        name="redis",
        words=(str(program), str(config)),
        environment=_foreign(around.environment),
        folder=layout.redis,
        log=layout.log("redis"),
    )


def _gateway_settings(
    layout: Layout, addresses: Addresses, web: Path, ports: GatewayPorts, inner: int
) -> dict[str, str]:
    """A gateway's addresses, and where it finds accounts, files, the page, and the gateways that share its ports."""
    sharing = {
        "GARITA_GATEWAY_REUSE_PORT": "true",
        "GARITA_GATEWAY_SHARED_COUNTS": str(layout.gateway / "counts"),
    }
    return {
        "GARITA_GATEWAY_INNER_HOST": HOST,
        "GARITA_GATEWAY_INNER_PORT": str(inner),
        "GARITA_GATEWAY_HTTP_HOST": HOST,
        "GARITA_GATEWAY_HTTP_PORT": str(ports.http),
        "GARITA_GATEWAY_TCP_HOST": HOST,
        "GARITA_GATEWAY_TCP_PORT": str(ports.tcp),
        "GARITA_GATEWAY_AUTH_URL": http_address(addresses.auth_http),
        "GARITA_GATEWAY_AUTH_INNER_URL": http_address(addresses.auth_inner),
        "GARITA_GATEWAY_BLOB_URL": layout.blobs.as_uri(),
        "GARITA_GATEWAY_WEB_DIR": str(web),
        "GARITA_GATEWAY_ORIGINS": addresses.origins,
        **(sharing if addresses.shared else {}),
    }


def _files(files: tuple[int, int]) -> dict[str, str]:
    """A gateway's sockets, which are ours; and its drain, which is short because ours has to be (`stack.STOP_ONE_S`)."""
    http, tcp = files
    return {
        "GARITA_GATEWAY_HTTP_FD": str(http),
        "GARITA_GATEWAY_TCP_FD": str(tcp),
        "GARITA_GATEWAY_DRAIN_S": "1",
    }


def _process(
    name: str,
    service: str,
    layout: Layout,
    around: Surroundings,
    settings: Mapping[str, str],
    inner_port: int,
) -> Process:
    """A service with our settings over the person's, the tests' over ours, and no other service's at all."""
    prefix = SERVICE_PREFIXES[service]
    merged = {**_own(around.environment, prefix), **settings, **_own(around.overrides, prefix)}
    return Process(
        name=name,
        words=(sys.executable, "-P", "-m", around.modules.get(service, MODULES[service])),
        environment=_foreign(around.environment) | _foreign(around.overrides) | merged,
        folder=layout.database(service).parent if service != "gateway" else layout.gateway,
        log=layout.log(name),
        inner_port=inner_port,
    )


def _foreign(environment: Mapping[str, str]) -> dict[str, str]:
    """What is not about Garita: PATH, locale and the like."""
    return {key: value for key, value in environment.items() if not key.startswith(PREFIX)}


def _own(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The settings that concern one service: its own, and those that all share."""
    others = tuple(p for p in SERVICE_PREFIXES.values() if p != prefix)
    return {k: v for k, v in environment.items() if k.startswith(PREFIX) and not k.startswith(others)}
