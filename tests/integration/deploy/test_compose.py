"""docker-compose.yml as it is written: every service hardened, secrets apart, ports on loopback, scraped where it listens."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
OURS = ("gateway", "chat", "auth", "detector")
LASTING = [name for name in SERVICES if name != "init"]


def mounts(service: str) -> dict[str, str]:
    """Where each volume or file of a service is mounted."""
    return dict(mount.split(":", 1) for mount in SERVICES[service].get("volumes", []))


def published(service: str) -> list[str]:
    return [str(port) for port in SERVICES[service].get("ports", [])]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    """Not root, nothing to write but its volumes, no capability, no way to new ones, memory and processes bounded, logs too."""
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert 0 < service["pids_limit"] <= 1024
    assert service["init"] is True
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    """A service that stops answering is seen, and one that ends comes back."""
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Until the edge with TLS comes, nothing of the stack can be reached from another machine."""
    assert all(port.startswith("127.0.0.1:") for port in published(name))


def test_only_what_people_use_is_published() -> None:
    """Not Redis, not the inner ports, not the operator's."""
    inside = {name: sorted(int(port.rpartition(":")[2]) for port in published(name)) for name in SERVICES}

    assert inside == {
        "init": [],
        "redis": [],
        "gateway": [8080, 8081],
        "chat": [],
        "auth": [8094],
        "detector": [],
        "prometheus": [9090],
    }


def test_services_meet_on_a_network_without_a_way_out() -> None:
    """Redis is on that network alone; a network that can publish a port holds one service."""
    assert STACK["networks"]["backend"] == {"internal": True}
    assert SERVICES["redis"]["networks"] == ["backend"]
    for network in set(STACK["networks"]) - {"backend"}:
        assert len([name for name in SERVICES if network in SERVICES[name].get("networks", [])]) == 1
    assert SERVICES["init"]["network_mode"] == "none"


@pytest.mark.parametrize("name", OURS)
def test_each_service_reads_its_own_secrets_only(name: str) -> None:
    """One volume of secrets each, read-only, and none of another's."""
    assert {source: target for source, target in mounts(name).items() if source.startswith("secrets-")} == {
        f"secrets-{name}": "/run/garita/secrets:ro"
    }
    assert SERVICES[name]["environment"]["GARITA_SECRETS_DIR"] == "/run/garita/secrets"


def test_each_service_opens_its_own_store_only() -> None:
    """No volume but the files' is shared between services."""
    users: dict[str, list[str]] = {}
    for name in OURS:
        for source in mounts(name):
            users.setdefault(source, []).append(name)

    assert {source: names for source, names in users.items() if len(names) > 1} == {"blobs": ["gateway", "chat"]}


@pytest.mark.parametrize("name", OURS)
def test_services_run_in_production_mode(name: str) -> None:
    """Demo mode needs every listener on loopback, which a container's are not."""
    environment = SERVICES[name]["environment"]

    assert environment["GARITA_MODE"] == "production"
    assert not any("PASSWORD" in key or "TOKEN" in key or "REDIS_URL" in key for key in environment)


def test_prometheus_scrapes_the_inner_ports() -> None:
    """The targets are the inner ports that the services are told to listen on, and their health checks ask the same ones."""
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {
        target
        for job in config["scrape_configs"]
        for entry in job.get("static_configs", [])
        for target in entry["targets"]
    } | {
        f"{name}:{entry['port']}"
        for job in config["scrape_configs"]
        for entry in job.get("dns_sd_configs", [])
        for name in entry["names"]
    }

    ports = {name: SERVICES[name]["environment"][f"GARITA_{name.upper()}_INNER_PORT"] for name in OURS}
    assert targets == {f"{name}:{port}" for name, port in ports.items()}
    for name, port in ports.items():
        assert f"127.0.0.1:{port}/readyz" in SERVICES[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_that_the_service_knows(name: str) -> None:
    """A misspelt setting would stop the start: it is found here first."""
    source = {
        "gateway": "gateway/src/gateway",
        "chat": "chat-service/src/chat_service",
        "auth": "auth-service/src/auth_service",
        "detector": "detector-service/src/detector_service",
    }
    known = (ROOT / source[name] / "config.py").read_text(encoding="utf-8")
    known += (ROOT / "common/src/garita_common/config.py").read_text(encoding="utf-8")
    prefix = f"GARITA_{name.upper()}_"

    for variable in SERVICES[name]["environment"]:
        field = variable.removeprefix(prefix).lower()
        assert re.search(rf"^    {field}: ", known, re.MULTILINE) or f'"{variable}"' in known


def test_the_example_names_every_variable() -> None:
    """Whatever docker-compose.yml takes from the environment is in .env.example with the same default, and nothing else is."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    taken = {name: default for name, default in re.findall(r"\$\{([A-Z_]+):-([^${}]*)\}", text) if default}

    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == set(example)
    assert all(example[name] == default for name, default in taken.items())


def test_the_images_carry_nothing_unhashed() -> None:
    """What comes from a registry is installed by hash; our own packages come without their dependencies."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    installs = [line for line in re.sub(r"\\\n", " ", text).splitlines() if re.search(r"pip (install|wheel)", line)]

    assert len(installs) == 4
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert "# syntax=" not in text
