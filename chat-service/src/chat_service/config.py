"""The chat service's settings."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from garita_common.config import ServiceConfig

from .core.rooms import MAX_ATTACHED_ROOMS, RoomLimits, TalkLimits
from .core.uploads import UploadLimits

DAY_S = 86_400


class ChatConfig(ServiceConfig):
    """Environment variables with the prefix GARITA_CHAT_, and those of all services."""

    service_prefix: ClassVar[str] = "GARITA_CHAT_"

    database: Path = Field(description="Path of the SQLite file; made at the first start.")
    blob_url: str = Field(
        min_length=1, description="Where files are, the gateway's own place: file:///… (a folder) or s3://…"
    )
    rooms_per_user: int = Field(
        MAX_ATTACHED_ROOMS, ge=1, le=MAX_ATTACHED_ROOMS, description="Rooms that a user may be in."
    )
    members_per_room: int = Field(10_000, ge=2, le=10_000, description="Members that a room may have.")
    file_bytes: int = Field(25 * 1024 * 1024, ge=1, description="Largest file, in bytes.")
    daily_bytes: int = Field(250 * 1024 * 1024, ge=1, description="Bytes a user may announce within 24 h.")
    open_uploads: int = Field(5, ge=1, description="Uploads that a user may have open.")
    upload_keep_s: float = Field(
        DAY_S, gt=0, le=DAY_S, description="How long an unfinished upload is kept, in seconds."
    )
    sweep_every_s: float = Field(60.0, gt=0, description="Time between two looks for expired uploads, in seconds.")
    batch_commands: int = Field(
        256,
        ge=1,
        le=4096,
        description="Most commands in one transaction: more would make each answer wait for the others.",
    )
    waiting_commands: int = Field(
        20_000,
        ge=1,
        description="Commands that may wait; above that they are refused as busy. As many as one gateway may hold.",
    )

    reactions_per_message: int = Field(
        20, ge=1, le=100, description="Different emoji on one message: more no client can show."
    )
    reactions_per_user: int = Field(5, ge=1, le=100, description="Reactions that a user may have on one message.")
    marks_members: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Members up to which a room hears of read marks: each mark goes to everybody. In larger rooms only one's own.",
    )
    presence_members: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Members up to which a room is told who comes and goes. In larger rooms it is asked for.",
    )

    @property
    def talk_limits(self) -> TalkLimits:
        """Those of what is said to messages and in passing."""
        return TalkLimits(
            self.reactions_per_message, self.reactions_per_user, self.marks_members, self.presence_members
        )

    @property
    def room_limits(self) -> RoomLimits:
        """Those of rooms."""
        return RoomLimits(self.rooms_per_user, self.members_per_room)

    @property
    def upload_limits(self) -> UploadLimits:
        """Those of files."""
        return UploadLimits(self.file_bytes, self.daily_bytes, self.open_uploads)
