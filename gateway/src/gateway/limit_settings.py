"""Settings of the limits that hold for a user or device over several connections, and of limits on trial; the others are in `config.py`."""

from pydantic import Field, field_validator

from garita_common.config import ServiceConfig
from garita_common.core.buckets import Rate

from .core import operation_rates
from .core.allowance import UserLimits
from .core.catalogue import check_on_trial
from .core.limits import ShareLimits

KIB = 1024
MIB = 1024 * KIB


class LimitSettings(ServiceConfig):
    """Limits of users and devices."""

    dry_run: str = Field(
        "",
        description="Limits on trial, by name and separated by commas: what they would refuse is only counted (gateway_would_refuse_total).",
    )
    connections_per_user: int = Field(
        10,
        ge=1,
        description="Connections per user over all gateways; one more closes the oldest. More devices at once than anybody looks at.",
    )
    connections_per_device: int = Field(
        8,
        ge=1,
        description="Connections per device over all gateways; one more closes its oldest. A browser's tabs, with two left for a phone.",
    )
    device_send_burst: float = Field(
        15, gt=0, description="Messages at once per device and gateway: one and a half connections' worth."
    )
    device_send_per_s: float = Field(
        3,
        gt=0,
        description="Messages per second, device and gateway: two tabs of the same person are one pair of hands.",
    )
    user_send_burst: float = Field(
        20, ge=1, description="Messages at once per user over all gateways: two connections' worth."
    )
    user_send_per_s: float = Field(4, gt=0, description="Messages per second and user over all gateways.")
    share_every_s: float = Field(
        0.02,
        gt=0,
        description="Seconds between two reports of spent messages to Redis: as long may two gateways spend without knowing of each other.",
    )
    operation_rates: str = Field(
        "create_room=0.1:20,join=1:40,invite=0.5:30,search=1:10,report=0.1:10,presence=2:40,set_room=0.2:10,audit=1:10,renew=0.1:10,clear=0.1:10,download=5:60",
        description="Rates of their own for dear operations, per user and gateway: operation=per_second:burst, separated by commas; none for none.",
    )
    user_bytes_in_burst: int = Field(
        MIB, ge=1, description="Bytes at once that are no upload, per user and gateway: four connections' worth."
    )
    user_bytes_in_per_s: int = Field(
        256 * KIB,
        ge=1,
        description="Bytes per second that are no upload, per user and gateway: four connections' worth, so that ten are not ten times one.",
    )
    user_upload_bytes_burst: int = Field(
        16 * MIB, ge=1, description="Upload bytes at once per user and gateway: one second of the rate."
    )
    user_upload_bytes_per_s: int = Field(
        16 * MIB, ge=1, description="Upload bytes per second, user and gateway: two connections' worth."
    )

    @field_validator("dry_run")
    @classmethod
    def _check_dry_run(cls, text: str) -> str:
        check_on_trial(_names(text))
        return text

    @field_validator("operation_rates")
    @classmethod
    def _check_operation_rates(cls, text: str) -> str:
        operation_rates.parse(text)
        return text

    @property
    def on_trial(self) -> frozenset[str]:
        """Names of the limits in dry_run."""
        return frozenset(_names(self.dry_run))

    @property
    def share_limits(self) -> ShareLimits:
        """What a user is held to over all gateways."""
        return ShareLimits(
            Rate(self.user_send_per_s, self.user_send_burst),
            self.connections_per_user,
            self.connections_per_device,
            self.share_every_s,
        )

    def user_limits(self, table_keys: int) -> UserLimits:
        """What a user and a device are held to here. Args: table_keys: how many of each are remembered."""
        return UserLimits(
            bytes_in=Rate(self.user_bytes_in_per_s, self.user_bytes_in_burst),
            upload_bytes=Rate(self.user_upload_bytes_per_s, self.user_upload_bytes_burst),
            operations=operation_rates.parse(self.operation_rates),
            device_send=Rate(self.device_send_per_s, self.device_send_burst),
            table_keys=table_keys,
        )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
