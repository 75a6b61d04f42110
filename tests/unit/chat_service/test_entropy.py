"""Random bytes for ids, drawn in large pieces."""

from chat_service.entropy import PIECE_BYTES, EntropyPool


def test_no_byte_is_given_twice_and_none_is_short() -> None:
    drawn = bytearray()

    def draw(count: int) -> bytes:
        piece = len(drawn).to_bytes(4, "big") * (count // 4)
        drawn.extend(piece)
        return piece

    pool = EntropyPool(draw)
    given = [pool(10) for _ in range(3 * PIECE_BYTES // 10)]
    assert all(len(piece) == 10 for piece in given)
    assert b"".join(given) == bytes(drawn)
    pool(7)
    last = pool(PIECE_BYTES)
    assert len(last) == PIECE_BYTES
    assert last == bytes(drawn[-PIECE_BYTES:])


def test_two_pools_give_different_bytes() -> None:
    assert EntropyPool()(16) != EntropyPool()(16)
