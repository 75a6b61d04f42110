"""Rows of the database as the JSON that operators get. The shapes are in README.md beside this package."""

from typing import Any

import msgspec

from .store import Row


def ban_view(row: Row, now_ms: int) -> dict[str, Any]:
    """A ban."""
    lifted = row["lifted_ms"] is not None
    state = "lifted" if lifted else "active" if row["until_ms"] > now_ms else "ended"
    return {
        "decision": row["decision"],
        "subject": row["subject"],
        "kind": row["subject"].partition(":")[0],
        "state": state,
        "since_ms": row["since_ms"],
        "until_ms": row["until_ms"],
        "scenario": row["scenario"],
        "version": row["version"],
        "reason": row["reason"],
        "level": row["level"],
        "appeal": row["appeal"],
        "sentence": row["sentence"],
        "lifted": {"at_ms": row["lifted_ms"], "reason": row["lifted_reason"]} if lifted else None,
    }


def decision_view(row: Row) -> dict[str, Any]:
    """A decision, without its evidence and its ban."""
    return {
        "decision": row["id"],
        "subject": row["subject"],
        "kind": row["subject"].partition(":")[0],
        "scenario": row["scenario"],
        "version": row["version"],
        "action": row["action"],
        "at_ms": row["at_ms"],
        "window_start_ms": row["window_start_ms"],
        "sentence": row["sentence"],
        "numbers": msgspec.json.decode(row["numbers"]),
    }


def event_view(row: Row) -> dict[str, Any]:
    """An event; `record` is null once it was wiped for its age."""
    return {
        "id": row["id"],
        "stream": row["stream"],
        "stream_id": row["stream_id"],
        "kind": row["kind"],
        "at_ms": row["at_ms"],
        "seen_ms": row["seen_ms"],
        "record": msgspec.msgpack.decode(row["body"]) if row["body"] else None,
    }
