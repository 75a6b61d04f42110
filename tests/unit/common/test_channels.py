"""garita_common.core.channels."""

from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import channels


@given(st.text())
def test_a_key_always_has_the_same_shard(key: str) -> None:
    """Gateway and chat service must agree, in every process."""
    assert channels.shard_of(key) == channels.shard_of(key)
    assert 0 <= channels.shard_of(key) < channels.SHARDS


def test_the_shard_is_crc32() -> None:
    """A value that does not depend on the process, unlike `hash`."""
    assert channels.shard_of("a") == 0xE8B7BE43 % 64
