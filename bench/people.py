"""Accounts for a replay: registered through the real API, proof of work and code included, and kept for the next run on the same data."""

import asyncio
import re
import secrets
from collections.abc import Callable

import aiohttp
import msgspec
from msgspec import Struct

from bench.stacks import RunningStack
from garita_client import AccessToken, Account, AuthApi, AuthRefused, LoginNeeded, TokenStore, Unreachable

AT_ONCE = 12
"""Registrations at once: each waits 1.6 s for its form to age, so that twelve keep two cores busy with proofs and hashes."""

TRIES = 5
OUTBOX_TIMEOUT_S = 20.0
CODE_TIMEOUT_S = 20.0


class Person(Struct, frozen=True):
    """A made-up person of this bench."""

    name: str
    email: str
    password: str


class PersonTokens:
    """A token source that logs in again by password when a session was lost, and counts it."""

    def __init__(self, person: Person, account: Account) -> None:
        """Args: account: the person's, logged in or not."""
        self._person = person
        self._account = account
        self.logins = 0

    async def token(self, *, fresh: bool) -> AccessToken:
        """See `garita_client.TokenSource`."""
        try:
            return await self._account.token(fresh=fresh)
        except LoginNeeded:
            self.logins += 1
            await self._account.login(self._person.name, self._person.password)
            return await self._account.token(fresh=True)


class People:
    """The accounts of one stack's data, in files below its state folder."""

    def __init__(self, stack: RunningStack, api: AuthApi) -> None:
        """Args: api: of that stack."""
        self._stack = stack
        self._api = api
        self._folder = stack.state / "bench"
        self._list = self._folder / "people.json"

    async def gather(self, count: int, progress: Callable[[], None]) -> list[tuple[str, PersonTokens]]:
        """So many people: those that are known from an earlier run first, the others are registered now."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self._known()[:count]
        for _ in known:
            progress()
        slots = asyncio.Semaphore(AT_ONCE)
        series = secrets.token_hex(3)
        async with asyncio.TaskGroup() as tasks:
            made = [
                tasks.create_task(self._register(f"p{series}-{number}", slots, progress))
                for number in range(count - len(known))
            ]
        people = known + [task.result() for task in made]
        everybody = people + self._known()[len(known) :]
        self._list.write_bytes(msgspec.json.encode(everybody))
        self._list.chmod(0o600)
        return [(person.name, PersonTokens(person, self._account(person))) for person in people]

    def _known(self) -> list[Person]:
        try:
            return msgspec.json.decode(self._list.read_bytes(), type=list[Person])
        except FileNotFoundError:
            return []

    def _account(self, person: Person) -> Account:
        return Account(self._api, TokenStore(self._folder / f"{person.name}.json"))

    async def _register(self, name: str, slots: asyncio.Semaphore, progress: Callable[[], None]) -> Person:
        """One registration, tried again when the service says that it is busy."""
        person = Person(name, f"{name}@example.org", secrets.token_urlsafe(18))
        async with slots:
            for attempt in range(TRIES):
                try:
                    await self._register_once(person)
                    break
                except (AuthRefused, Unreachable) as exc:
                    if attempt == TRIES - 1:
                        raise
                    await asyncio.sleep(getattr(exc, "retry_after_s", None) or 1.0)
        progress()
        return person

    async def _register_once(self, person: Person) -> None:
        account = self._account(person)
        flow = await account.register(email=person.email, password=person.password)
        ticket = await account.verify(flow, await self._code(person.email))
        await account.complete(flow, ticket, person.name)

    async def _code(self, email: str) -> str:
        """The code that would have been sent."""
        timeout = aiohttp.ClientTimeout(total=OUTBOX_TIMEOUT_S)
        async with asyncio.timeout(CODE_TIMEOUT_S), aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                async with session.get(str(self._stack.facts.outbox)) as answer:
                    entries = await answer.json() if answer.status == 200 else []
                texts = [entry["text"] for entry in entries if entry["to"] == email]
                found = re.search(r"\b\d{6}\b", texts[-1]) if texts else None
                if found:
                    return found.group()
                await asyncio.sleep(0.2)
