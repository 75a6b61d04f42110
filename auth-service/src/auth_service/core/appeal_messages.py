"""What appeals against bans take and answer."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from .answers import Answer
from .requests import Body, Proof


class Appeal(Body, frozen=True):
    """POST /appeals/{appeal_id}"""

    text: Annotated[str, Meta(min_length=1, max_length=1024)]
    captcha: Proof | None = None


class AppealState(Answer, frozen=True):
    """How an appeal stands; `upheld`: the ban was wrong."""

    state: Literal["open", "upheld", "refused"]
    answer: str | UnsetType = UNSET
