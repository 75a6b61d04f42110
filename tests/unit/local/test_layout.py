"""Where things lie in the state folder."""

from __future__ import annotations

from pathlib import Path

from garita_local.layout import Layout


def test_everything_lies_below_the_state_folder() -> None:
    """No folder, database, log or note is outside the root."""
    layout = Layout(Path("/srv/garita"))

    places = [*layout.folders(), layout.run_file, layout.lock_file, layout.database("chat"), layout.log("redis")]

    assert all(place.is_relative_to(layout.root) for place in places)


def test_each_service_has_its_own_database_folder() -> None:
    """A service's files lie in a folder that is made for it."""
    layout = Layout(Path("/srv/garita"))

    databases = [layout.database(name) for name in ("chat", "auth", "detector")]

    assert len({database.parent for database in databases}) == 3
    assert {database.parent for database in databases} <= set(layout.folders())
