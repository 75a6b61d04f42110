"""Files: whether an upload may begin, what may happen to one, and whether what arrived is what was announced."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from garita_common.core.errors import AppError, Conflict, FileRejected, LimitReached, Quota, TooLarge

from .limits import Limit


class UploadState(Enum):
    """OPEN may get bytes. FINISHED has become a file. The others are over."""

    OPEN = "open"
    FINISHED = "finished"
    REJECTED = "rejected"
    ABORTED = "aborted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Upload:
    """An announced file."""

    id: str
    user: str
    room: str
    name: str
    size: int
    sha256: str
    type: str
    state: UploadState
    file: str | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A finished file and the blob that holds it."""

    id: str
    room: str
    user: str
    name: str
    size: int
    sha256: str
    type: str
    ts: int
    key: str


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Per file, per user and day (bytes), and how many uploads a user may have open at a time."""

    file_bytes: int
    day_bytes: int
    open_uploads: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user has open, and the bytes announced within the last 24 h.

    Given-up uploads count too: otherwise announcing, sending and giving up would be a way to send for ever.
    """

    open_uploads: int
    day_bytes: int


def exceeded(size: int, usage: Usage, limits: UploadLimits) -> Iterator[tuple[Limit, AppError]]:
    """The limits that an upload of `size` bytes would break, each with what the user is told."""
    if size > limits.file_bytes:
        yield Limit.FILE_BYTES, TooLarge(f"A file has at most {limits.file_bytes} bytes.")
    if usage.open_uploads >= limits.open_uploads:
        yield (
            Limit.OPEN_UPLOADS,
            LimitReached(f"At most {limits.open_uploads} uploads may be open. Finish or abort one."),
        )
    if usage.day_bytes + size > limits.day_bytes:
        yield Limit.DAILY_BYTES, Quota()


def require_open(upload: Upload) -> None:
    """Lets an open upload go on.

    Raises:
        FileRejected: its bytes were not what was announced.
        Conflict: it is over for another reason.
    """
    if upload.state is UploadState.REJECTED:
        raise FileRejected
    if upload.state is not UploadState.OPEN:
        raise Conflict("This upload is over.")


def matches(upload: Upload, size: int, sha256: str) -> bool:
    """Whether what was put together is what was announced."""
    return upload.size == size and upload.sha256 == sha256


def blob_key(upload: str) -> str:
    """Where the gateway puts the whole file, and where it stays."""
    return f"files/{upload}"


def upload_of(key: str) -> str:
    """Whose whole file a blob is."""
    return key.removeprefix(blob_key(""))


def parts_prefix(upload: str) -> str:
    """Under which the gateway keeps what has arrived so far."""
    return f"uploads/{upload}/"
