"""`python -m tests.fakes.later_auth`: the auth service as it is, with a clock that a test moves and pictures whose answers a test is told."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from auth_service.app import running
from auth_service.config import AuthConfig
from auth_service.core.pictures import Kind
from auth_service.picture_maker import ProcessMaker
from garita_common.runtime import main
from tests.fakes.moved_clock import MovedClock

NAME = "TEST_ANSWERS"
"""The variable that names the folder of answers."""


class TellingMaker:
    """Makes real pictures and clips, and writes down what each of them shows, under the digest of its file."""

    def __init__(self, answers: Path) -> None:
        """Args: answers: a folder."""
        self._answers = answers
        self._maker = ProcessMaker()

    async def make(self, kind: Kind) -> tuple[bytes, str]:
        """One of a kind. Raises: NotMade."""
        file, answer = await self._maker.make(kind)
        (self._answers / hashlib.sha256(file).hexdigest()).write_text(answer)
        return file, answer

    def close(self) -> None:
        """Ends the worker."""
        self._maker.close()


def answer_of(answers: Path, file: bytes) -> str:
    """What a picture shows or a clip says."""
    return (answers / hashlib.sha256(file).hexdigest()).read_text()


async def run(config: AuthConfig, stop: asyncio.Event) -> None:
    """Serves until `stop` is set."""
    maker = TellingMaker(Path(os.environ[NAME]))
    async with running(config, clock=MovedClock.of_environment(), maker=maker):
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main("auth_service", AuthConfig, run))
