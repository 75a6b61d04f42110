"""A stack of stand-in services: real processes and a real Redis, without our services' own start-up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from garita_local.plan import MODULES
from tests.fakes import standin


@dataclass(frozen=True)
class Standins:
    """What a launcher is given so that it starts the stand-ins, and what they wrote down."""

    environment: dict[str, str]
    diary: Path

    def lines(self, first: str) -> list[str]:
        """The diary's lines that begin with that word, without it."""
        text = self.diary.read_text() if self.diary.exists() else ""
        return [line.removeprefix(first + " ") for line in text.splitlines() if line.startswith(first + " ")]


@pytest.fixture
def standins(tmp_path: Path) -> Standins:
    """Packages with our services' names that come first on the children's path."""
    diary = tmp_path / "diary"
    for service, module in MODULES.items():
        package = tmp_path / "standins" / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(
            f"import runpy, sys\nsys.argv = ['', {service!r}, {str(diary)!r}]\n"
            f"runpy.run_path({standin.__file__!r}, run_name='__main__')\n"
        )
    kept = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
    return Standins(kept | {"PYTHONPATH": str(tmp_path / "standins")}, diary)
