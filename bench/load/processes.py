"""What a process has cost: CPU time and memory as the kernel counts them."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, all its threads, user and system."""
    return _cpu_of(Path(f"/proc/{pid}/stat").read_text())


def resident_kib(pid: int) -> int:
    """What a process holds in memory: pages of its own and those it shares, as `smaps_rollup` counts them."""
    return _resident_of(Path(f"/proc/{pid}/smaps_rollup").read_text())


def all_cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """`cpu_s` of each."""
    return {name: cpu_s(pid) for name, pid in pids.items()}


def used_s(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each has used in between."""
    return {name: after[name] - value for name, value in before.items()}


def machine() -> str:
    """Processors and kernel, in a line."""
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else os.uname().machine}, Linux {os.uname().release}"


def _cpu_of(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()  # the name may have spaces and brackets of its own
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _resident_of(rollup: str) -> int:
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Rss:"))


def _lines(path: str) -> list[str]:
    place = Path(path)
    return place.read_text().splitlines() if place.exists() else []
