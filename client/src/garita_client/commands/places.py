"""Where things are: the stack that runs here, the server to talk to, the file with the login."""

from dataclasses import dataclass
from pathlib import Path

from garita_client.core.addresses import api_base
from garita_client.core.errors import GaritaError
from garita_client.core.run_file import RunFile, parse_run_file
from garita_client.token_store import Login, TokenStore, default_path

from .terminal import Terminal

DEFAULT_SERVER = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Choices:
    """What was said on the command line; None: not said."""

    state: Path
    server: str | None = None
    connect: str | None = None
    login: Path | None = None


class Places:
    """Answers `where is …` from the command line, the saved login and `run.json`, in this order."""

    def __init__(self, choices: Choices, terminal: Terminal) -> None:
        """Args: terminal: for sentences in the person's language."""
        self._choices = choices
        self._terminal = terminal
        self.store = TokenStore(choices.login or default_path())

    def stack(self) -> RunFile | None:
        """The stack of the state folder, None if there is none."""
        try:
            return parse_run_file((self._choices.state / "run.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise GaritaError(f"{self._choices.state / 'run.json'}: {exc.strerror}.") from exc

    def stack_needed(self) -> RunFile:
        """As `stack`. Raises: GaritaError that says what to do."""
        stack = self.stack()
        if stack is None:
            raise GaritaError(self._terminal.word("no_run_file", path=self._choices.state / "run.json"))
        return stack

    def log_of(self, process: str) -> Path:
        """The log of a process of the stack that runs here."""
        return self._choices.state / "log" / f"{process}.log"

    def server_for_new(self) -> str:
        """The server for a new login."""
        if self._choices.server:
            return self._choices.server.rstrip("/")
        known, stack = self.store.load(), self.stack()
        if stack is not None:
            return stack.http
        return known.server if known is not None else DEFAULT_SERVER

    def login_needed(self) -> Login:
        """The saved login. Raises: GaritaError that says what to do."""
        login = self.store.load()
        if login is None or login.refresh_token is None:
            raise GaritaError(self._terminal.word("not_logged_in"))
        return login

    def api_of(self, server: str) -> str:
        """The accounts API of a server."""
        return api_base(server)

    def chat_address(self, server: str) -> str:
        """Where to chat: what was said, the TCP port of a stack that runs here, else the server's WebSocket."""
        if self._choices.connect:
            return self._choices.connect
        stack = self.stack()
        if stack is not None and stack.http == server:
            return f"tcp://{stack.tcp}"
        return server

    def outbox_of(self, server: str) -> str | None:
        """Where a demo server shows what it would have sent."""
        stack = self.stack()
        return stack.outbox if stack is not None and stack.http == server else None
