"""auth_service.picture_maker: real pictures and clips, from a process of their own."""

from __future__ import annotations

import io
import wave

from PIL import Image

from auth_service.core.pictures import CLIP_ALPHABET, IMAGE_ALPHABET, Kind
from auth_service.picture_maker import HEIGHT, WIDTH, ProcessMaker


async def test_a_picture_and_a_clip_are_what_they_say() -> None:
    """A PNG of the given size with ink in it, a WAV of some seconds; each with six symbols of its alphabet, and none twice the same."""
    maker = ProcessMaker()
    try:
        pictures = [await maker.make(Kind.IMAGE) for _ in range(2)]
        clip, spoken = await maker.make(Kind.AUDIO)
    finally:
        maker.close()

    for file, shown in pictures:
        picture = Image.open(io.BytesIO(file))
        assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
        assert len(picture.getcolors(maxcolors=WIDTH * HEIGHT) or []) > 6
        assert len(shown) == 6
        assert set(shown) <= set(IMAGE_ALPHABET)
    assert pictures[0][0] != pictures[1][0]
    assert pictures[0][1] != pictures[1][1]
    with wave.open(io.BytesIO(clip)) as sound:
        assert 2 < sound.getnframes() / sound.getframerate() < 30
    assert len(spoken) == 6
    assert set(spoken) <= set(CLIP_ALPHABET)
