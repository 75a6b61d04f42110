"""`python -m garita_local.settings_page` writes docs/configuration.md from the settings classes themselves; a test fails when it is stale."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo

from auth_service.config import AuthConfig
from chat_service.config import ChatConfig
from detector_service.config import DetectorConfig
from garita_common.config import MIN_SECRET_CHARS, ServiceConfig
from gateway.config import GatewayConfig

PAGE = Path(__file__).resolve().parents[4] / "docs" / "configuration.md"
SERVICES: dict[str, type[ServiceConfig]] = {
    "Gateway": GatewayConfig,
    "Chat service": ChatConfig,
    "Auth service": AuthConfig,
    "Detector": DetectorConfig,
}
HEAD = f"""# Settings

Every setting is an environment variable, read once at the start. All problems are reported together; a variable with a service's prefix that
is not in its table is an error, so a typing mistake does not go unseen.
This page is written by `python -m garita_local.settings_page`; `make run` sets what it needs by itself.

Secrets are files in the folder `GARITA_SECRETS_DIR`, one each, of at least {MIN_SECRET_CHARS} characters: `service_token`, `operator_token`,
`address_key`, `auth_pepper`, `auth_data_key`, `simhash_key`, `audit_key`, and `outbox_key` in demo mode.
There is no default secret: a missing, short or well-known one refuses the start.
"""


def page() -> str:
    """The whole page as Markdown."""
    shared = set(ServiceConfig.model_fields)
    parts = [
        HEAD,
        _table(
            "Shared by all services",
            ServiceConfig,
            [name for name in ServiceConfig.model_fields if not name.startswith("inner_")],
        ),
    ]
    for title, config in SERVICES.items():
        own = [name for name in config.model_fields if name not in shared or name.startswith("inner_")]
        parts.append(_table(title, config, own))
    return "\n".join(parts)


def _table(title: str, config: type[ServiceConfig], names: list[str]) -> str:
    rows = [
        f"| `{config.variable_of(name)}` | {_default(config.model_fields[name])} | {config.model_fields[name].description} |"
        for name in names
    ]
    return "\n".join([f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(needed)"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return "(empty)" if value in ("", None, ()) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")
