"""Settings: one frozen class per service, read once from the environment and from secret files.

A service subclasses `ServiceConfig`, gives its prefix, and calls `load`. All problems are reported together, by name and never by value; a variable
with the service's prefix that no field knows is a problem too. Secrets come only from files in `GARITA_SECRETS_DIR`; there is no default secret.
"""

import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Self

import pydantic
from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .core.addresses import Loopback

MIN_SECRET_CHARS = 32
KNOWN_SECRETS = frozenset({"changeme", "secret", "password", "garita", "test"})


class ConfigError(Exception):
    """The settings are not usable; the text is one or more sentences for the operator."""


class Mode(Enum):
    """How the stack runs. `demo` (only with every listener on loopback) forwards accounts through the gateway and shows unsent codes."""

    PRODUCTION = "production"
    DEMO = "demo"


class Secret:
    """A secret's text; only `reveal` shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Args: text: the secret itself."""
        self._text = text

    def __repr__(self) -> str:
        """Never the text."""
        return "Secret(…)"

    def reveal(self) -> str:
        """The text."""
        return self._text

    def bytes(self) -> bytes:
        """The text as UTF-8."""
        return self._text.encode()


class ServiceConfig(BaseSettings):
    """The settings that all four services share."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)
    service_prefix: ClassVar[str] = ""

    mode: Mode = Field(Mode.PRODUCTION, validation_alias="GARITA_MODE", description="production or demo.")
    loopback: Loopback = Field(
        Loopback.PRIVATE,
        validation_alias="GARITA_LOOPBACK",
        description="public counts, limits and bans 127.x like any other address (drills and tests).",
    )
    redis_url: str = Field(
        validation_alias="GARITA_REDIS_URL", description="redis://, rediss:// or unix:// address of Redis."
    )
    log_level: str = Field("INFO", validation_alias="GARITA_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR.")
    secrets_dir: Path = Field(validation_alias="GARITA_SECRETS_DIR", description="Folder with one file per secret.")
    inner_host: str = Field(
        "127.0.0.1", description="Where /healthz, /readyz and /metrics listen: never on a public address."
    )
    inner_port: int = Field(0, ge=0, le=65535, description="Port of the inner listener; 0 takes a free one.")

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings from the environment (or a mapping that stands for it).

        Raises:
            ConfigError: something is missing, wrong or unknown; the text names all of it.
        """
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            variable = cls.variable_of(name)
            if source.get(variable, "") != "":
                values[str(field.validation_alias or name)] = source[variable]
        problems = cls._unknown(source)
        try:
            config = cls.model_validate(values)
        except pydantic.ValidationError as exc:
            problems += [
                f"{cls._variable_at(error['loc'])}: {error['msg']}" for error in exc.errors(include_input=False)
            ]
            raise ConfigError("; ".join(problems)) from None
        if problems:
            raise ConfigError("; ".join(problems))
        return config

    @classmethod
    def variable_of(cls, field: str) -> str:
        """The environment variable of a field."""
        alias = cls.model_fields[field].validation_alias
        return str(alias) if alias else f"{cls.service_prefix}{field.upper()}"

    def secret(self, name: str) -> Secret:
        """The secret in the file `name` of the secrets folder.

        Raises:
            ConfigError: it is missing, shorter than 32 characters, or a well-known one.
        """
        path = self.secrets_dir / name
        try:
            text = path.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ConfigError(
                f"The secret {name} cannot be read: put at least {MIN_SECRET_CHARS} random characters into its file."
            ) from exc
        if len(text) < MIN_SECRET_CHARS or text.lower() in KNOWN_SECRETS or len(set(text)) < 8:
            raise ConfigError(
                f"The secret {name} is too short or well known: put at least {MIN_SECRET_CHARS} random characters into its file."
            )
        return Secret(text)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over counts: one place reads the environment."""
        return (init_settings,)

    @classmethod
    def _unknown(cls, source: Mapping[str, str]) -> list[str]:
        known = {cls.variable_of(field) for field in cls.model_fields}
        prefix = cls.service_prefix
        return [
            f"{name}: no such setting"
            for name in sorted(source)
            if prefix and name.startswith(prefix) and name not in known
        ]

    @classmethod
    def _variable_at(cls, location: tuple[int | str, ...]) -> str:
        name = str(location[0]) if location else ""
        return cls.variable_of(name) if name in cls.model_fields else name or cls.__name__
