"""Where everything lies below the state folder. Only names: making and checking the folders is `state_folder`'s work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The state folder of one stack; `root` is absolute, so that children may have another working folder."""

    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def gateway(self) -> Path:
        return self.root / "gateway"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def run_file(self) -> Path:
        return self.root / "run.json"

    @property
    def lock_file(self) -> Path:
        return self.root / "launcher.lock"

    def database(self, service: str) -> Path:
        """The SQLite file of a service, in a folder of its own (SQLite puts two more files beside it)."""
        return self.root / service / f"{service}.sqlite3"

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def folders(self) -> tuple[Path, ...]:
        """Every folder that must be there before the first process starts."""
        services = tuple(self.database(name).parent for name in ("chat", "auth", "detector"))
        return (self.root, self.secrets, self.redis, self.gateway, self.blobs, self.logs, *services)
