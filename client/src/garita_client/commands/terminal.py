"""Asking and telling a person: a real terminal with an editable line, or plain lines where standard input is a pipe."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from garita_client.core.texts import Language, text
from garita_client.files import Progress as Report

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse italic"})
"""An empty line below looks like nothing."""

REFRESH_S = 0.5
"""How often what stands below the line is drawn anew."""


class Terminal:
    """One person, in one language."""

    def __init__(self, language: Language) -> None:
        """Args: language: `en` or `es`."""
        self.language = language
        self.console = Console(highlight=False)
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._session: PromptSession[str] | None = PromptSession(style=_STYLE) if self._interactive else None
        self._bar: Progress | None = None
        self._typed = False
        if self._session is not None:
            self._session.default_buffer.on_text_changed += self._changed
        self.status = ""
        """What stands below the line that is being typed; nothing of it is shown where standard output is no terminal."""

    def say(self, key: str, **values: object) -> None:
        """A sentence of the catalogue."""
        self.show(self.word(key, **values))

    def word(self, key: str, **values: object) -> str:
        """A sentence of the catalogue, not shown."""
        return text(self.language, key, **values)

    def show(self, line: str, style: str = "") -> None:
        """A line as it is; a running bar or an open prompt stays below it."""
        if self._bar is not None:
            self._bar.console.print(Text(line, style=style), soft_wrap=True)
        elif self._interactive:
            print(line, flush=True)
        else:
            self.console.print(Text(line), soft_wrap=True)

    async def ask(self, key: str, *, secret: bool = False, default: str = "") -> str:
        """One answer. Raises: EOFError at the end of the input."""
        return (await self.line(self.word(key), secret=secret, default=default)).strip("\n")

    async def line(self, prompt: str, *, secret: bool = False, default: str = "") -> str:
        """One line that a person types, while other lines may be shown above it."""
        if self._session is None:
            return (await asyncio.to_thread(_read_line)) or default
        session = self._session
        bar = None if secret else lambda: self.status or None
        with patch_stdout():
            return await session.prompt_async(
                prompt, is_password=secret, default=default, bottom_toolbar=bar, refresh_interval=REFRESH_S
            )

    def _changed(self, buffer: Buffer) -> None:
        """Notes that a message is being typed; a command is nobody's business."""
        self._typed = self._typed or (bool(buffer.text) and not buffer.text.startswith("/"))

    def take_typed(self) -> bool:
        """Whether something of a message was typed since the last time this was asked."""
        typed, self._typed = self._typed, False
        return typed

    @contextmanager
    def progress(self, name: str) -> Iterator[Report]:
        """A bar for one file, told by calls with bytes done and bytes in all."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(True), TransferSpeedColumn())
        with Progress(*columns, console=self.console, transient=False) as bar:
            task = bar.add_task(name, total=None)
            self._bar = bar
            try:
                yield lambda done, total: bar.update(task, completed=done, total=total)
            finally:
                self._bar = None

    @asynccontextmanager
    async def busy(self, key: str) -> AsyncIterator[None]:
        """Tells that something takes a moment."""
        self.say(key)
        yield


def _read_line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
