"""garita_common.core.bans."""

from garita_common.core import addresses, bans
from garita_common.core.bans import Ban, BanBook

NOW = 1_000_000
HOST = addresses.parse("203.0.113.7")
NEIGHBOUR = addresses.parse("203.0.113.8")


def ban(subject: str, until_ms: int = NOW + 1000) -> Ban:
    """A ban of `subject`."""
    return Ban(subject, NOW, until_ms, "protocol", "Because.", "appeal")


def test_a_ban_reads_back() -> None:
    """Decoding what was encoded gives it back."""
    assert bans.decode(bans.encode(ban("user:u1"))) == ban("user:u1")


def test_a_banned_address_is_found_and_its_neighbour_is_not() -> None:
    """A /32 covers one address."""
    book = BanBook()
    book.replace([ban(bans.address_subject(addresses.unit(HOST)))], NOW)

    assert book.of_address(HOST, NOW) is not None
    assert book.of_address(NEIGHBOUR, NOW) is None


def test_a_banned_tier_covers_the_neighbour() -> None:
    """A /24 covers both."""
    book = BanBook()
    book.replace([ban(bans.address_subject(addresses.tier(HOST)))], NOW)

    assert book.of_address(NEIGHBOUR, NOW) is not None


def test_a_ban_ends_by_itself() -> None:
    """At its end it holds no more."""
    book = BanBook()
    book.update({"user:u1": ban("user:u1", NOW + 10)}, NOW)

    assert book.of_person("u1", "d1", NOW + 9) is not None
    assert book.of_person("u1", "d1", NOW + 10) is None


def test_a_device_ban_holds_whoever_the_user_is() -> None:
    """User and device are two subjects."""
    book = BanBook()
    book.update({"device:d1": ban("device:d1")}, NOW)

    assert book.of_person("anybody", "d1", NOW) is not None
    assert book.of_person("anybody", "d2", NOW) is None


def test_only_news_is_reported_and_a_lifted_ban_is_gone() -> None:
    """A resync of what is known asks for no action; a field that is gone lifts."""
    book = BanBook()
    one = ban("user:u1")

    assert book.update({"user:u1": one}, NOW) == [one]
    assert book.replace([one], NOW) == []
    assert book.update({"user:u1": None}, NOW) == []
    assert book.of_person("u1", "", NOW) is None


def test_a_book_is_not_loaded_before_its_first_snapshot() -> None:
    """Unknown is not empty."""
    book = BanBook()
    book.update({"user:u1": ban("user:u1")}, NOW)

    assert not book.loaded
    book.replace([], NOW)
    assert book.loaded
