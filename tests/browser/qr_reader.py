"""Reads a QR code's squares back, as a test of the page's encoder: written from the standard's reading side, sharing nothing with it.

Level M only. Check bytes are verified (all syndromes zero), not used to repair: the squares come straight from the encoder.
"""

from __future__ import annotations

Rows = list[list[bool]]

# ISO/IEC 18004 table 9, level M: (blocks, data bytes per block) groups and check bytes per block, for the versions that a test reads.
LAYOUT = {
    1: ([(1, 16)], 10), 2: ([(1, 28)], 16), 3: ([(1, 44)], 26), 4: ([(2, 32)], 18), 5: ([(2, 43)], 24), 6: ([(4, 27)], 16),
    7: ([(4, 31)], 18), 8: ([(2, 38), (2, 39)], 22), 9: ([(3, 36), (2, 37)], 22), 10: ([(4, 43), (1, 44)], 26),
    11: ([(1, 50), (4, 51)], 30), 12: ([(6, 36), (2, 37)], 22), 13: ([(8, 37), (1, 38)], 22), 14: ([(4, 40), (5, 41)], 24),
    15: ([(5, 41), (5, 42)], 24), 16: ([(7, 45), (3, 46)], 28), 17: ([(10, 46), (1, 47)], 28), 18: ([(9, 43), (4, 44)], 26),
    19: ([(3, 44), (11, 45)], 26), 20: ([(3, 41), (13, 42)], 26),
}  # fmt: skip
# ISO/IEC 18004 annex E.
CENTRES = {
    1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46],
    10: [6, 28, 50], 11: [6, 30, 54], 12: [6, 32, 58], 13: [6, 34, 62], 14: [6, 26, 46, 66], 15: [6, 26, 48, 70],
    16: [6, 26, 50, 74], 17: [6, 30, 54, 78], 18: [6, 30, 56, 82], 19: [6, 30, 58, 86], 20: [6, 34, 62, 90],
}  # fmt: skip
# Annex C, table C.1: the fifteen format bits of level M by mask, as they stand in the code.
FORMATS = [
    "101010000010010", "101000100100101", "101111001111100", "101101101001011",
    "100010111111001", "100000011001110", "100111110010111", "100101010100000",
]  # fmt: skip


def read(rows: Rows) -> str:
    """The text of a code.

    Raises:
        AssertionError: it is not a code that a reader would take.
    """
    size = len(rows)
    version = (size - 17) // 4
    assert size == 17 + 4 * version
    mask = _mask(rows)
    words = _words(rows, version, mask)
    data = _data(words, version)
    return _text(data, version)


def _mask(rows: Rows) -> int:
    size = len(rows)
    beside = [(8, y) for y in (0, 1, 2, 3, 4, 5, 7, 8)] + [(x, 8) for x in (7, 5, 4, 3, 2, 1, 0)]
    apart = [(size - 1 - at, 8) for at in range(8)] + [(8, size - 7 + at) for at in range(7)]
    copies = {"".join(str(int(rows[y][x])) for x, y in reversed(where)) for where in (beside, apart)}
    assert len(copies) == 1, "the two copies of the format differ"
    assert rows[size - 8][8], "the dark square is light"
    return FORMATS.index(copies.pop())


def _is_pattern(x: int, y: int, version: int) -> bool:
    size = 17 + 4 * version
    if x == 6 or y == 6:
        return True
    if (x < 9 and y < 9) or (x >= size - 8 and y < 9) or (x < 9 and y >= size - 8):
        return True
    if version >= 7 and ((x >= size - 11 and y < 6) or (y >= size - 11 and x < 6)):
        return True
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(x - cx) <= 2 and abs(y - cy) <= 2 and (cx, cy) not in corners
        for cx in CENTRES[version]
        for cy in CENTRES[version]
    )


def _flipped(mask: int, i: int, j: int) -> bool:
    """The standard's conditions; i is the row, j the column."""
    return [
        (i + j) % 2, i % 2, j % 3, (i + j) % 3, (i // 2 + j // 3) % 2, i * j % 2 + i * j % 3,
        (i * j % 2 + i * j % 3) % 2, (i * j % 3 + (i + j) % 2) % 2,
    ][mask] == 0  # fmt: skip


def _words(rows: Rows, version: int, mask: int) -> bytes:
    size = len(rows)
    bits: list[int] = []
    columns = [*range(size - 1, 6, -2), 5, 3, 1]
    for turn, right in enumerate(columns):
        for y in range(size - 1, -1, -1) if turn % 2 == 0 else range(size):
            for x in (right, right - 1):
                if not _is_pattern(x, y, version):
                    bits.append(rows[y][x] ^ _flipped(mask, y, x))
    return bytes(int("".join(map(str, map(int, bits[at : at + 8]))), 2) for at in range(0, len(bits) - 7, 8))


def _data(words: bytes, version: int) -> bytes:
    groups, checks = LAYOUT[version]
    lengths = [length for count, length in groups for _ in range(count)]
    assert len(words) == sum(lengths) + checks * len(lengths)
    blocks: list[list[int]] = [[] for _ in lengths]
    pieces = iter(words)
    for at in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if at < length:
                block.append(next(pieces))
    for _ in range(checks):
        for block in blocks:
            block.append(next(pieces))
    for block in blocks:
        assert all(_value(block, _power(root)) == 0 for root in range(checks)), "the check bytes do not fit"
    return bytes(word for block, length in zip(blocks, lengths, strict=True) for word in block[:length])


def _power(exponent: int) -> int:
    value = 1
    for _ in range(exponent):
        value = _times(value, 2)
    return value


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def _value(polynomial: list[int], x: int) -> int:
    value = 0
    for factor in polynomial:
        value = _times(value, x) ^ factor
    return value


def _text(data: bytes, version: int) -> str:
    bits = "".join(f"{word:08b}" for word in data)
    assert bits[:4] == "0100", "not in byte mode"
    width = 8 if version < 10 else 16
    length = int(bits[4 : 4 + width], 2)
    start = 4 + width
    return bytes(int(bits[start + 8 * at : start + 8 * at + 8], 2) for at in range(length)).decode()
