"""The examples of docs/auth-api.md do what stands under them: all of them, in the page's order, by bash and curl against a whole service."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.auth_service import office
from tests.integration.auth_service.conftest import OUTBOX_KEY, Clock, Worlds

PAGE = Path(__file__).parents[3] / "docs" / "auth-api.md"
MARK = "--- status "


class Passing(Clock):
    """The time itself: the programs of the page look at it too."""

    def __call__(self) -> float:
        """Now."""
        return time.time()


@dataclass(frozen=True)
class Example:
    """A command of the page, and what the page says that it prints; `…` stands for anything."""

    command: str
    printed: str

    def fits(self, output: str) -> bool:
        """Whether it printed that. A number of ten digits or more is a time, and any other time is as good."""
        pattern = re.sub(r"\d{10,}", r"\\d+", re.escape(self.printed)).replace("…", "[^\n]*?")
        return re.fullmatch(pattern, output.rstrip("\n")) is not None


def examples(page: str) -> Iterator[Example]:
    """The commands of all console blocks."""
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, _, rest = command.partition("\n")
            yield Example(first, rest.rstrip("\n"))


def programs(page: str) -> Iterator[tuple[str, str]]:
    """The Python blocks that begin with the name of a file."""
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        if (named := re.match(r"# (\w+\.py)", block)) is not None:
            yield named[1], block


async def test_every_example_does_what_stands_under_it(worlds: Worlds, tmp_path: Path) -> None:
    """From the first challenge to a recovery; each command succeeds and prints what the page says."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = list(examples(page))
    for name, text in programs(page):
        (tmp_path / name).write_text(text)
    script = "".join(f"{example.command}\nprintf '\\n{MARK}%s\\n' $?\n" for example in wanted)

    async with worlds(clock=Passing()) as world:
        await office.ban(world, "user:u" + "0" * 32, appeal=re.findall(r"\$ appeal=(\w+)", page)[0])
        outbox = f"{world.url}/dev/outbox?key={OUTBOX_KEY}"
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", script, cwd=tmp_path, env=os.environ | {"origin": world.url, "outbox": outbox},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = await shell.communicate()
        finally:
            if shell.returncode is None:
                shell.kill()

    found = re.findall(rf"(.*?)\n{MARK}(\d+)\n", said.decode(), re.DOTALL)
    assert len(found) == len(wanted) > 30, said.decode()
    odd = [
        f"$ {example.command}\n{output}\ninstead of\n{example.printed}\n"
        for example, (output, status) in zip(wanted, found, strict=True)
        if status != "0" or not example.fits(output)
    ]
    assert not odd, "\n".join(odd)


@pytest.mark.parametrize(
    ("printed", "output", "fits"),
    [
        ('{"id":"…","expires_in":300}', '{"id":"5f0c","expires_in":300}', True),
        ('{"id":"…","expires_in":300}', '{"id":"5f0c","expires_in":301}', False),
        ('{"at_ms":1767225600000}', '{"at_ms":1800000000000}', True),
        ("", "bash: curl: command not found", False),
    ],
)
def test_what_does_not_fit_is_seen(printed: str, output: str, *, fits: bool) -> None:
    """An example that prints something else fails."""
    assert Example("true", printed).fits(output) is fits
