"""The whole stack as one object: `async with Stack(...) as stack:` starts it, waits until it is ready, and stops it.

Used by `make run` and by the end-to-end tests. Everything a test asks of a running stack (addresses, pids, signals,
readiness) may be asked from any thread and any event loop; only entering and leaving belong to the loop that runs it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from garita_local import logs, plan, ports, redis_server, secret_files, state_folder
from garita_local.child import Child
from garita_local.layout import Layout
from garita_local.readiness import is_ready
from garita_local.troubles import CannotStart

WEB = Path(__file__).resolve().parents[4] / "web"  # the packages run from the checkout (editable), the page does too
START_TIMEOUT_S = 120.0  # a laptop that is busy with something else
POLL_S = 0.1
INNER_PORTS = 5  # three of the auth service, two of the detector
ROTATE_EVERY_S = 10.0
STOP_TIMEOUT_S = 8.5  # what a person is told is 10; the rest is for the kernel and for our own end
# A service promises to end within 3 s of SIGTERM. Each may take that while those after it keep a moment of their own.
STOP_ONE_S = 3.5
STOP_MOMENT_S = 0.5
FATAL_SIGNALS = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGABRT, signal.SIGSEGV})


class Stack:
    """One running stack on this machine, with its data in `state`."""

    def __init__(
        self,
        *,
        state: Path,
        http_port: int | None = None,
        tcp_port: int | None = None,
        gateways: int = 1,
        share_ports: bool = False,
        chats: int = 1,
        loopback: str = "private",
        env: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        modules: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Nothing is opened here. Ports left out are chosen free; `env` is laid over every service's settings;
        `environment` is what the children inherit and where REDIS_URL is looked for (this process's own if None);
        `modules` run in the place of a service's own, by its name in `plan.MODULES`."""
        self.layout = Layout(state.resolve())
        self._wanted = (http_port, tcp_port, gateways, chats)
        self._share_ports = share_ports
        self._loopback = loopback
        self._around = plan.Surroundings(
            dict(os.environ) if environment is None else environment, dict(env or {}), modules or {}
        )
        self._progress = progress
        self._exit = ExitStack()
        self._tasks = asyncio.TaskGroup()
        self._stopped = asyncio.Event()
        self._children: dict[str, Child] = {}
        self._awaited_starts: dict[str, int] = {}
        self._ready = False
        self.redis_url = ""
        self.addresses = plan.Addresses((), (), (), 0, 0, 0, 0, 0, ())

    async def __aenter__(self) -> Self:
        """Start everything and wait until all are ready.

        Raises: CannotStart with the reason; nothing is left running then.
        """
        await self._tasks.__aenter__()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            await self._tasks.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything in order; the body's error, if any, goes on as it is."""
        await self._stop()
        await self._tasks.__aexit__(None, None, None)

    # What is asked of a running stack

    @property
    def http(self) -> str:
        """The address of the first gateway's page, socket and accounts."""
        return self.addresses.origin

    @property
    def tcp(self) -> tuple[str, int]:
        """The first gateway's TCP host and port."""
        return ports.HOST, self.addresses.gateways[0].tcp

    @property
    def outbox(self) -> str:
        """Where the SMS and mails that would have been sent can be read, key included."""
        return f"{self.http}/dev/outbox?key={self.secret(secret_files.OUTBOX_KEY)}"

    @property
    def operator(self) -> str:
        """The address of the detector's operator routes."""
        return plan.http_address(self.addresses.detector_operator)

    def secret(self, name: str) -> str:
        """One of the stack's secrets, for instance `operator_token`."""
        return secret_files.read_secret(self.layout.secrets, name)

    def names(self) -> list[str]:
        """The processes in the order in which they stop: gateways, chat (and its standby), auth, detector, redis."""
        return list(self._children)

    def pid(self, name: str) -> int:
        """The process id of one process now.

        Raises: ProcessLookupError while it is between two lives.
        """
        pid = self._children[name].pid
        if pid is None:
            raise ProcessLookupError(f"{name} is not running at the moment")
        return pid

    def starts(self, name: str) -> int:
        """How often one process was started so far."""
        return self._children[name].starts

    def inner(self, name: str) -> str:
        """The address of a service's inner listener: /healthz, /readyz, /metrics.

        Raises: LookupError for Redis, which has none.
        """
        port = self._children[name].plan.inner_port
        if port is None:
            raise LookupError(f"{name} has no inner listener")
        return plan.http_address(port)

    def log(self, name: str) -> str:
        """What a process has written since its log was last rotated."""
        path = self.layout.log(name)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one process; `ready` then waits for its next life if the signal ends it."""
        if number in FATAL_SIGNALS:
            self._awaited_starts[name] = self.starts(name) + 1
        os.kill(self.pid(name), number)

    async def ready(self, timeout_s: float = 60.0) -> None:
        """Wait until every process runs and says it is ready.

        Raises: TimeoutError with the names of those that are not.
        """
        waiting: list[str] = self.names()
        try:
            async with asyncio.timeout(timeout_s):
                while waiting := await self._not_ready(self._children):
                    await asyncio.sleep(POLL_S)
        except TimeoutError as exc:
            raise TimeoutError(f"not ready after {timeout_s:g} s: {', '.join(waiting)}") from exc

    def facts(self) -> dict[str, object]:
        """What `run.json` says: where the stack is, and which processes it is made of."""
        host, port = self.tcp
        return {
            "v": 1,
            "http": self.http,
            "tcp": f"{host}:{port}",
            "outbox": self.outbox,
            "operator": self.operator,
            "admin": plan.http_address(self.addresses.auth_admin),
            "secrets_dir": str(self.layout.secrets),
            "redis_url": self.redis_url,
            "processes": {name: _process_facts(child) for name, child in self._children.items()},
        }

    # Start and stop

    async def _start(self) -> None:
        """From an empty or an old state folder to a stack that is ready.

        Raises: CannotStart.
        """
        if self._loopback not in plan.LOOPBACK_KINDS:
            raise CannotStart(f"LOOPBACK={self._loopback} is not known; choose private or public.")
        state_folder.make_folders(self.layout)
        self._exit.enter_context(state_folder.locked(self.layout))
        state_folder.check_room(self.layout.root)
        self.layout.run_file.unlink(missing_ok=True)
        self.addresses = self._choose_addresses()
        secret_files.ensure_secrets(self.layout)
        self._tasks.create_task(self._rotate_logs(), name="rotate-logs")
        redis = await self._start_redis()
        services = plan.service_processes(
            self.layout,
            self.addresses,
            redis_url=self.redis_url,
            loopback=self._loopback,
            web=WEB,
            around=self._around,
        )
        self._progress(f"starting {', '.join(process.name for process in services)}")
        children = {process.name: self._launch(process) for process in services}
        self._children = children | redis
        await self._all_ready(self._children)
        for child in self._children.values():
            child.settle()
        self._ready = True
        self._write_facts()

    def _choose_addresses(self) -> plan.Addresses:
        """The ports a person asked for, checked, and free ones for the rest."""
        http_port, tcp_port, gateways, chats = self._wanted
        ports.require_chats(chats)
        if http_port is None or tcp_port is None:
            pairs = ports.hold_free_gateway_ports(self._exit, gateways, shared=self._share_ports)
        else:
            pairs = ports.gateway_ports(http_port, tcp_port, gateways, shared=self._share_ports)
            for pair in dict.fromkeys(pairs):
                ports.require_free(pair.http, "HTTP_PORT")
                ports.require_free(pair.tcp, "TCP_PORT")
        taken = frozenset(port for pair in pairs for port in (pair.http, pair.tcp))
        free = ports.hold_free_ports(self._exit, gateways + chats + INNER_PORTS, taken)
        files = tuple(ports.listen(self._exit, pair, shared=self._share_ports) for pair in pairs)
        inner, http, admin, detector_inner, detector_operator, *beside = free
        return plan.Addresses(
            gateways=tuple(pairs),
            gateway_inner=tuple(beside[chats:]),
            chat_inner=tuple(beside[:chats]),
            auth_inner=inner,
            auth_http=http,
            auth_admin=admin,
            detector_inner=detector_inner,
            detector_operator=detector_operator,
            gateway_files=files,
        )

    async def _start_redis(self) -> dict[str, Child]:
        """Use the server that REDIS_URL names, or run a private one until it answers.

        Raises: CannotStart.
        """
        named = self._around.environment.get("REDIS_URL")
        if named:
            self._progress("using the Redis server that REDIS_URL names")
            await redis_server.require_answer(named)
            self.redis_url = named
            return {}
        server = redis_server.set_up(self.layout, self._around.environment.get("PATH", os.defpath))
        self._exit.callback(redis_server.remove_socket_folder, server, self.layout)
        self._progress(f"starting redis ({server.program.name})")
        self.redis_url = server.url
        process = plan.redis_process(server.program.path, server.config, self.layout, self._around)
        self._children = {process.name: self._launch(process)}
        await self._all_ready(self._children)
        return dict(self._children)

    def _launch(self, process: plan.Process) -> Child:
        """A child that is kept alive from now on."""
        child = Child(process, changed=self._write_facts)
        self._tasks.create_task(child.run(), name=f"keep-{process.name}")
        return child

    async def _all_ready(self, children: Mapping[str, Child]) -> None:
        """Wait for the first readiness of these.

        Raises: CannotStart when one of them is hopeless or time is up.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while waiting := await self._not_ready(children):
            for child in children.values():
                if child.trouble is not None:
                    raise CannotStart(child.trouble)
            if time.monotonic() > deadline:
                last = "; ".join(f"{name}: {logs.last_words(self.layout.log(name))}" for name in waiting)
                raise CannotStart(f"not ready after {START_TIMEOUT_S:.0f} s, see {self.layout.logs}: {last}")
            await asyncio.sleep(POLL_S)

    async def _not_ready(self, children: Mapping[str, Child]) -> list[str]:
        """The names of those that do not run or do not say they are ready."""
        return [name for name, child in children.items() if not await self._is_ready(name, child)]

    async def _is_ready(self, name: str, child: Child) -> bool:
        if child.pid is None or child.starts < self._awaited_starts.get(name, 0):
            return False
        if child.plan.inner_port is None:
            return await redis_server.answers(self.redis_url)
        return await is_ready(child.plan.inner_port)

    async def _stop(self) -> None:
        """End everything in order, then give the state folder free. Takes at most STOP_TIMEOUT_S."""
        self._stopped.set()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        groups = _stop_order(self._children)
        for position, group in enumerate(groups, start=1):
            rest = deadline - time.monotonic() - STOP_MOMENT_S * (len(groups) - position)
            async with asyncio.TaskGroup() as stopping:
                for child in group:
                    stopping.create_task(
                        child.stop(min(STOP_ONE_S, max(rest, STOP_MOMENT_S))), name=f"stop-{child.plan.name}"
                    )
        if self._ready:
            self.layout.run_file.unlink(missing_ok=True)
        self._exit.close()

    async def _rotate_logs(self) -> None:
        """Keep the logs small until the stack stops; a disk that cannot hold the copy costs us nothing but the copy."""
        while not self._stopped.is_set():
            for child in self._children.values():
                try:
                    logs.rotate(child.plan.log)
                except OSError as exc:
                    self._progress(f"the log of {child.plan.name} could not be rotated: {exc.strerror}")
            try:
                async with asyncio.timeout(ROTATE_EVERY_S):
                    await self._stopped.wait()
            except TimeoutError:
                pass

    def _write_facts(self) -> None:
        """Say in `run.json` what runs; called again whenever a process got a new life."""
        if not self._ready or self._stopped.is_set():
            return
        try:
            state_folder.write_private(self.layout.run_file, json.dumps(self.facts(), indent=2) + "\n")
        except CannotStart as exc:
            self._progress(str(exc))  # the stack runs on; only who asks for its addresses sees old ones


def _stop_order(children: Mapping[str, Child]) -> list[list[Child]]:
    """Who stops together, in order: all gateways first, then the copies of the chat service, then one after the other, Redis last."""
    groups: dict[str, list[Child]] = {}
    for name, child in children.items():
        groups.setdefault(name.split("-")[0], []).append(child)
    return list(groups.values())


def _process_facts(child: Child) -> dict[str, object]:
    """What `run.json` says about one process."""
    facts: dict[str, object] = {"pid": child.pid}
    if child.plan.inner_port is not None:
        facts["inner"] = plan.http_address(child.plan.inner_port)
    if child.plan.ports is not None:
        facts["http"] = plan.http_address(child.plan.ports.http)
        facts["tcp"] = f"{ports.HOST}:{child.plan.ports.tcp}"
    return facts
