"""Which processes make the stack, and what each is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_local import plan
from garita_local.layout import Layout
from garita_local.plan import Addresses, Process, Surroundings
from garita_local.ports import gateway_ports

LAYOUT = Layout(Path("/srv/garita"))
ADDRESSES_BESIDE = ((21001, 21002), (21003, 21008), 21004, 21005, 21009, 21006, 21007, ((5, 6), (7, 8)))
ADDRESSES = Addresses(tuple(gateway_ports(8080, 8081, 2)), *ADDRESSES_BESIDE)


def planned(environment: dict[str, str] | None = None, overrides: dict[str, str] | None = None) -> dict[str, Process]:
    processes = plan.service_processes(
        LAYOUT,
        ADDRESSES,
        redis_url="unix:///srv/garita/redis/redis.sock",
        loopback="public",
        web=Path("/checkout/web"),
        around=Surroundings(environment or {}, overrides or {}),
    )
    return {process.name: process for process in processes}


def test_processes_come_in_the_order_in_which_they_stop() -> None:
    """Who talks to people first, who stores after it, who judges last."""
    assert list(planned()) == ["gateway-1", "gateway-2", "chat", "chat-2", "auth", "detector"]


def test_all_are_told_mode_network_redis_and_secrets() -> None:
    """The shared settings are the same for everybody."""
    for process in planned().values():
        own = tuple(plan.SERVICE_PREFIXES.values())
        shared = {k: v for k, v in process.environment.items() if not k.startswith(own)}
        assert shared == {
            "GARITA_MODE": "demo",
            "GARITA_LOOPBACK": "public",
            "GARITA_REDIS_URL": "unix:///srv/garita/redis/redis.sock",
            "GARITA_SECRETS_DIR": "/srv/garita/secrets",
        }


def test_each_gateway_inherits_its_two_sockets() -> None:
    """And is told which is which; nobody else inherits anything."""
    for process in planned().values():
        told = {key: value for key, value in process.environment.items() if key.endswith("_FD")}
        if not process.name.startswith("gateway-"):
            assert (process.files, told) == ((), {})
            continue
        assert process.files == ((5, 6) if process.name == "gateway-1" else (7, 8))
        http, tcp = process.files
        assert told == {"GARITA_GATEWAY_HTTP_FD": str(http), "GARITA_GATEWAY_TCP_FD": str(tcp)}


def test_gateways_accept_the_pages_of_all_gateways() -> None:
    """By number and by name, since a browser may be pointed at either."""
    origins = planned()["gateway-2"].environment["GARITA_GATEWAY_ORIGINS"].split(",")

    assert sorted(origins) == sorted(
        f"http://{host}:{port}" for host in ("127.0.0.1", "localhost") for port in (8080, 8090)
    )


def test_gateways_share_all_but_their_ports() -> None:
    """The second has its own public and inner ports."""
    first, second = (planned()[name].environment for name in ("gateway-1", "gateway-2"))

    differing = {key for key in first if first[key] != second[key]}

    names = ("HTTP_PORT", "TCP_PORT", "INNER_PORT", "HTTP_FD", "TCP_FD")
    assert differing == {f"GARITA_GATEWAY_{name}" for name in names}
    assert second["GARITA_GATEWAY_HTTP_PORT"] == "8090"


def test_copies_of_the_chat_service_share_all_but_their_inner_port() -> None:
    """The database above all; each has a log of its own."""
    first, second = (planned()[name] for name in ("chat", "chat-2"))

    differing = {key for key in first.environment if first.environment[key] != second.environment[key]}

    assert differing == {"GARITA_CHAT_INNER_PORT"}
    assert (first.inner_port, second.inner_port) == (21003, 21008)
    assert first.log != second.log


@pytest.mark.parametrize("name", ["gateway-1", "chat", "auth", "detector"])
def test_nobody_is_told_another_services_settings(name: str) -> None:
    """A setting of one service would be unknown, or a leak, in another."""
    theirs = {key.split("_")[1] for key in planned()[name].environment if key.startswith("GARITA_")}

    own = name.removesuffix("-1").upper()
    assert theirs - {"MODE", "LOOPBACK", "REDIS", "SECRETS"} == {own}


def test_settings_win_in_order_person_launcher_test() -> None:
    """What the launcher must decide is not changed by a stray variable; a test may change everything."""
    environment = {"GARITA_MODE": "production", "GARITA_CHAT_QUOTA": "5", "GARITA_AUTH_X": "1", "PATH": "/bin"}
    overrides = {"GARITA_CHAT_DATABASE": "/elsewhere", "TZ": "UTC"}

    chat = planned(environment, overrides)["chat"].environment

    assert chat["GARITA_MODE"] == "demo"
    assert chat["GARITA_CHAT_QUOTA"] == "5"
    assert chat["GARITA_CHAT_DATABASE"] == "/elsewhere"
    assert (chat["PATH"], chat["TZ"]) == ("/bin", "UTC")
    assert "GARITA_AUTH_X" not in chat


def test_redis_gets_nothing_of_ours() -> None:
    """A foreign program has no use for our settings."""
    process = plan.redis_process(
        Path("/bin/redis-server"), Path("/srv/redis.conf"), LAYOUT, Surroundings({"GARITA_MODE": "demo", "TZ": "UTC"})
    )

    assert process.environment == {"TZ": "UTC"}
    assert process.words == ("/bin/redis-server", "/srv/redis.conf")
    assert process.inner_port is None


def test_gateways_on_one_pair_of_ports_share_their_counts() -> None:
    """And are told that the port is not theirs alone; gateways with ports of their own are told nothing of the kind."""
    shared = Addresses(tuple(gateway_ports(8080, 8081, 2, shared=True)), *ADDRESSES_BESIDE)
    processes = plan.service_processes(
        LAYOUT, shared, redis_url="unix:///r", loopback="public", web=Path("/web"), around=Surroundings({})
    )
    told = [process.environment for process in processes if process.ports is not None]

    assert [environment["GARITA_GATEWAY_HTTP_PORT"] for environment in told] == ["8080", "8080"]
    assert {environment["GARITA_GATEWAY_REUSE_PORT"] for environment in told} == {"true"}
    assert {environment["GARITA_GATEWAY_SHARED_COUNTS"] for environment in told} == {"/srv/garita/gateway/counts"}
    assert shared.origins == "http://127.0.0.1:8080,http://localhost:8080"
    assert "GARITA_GATEWAY_REUSE_PORT" not in planned()["gateway-1"].environment


def test_a_module_in_a_services_place_runs_with_that_services_settings() -> None:
    """Tests run a service with a clock of theirs; every other one stays what it is."""
    processes = plan.service_processes(
        LAYOUT,
        ADDRESSES,
        redis_url="unix:///r",
        loopback="public",
        web=Path("/web"),
        around=Surroundings({}, modules={"auth": "tests.other"}),
    )

    assert {process.name: process.words[-1] for process in processes} == {
        "gateway-1": "gateway",
        "gateway-2": "gateway",
        "chat": "chat_service",
        "chat-2": "chat_service",
        "auth": "tests.other",
        "detector": "detector_service",
    }
    assert "GARITA_AUTH_DATABASE" in next(one for one in processes if one.name == "auth").environment
