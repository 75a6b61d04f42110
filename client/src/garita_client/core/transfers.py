"""The arithmetic of file transfers: which chunk goes next, what an acknowledgement means, what a received chunk is good for."""

from dataclasses import dataclass

from .errors import TransferFailed


@dataclass(slots=True)
class Sending:
    """An upload on one connection: `acked` bytes have arrived, `sent` have been said; at most `window` chunks lie between."""

    size: int
    chunk_bytes: int
    window: int
    acked: int
    sent: int
    went_back_at: int = -1

    @classmethod
    def begin(cls, size: int, offset: int, chunk_bytes: int, window: int) -> "Sending":
        """From `offset` on, as the server answered.

        Raises:
            TransferFailed: the server's numbers make no sense.
        """
        if not 0 <= offset <= size or chunk_bytes < 1 or window < 1:
            raise TransferFailed("The server asked for a part of the file that does not exist.")
        return cls(size, chunk_bytes, window, offset, offset)

    @property
    def done(self) -> bool:
        """Whether all bytes have arrived."""
        return self.acked >= self.size

    def next_piece(self) -> tuple[int, int] | None:
        """Offset and length of the chunk to send now, None while the window is full or nothing is left."""
        length = min(self.chunk_bytes, self.size - self.sent)
        if length <= 0 or self.sent - self.acked > (self.window - 1) * self.chunk_bytes:
            return None
        offset = self.sent
        self.sent += length
        return offset, length

    def acknowledged(self, offset: int) -> None:
        """The server has all bytes before `offset`.

        An acknowledgement that says nothing new asks to go on from there, because a chunk came at another place. It is followed once per
        place: the other chunks that were under way bring the same one again, and following each would double the traffic for ever.

        Raises:
            TransferFailed: bytes that were never sent, or that had been acknowledged before.
        """
        if offset > self.sent or offset < self.acked:
            raise TransferFailed("The server acknowledged bytes that were not sent.")
        if offset == self.acked and self.went_back_at != offset:
            self.went_back_at = self.sent = offset
        self.acked = offset


@dataclass(slots=True)
class Receiving:
    """A download on one connection: everything before `arrived` is here."""

    size: int
    arrived: int

    @property
    def done(self) -> bool:
        """Whether all bytes are here."""
        return self.arrived >= self.size

    def take(self, offset: int, length: int) -> bool:
        """Whether a chunk is the next one; one that is not is to be dropped, its acknowledgement says where to go on.

        Raises:
            TransferFailed: it reaches past the end of the file.
        """
        if offset + length > self.size:
            raise TransferFailed("The server sent more bytes than the file has.")
        if offset != self.arrived:
            return False
        self.arrived += length
        return True
