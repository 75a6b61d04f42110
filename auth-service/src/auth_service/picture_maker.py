"""Makes pictures and clips, in a process of its own: a clip costs 230 ms of CPU, a picture 4 ms.

The worker runs at the lowest priority and knows nothing but these functions. Should it die, the next order starts another.
"""

import asyncio
import io
import multiprocessing
import os
import secrets
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from .core.pictures import ALPHABETS, LENGTH, Kind

WIDTH, HEIGHT = 280, 90
FONT_SIZES = (46, 54, 62)
MAKING_S = 30.0
"""Far above what one costs, also beside a busy machine's other work."""


class NotMade(Exception):
    """The worker died, or took too long."""


class Maker(Protocol):
    """Makes one picture or clip; tests have one that tells its answers."""

    async def make(self, kind: Kind) -> tuple[bytes, str]:
        """The file and what it shows or says.

        Raises:
            NotMade: it did not come about.
        """

    def close(self) -> None:
        """Ends the worker."""


class ProcessMaker:
    """Makes them in another process."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._pool: ProcessPoolExecutor | None = None

    async def make(self, kind: Kind) -> tuple[bytes, str]:
        """One of a kind.

        Raises:
            NotMade: the worker died, or took too long.
        """
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would hold our sockets
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_humble)
        try:
            async with asyncio.timeout(MAKING_S):
                return await asyncio.get_running_loop().run_in_executor(self._pool, _made, kind)
        except (BrokenProcessPool, TimeoutError) as exc:
            self.close()
            raise NotMade from exc

    def close(self) -> None:
        """Ends the worker, without waiting for what it is at."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _humble() -> None:
    """In the worker: everything else goes first, and it ends with the service, however that ends."""
    os.nice(19)
    threading.Thread(target=_end_with_service, daemon=True).start()


def _end_with_service() -> None:
    """A service that was killed cannot end its worker, which would wait for orders for ever, with the service's output still open."""
    service = multiprocessing.parent_process()
    if service is not None:
        service.join()
        os._exit(0)


def _made(kind: Kind) -> tuple[bytes, str]:
    """In the worker."""
    answer = "".join(secrets.choice(ALPHABETS[kind]) for _ in range(LENGTH))
    return (_image(answer) if kind is Kind.IMAGE else _clip(answer)), answer


def _image(answer: str) -> bytes:
    """Two fonts, a colour for each glyph, glyphs that overlap, dots and two curves."""
    from captcha.image import DEFAULT_FONTS
    from captcha.image import ImageCaptcha as Drawing
    from PIL import Image, ImageFont

    drawing = Drawing(WIDTH, HEIGHT)
    fonts = [ImageFont.truetype(DEFAULT_FONTS[0], size) for size in FONT_SIZES]
    drawing._truefonts = fonts + [
        font for size in FONT_SIZES if isinstance(font := ImageFont.load_default(size), ImageFont.FreeTypeFont)
    ]
    picture = Image.new("RGB", (WIDTH, HEIGHT), _colour(225, 255))
    left = 8 + secrets.randbelow(12)
    for char in answer:
        glyph = drawing.create_captcha_image(char, _colour(20, 130), (255, 255, 255)).convert("L")
        box = glyph.point(lambda level: 255 - level).getbbox() or (0, 0, 1, 1)
        mask = glyph.crop(box).point(lambda level: 255 if level < 190 else 0)
        top = max(0, (HEIGHT - mask.height) // 2 + secrets.randbelow(15) - 7)
        picture.paste(_colour(20, 130), (left, top), mask)
        left += mask.width - secrets.randbelow(7)
    for _ in range(2):
        drawing.create_noise_curve(picture, _colour(20, 160))
    drawing.create_noise_dots(picture, _colour(20, 160), width=2, number=60)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _colour(low: int, high: int) -> tuple[int, int, int]:
    red, green, blue = (low + secrets.randbelow(high - low + 1) for _ in range(3))
    return red, green, blue


def _clip(answer: str) -> bytes:
    """The package's one English voice, bent, over noise made of itself: an honest hurdle for nobody's machine (docs/auth-api.md §3)."""
    from captcha.audio import AudioCaptcha as Speaking

    return bytes(Speaking().generate(answer))
