"""How a service process runs: uvloop, signals, listeners, exit codes.

`main` loads the settings, sets logging up and runs the service until SIGTERM or SIGINT. A bad configuration or a port in use is one sentence on
standard error and exit code 78 (EX_CONFIG).
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import uvloop
from aiohttp import web

from . import logs
from .config import ConfigError, ServiceConfig

ConfigT = TypeVar("ConfigT", bound=ServiceConfig)


def main(service: str, config_type: type[ConfigT], run: Callable[[ConfigT, asyncio.Event], Awaitable[None]]) -> int:
    """Runs a service to its end; returns the exit code. Args: run: serves until the event is set, then drains and returns."""
    try:
        config = config_type.load()
        logs.configure(service, config.log_level)
        _collect_seldom()
        uvloop.run(_until_signal(config, run))
    except BaseException as exc:
        problems = _config_errors(exc)
        if not problems:
            raise
        sys.stderr.write(f"{service}: {' '.join(problems)}\n")
        return os.EX_CONFIG
    return os.EX_OK


def _collect_seldom() -> None:
    """What was imported is never looked through again for garbage, and what is made only after every ten thousand objects: batches of messages are many
    objects that live for one turn, and to look through them took a twentieth of a service's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serves an application on an address while the block runs; gives the port in use (the one taken, where `port` is 0).

    Raises:
        ConfigError: the address cannot be had.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as exc:
            raise ConfigError(f"Cannot listen on {host}:{port}: {exc.strerror or exc}.") from exc
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _until_signal(config: ConfigT, run: Callable[[ConfigT, asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(config, stop)


def _config_errors(exc: BaseException) -> list[str]:
    """The sentences of the configuration errors that `exc` is made of; empty if it is made of anything else."""
    if isinstance(exc, ConfigError):
        return [str(exc)]
    if isinstance(exc, BaseExceptionGroup):
        inner = [_config_errors(part) for part in exc.exceptions]
        return [sentence for part in inner for sentence in part] if all(inner) else []
    return []
