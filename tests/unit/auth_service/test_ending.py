"""auth_service.core.ending: who may end whose session at once."""

from auth_service.core.ending import Split, Target, split

OLD, OWN, OTHER = Target("s-old", "old"), Target("s-own", "own"), Target("s-other", "other")
MATURE = frozenset({"old"})


def test_an_unconfirmed_device_asks_a_mature_one() -> None:
    """Its own session, and those of devices that are not mature, end at once."""
    assert split([OLD, OWN, OTHER], "own", MATURE, is_confirmed=False) == Split(["s-own", "s-other"], ["s-old"])


def test_a_confirmed_device_ends_them_all() -> None:
    """A factor of the owner was given on it."""
    assert split([OLD, OWN, OTHER], "own", MATURE, is_confirmed=True) == Split(["s-old", "s-own", "s-other"], [])


def test_a_device_never_asks_itself() -> None:
    """Two sessions of one device are the same hands."""
    assert split([OLD], "old", MATURE, is_confirmed=False) == Split(["s-old"], [])
