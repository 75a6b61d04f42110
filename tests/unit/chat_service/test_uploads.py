"""Uploads are admitted at their limits and not one past them."""

import pytest

from chat_service.core.limits import Limit
from chat_service.core.uploads import (
    Upload,
    UploadLimits,
    UploadState,
    Usage,
    blob_key,
    exceeded,
    matches,
    parts_prefix,
    require_open,
)
from garita_common.core.errors import Conflict, FileRejected, LimitReached, Quota, TooLarge

LIMITS = UploadLimits(file_bytes=100, day_bytes=250, open_uploads=5)


def upload(state: UploadState) -> Upload:
    """An upload of 10 bytes."""
    return Upload("0" * 32, "ua", "r1", "a.txt", 10, "ab", "text/plain", state, None)


def test_an_upload_at_every_limit_is_admitted() -> None:
    """The largest file, the last of the day's bytes, the last open one."""
    assert list(exceeded(100, Usage(open_uploads=4, day_bytes=150), LIMITS)) == []


@pytest.mark.parametrize(
    ("size", "usage", "limit", "error"),
    [
        (101, Usage(0, 0), Limit.FILE_BYTES, TooLarge),
        (1, Usage(5, 0), Limit.OPEN_UPLOADS, LimitReached),
        (100, Usage(4, 151), Limit.DAILY_BYTES, Quota),
    ],
)
def test_an_upload_past_a_limit_is_named(size: int, usage: Usage, limit: Limit, error: type[Exception]) -> None:
    """One past each."""
    ((named, refusal),) = exceeded(size, usage, LIMITS)

    assert named is limit
    assert isinstance(refusal, error)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (UploadState.REJECTED, FileRejected),
        (UploadState.FINISHED, Conflict),
        (UploadState.ABORTED, Conflict),
        (UploadState.EXPIRED, Conflict),
    ],
)
def test_only_an_open_upload_goes_on(state: UploadState, error: type[Exception]) -> None:
    """A rejected one says again that it was rejected."""
    require_open(upload(UploadState.OPEN))
    with pytest.raises(error):
        require_open(upload(state))


@pytest.mark.parametrize(("size", "sha256", "same"), [(10, "ab", True), (9, "ab", False), (10, "ac", False)])
def test_a_file_is_what_was_announced(size: int, sha256: str, same: bool) -> None:
    """Size and hash both."""
    assert matches(upload(UploadState.OPEN), size, sha256) is same


def test_blobs_of_an_upload_are_under_its_own_id() -> None:
    """No upload's prefix is the start of another's."""
    assert blob_key("ab") == "files/ab"
    assert parts_prefix("ab") == "uploads/ab/"
