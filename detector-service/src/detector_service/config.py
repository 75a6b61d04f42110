"""The settings of the detector: where it stores, where operators ask, how much it remembers."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from garita_common.config import ServiceConfig

from .core.subjects import MAX_SUBJECTS


class DetectorConfig(ServiceConfig):
    """Everything that can be set; the environment names begin with `GARITA_DETECTOR_`."""

    service_prefix: ClassVar[str] = "GARITA_DETECTOR_"

    inner_port: int = Field(8093, ge=0, le=65535, description="Port of the inner listener; 0 takes a free one.")
    operator_host: str = Field(
        "127.0.0.1",
        description="Where the operator routes listen; whoever reaches them still needs the operator token.",
    )
    operator_port: int = Field(8095, ge=0, le=65535, description="Port of the operator routes; 0 takes a free one.")
    database: Path = Field(description="The SQLite file of events, decisions and bans; made if there is none.")
    # 2 KiB each at most: 400 MB when full.
    max_subjects: int = Field(MAX_SUBJECTS, ge=100, description="Addresses, users, devices and accounts in memory.")
    # The longest rule looks back an hour; a week lets an operator see what led to an appeal.
    keep_events_days: int = Field(7, ge=3, le=90, description="Days that events are kept which no decision names.")
    # Truncating addresses after a month is what the design promises; evidence must outlast the longest ban and its appeal.
    keep_evidence_days: int = Field(30, ge=15, le=365, description="Days that evidence of decisions is kept.")
