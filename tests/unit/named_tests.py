"""Tests by name: `unit/gateway/test_purse.py::test_a_stranger_sends_nothing`, looked up in the sources without running anything."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]


@cache
def _functions(path: Path) -> frozenset[str]:
    """The test functions of a file; none if there is no such file."""
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(names: list[str]) -> list[str]:
    """Those of these tests that do not exist."""
    return [name for name in names if name.partition("::")[2] not in _functions(TESTS / name.partition("::")[0])]
