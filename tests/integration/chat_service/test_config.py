"""Settings: the documented names, the documented defaults, one sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_service.config import ChatConfig
from chat_service.core.rooms import RoomLimits
from chat_service.core.uploads import UploadLimits
from garita_common.config import ConfigError

from .conftest import environment


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    """docs/protocol.md §6."""
    config = ChatConfig.load(environment("unix:///none", tmp_path))

    assert config.rules.rooms == RoomLimits(rooms_per_user=128, members_per_room=10_000, unanswered_rooms=28)
    assert config.rules.uploads == UploadLimits(25 * 1024**2, 250 * 1024**2, 5)
    assert config.upload_keep_s == 24 * 3600
    assert config.database == tmp_path / "chat" / "chat.sqlite3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GARITA_CHAT_NONSENSE", "1"),
        ("GARITA_CHAT_DATABASE", ""),
        ("GARITA_CHAT_ROOMS_PER_USER", "129"),
        ("GARITA_CHAT_OPEN_UPLOADS", "0"),
        ("GARITA_CHAT_UPLOAD_KEEP_S", "86401"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    """Unknown, missing, or out of its range."""
    with pytest.raises(ConfigError, match=name):
        ChatConfig.load(environment("unix:///none", tmp_path, **{name: value}))
