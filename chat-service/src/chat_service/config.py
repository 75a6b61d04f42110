"""The chat service's settings."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from garita_common.config import ServiceConfig
from garita_common.core.buckets import Rate

from .core.limits import Limit
from .core.rooms import MAX_ATTACHED_ROOMS, RoomLimits, TalkLimits
from .core.uploads import UploadLimits
from .turn import Rules

DAY_S = 86_400


class ChatConfig(ServiceConfig):
    """Environment variables with the prefix GARITA_CHAT_, and those of all services."""

    service_prefix: ClassVar[str] = "GARITA_CHAT_"

    database: Path = Field(description="Path of the SQLite file; made at the first start.")
    blob_url: str = Field(
        min_length=1, description="Where files are, the gateway's own place: file:///… (a folder) or s3://…"
    )
    takeover_s: float = Field(
        10.0,
        ge=1.0,
        description="Silence of the owner after which a copy that stands by takes over, in seconds; a fifth of it is between two signs of life. "
        "Longer than any pause of a busy machine; an owner that has died or given up is followed at once.",
    )
    rooms_per_user: int = Field(
        MAX_ATTACHED_ROOMS, ge=1, le=MAX_ATTACHED_ROOMS, description="Rooms that a user may be in."
    )
    members_per_room: int = Field(10_000, ge=2, le=10_000, description="Members that a room may have.")
    unanswered_rooms: int = Field(
        28,
        ge=1,
        le=MAX_ATTACHED_ROOMS,
        description="Of these, direct rooms that others began and the user has said nothing in: so strangers leave 100 places.",
    )
    room_send_per_s: float = Field(
        50.0, gt=0, description="Messages a second in one room, all members together: what people can still follow."
    )
    room_send_burst: float = Field(
        200.0, ge=1, description="Messages in one room at once, above that rate: everybody greeting at the same time."
    )
    new_rooms_per_day: int = Field(
        30,
        ge=1,
        description="Public and private rooms that a user may make in a day (UTC): their titles are read by strangers.",
    )
    direct_rooms_per_day: int = Field(
        30, ge=1, description="Direct rooms that a user may begin in a day (UTC): more is writing to strangers in bulk."
    )
    invitations_per_day: int = Field(
        100, ge=1, description="Invitations that a user may give in a day (UTC): a large group in one go, no mailing."
    )
    reports_per_day: int = Field(
        50,
        ge=1,
        description="Messages that a user may report in a day (UTC): a wave of spam, no flood of the moderators.",
    )
    dry_run: str = Field(
        "",
        description="Limits that refuse nothing and count in chat_would_refuse_total what they would refuse, by name with commas: "
        + ", ".join(limit.value for limit in Limit)
        + ".",
    )
    file_bytes: int = Field(25 * 1024 * 1024, ge=1, description="Largest file, in bytes.")
    daily_bytes: int = Field(250 * 1024 * 1024, ge=1, description="Bytes a user may announce within 24 h.")
    open_uploads: int = Field(5, ge=1, description="Uploads that a user may have open.")
    upload_keep_s: float = Field(
        DAY_S, gt=0, le=DAY_S, description="How long an unfinished upload is kept, in seconds."
    )
    sweep_every_s: float = Field(60.0, gt=0, description="Time between two looks for expired uploads, in seconds.")
    batch_commands: int = Field(
        512,
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

    search_deadline_s: float = Field(
        0.5, gt=0, le=5, description="Longest time for one search, in seconds; then it is refused as busy."
    )
    searches_waiting: int = Field(
        64,
        ge=1,
        description="Searches that may wait for their turn, two of a user; above that they are refused as busy. As many as are done within a few seconds.",
    )

    @property
    def search_index(self) -> Path:
        """The search index's file, beside the database; it is made from the events, and again if it is missing."""
        return self.database.with_name(f"{self.database.name}-search")

    @field_validator("dry_run")
    @classmethod
    def _known_limits(cls, value: str) -> str:
        unknown = set(_words(value)) - {limit.value for limit in Limit}
        if unknown:
            raise ValueError("it names a limit that does not exist")
        return value

    @property
    def rules(self) -> Rules:
        """What handlers hold requests against."""
        return Rules(
            rooms=RoomLimits(self.rooms_per_user, self.members_per_room, self.unanswered_rooms),
            uploads=UploadLimits(self.file_bytes, self.daily_bytes, self.open_uploads),
            talk=TalkLimits(
                self.reactions_per_message, self.reactions_per_user, self.marks_members, self.presence_members
            ),
            room_send=Rate(self.room_send_per_s, self.room_send_burst),
            per_day={
                Limit.NEW_ROOMS_PER_DAY: self.new_rooms_per_day,
                Limit.DIRECT_ROOMS_PER_DAY: self.direct_rooms_per_day,
                Limit.INVITATIONS_PER_DAY: self.invitations_per_day,
                Limit.REPORTS_PER_DAY: self.reports_per_day,
            },
            dry_run=frozenset(Limit(word) for word in _words(self.dry_run)),
        )


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]
