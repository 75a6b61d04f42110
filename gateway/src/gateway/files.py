"""Directives about files: the chat service has allowed something, the transfers carry it out, and the client is told when it is done."""

import msgspec

from garita_common.core.errors import AppError, Busy
from garita_common.core.frames import ChunkAck
from garita_common.core.records import DropUpload, FinishUpload, OpenDownload, OpenUpload, RecordUpload

from .chat_link import ChatLink
from .connection import Connection
from .errands import Errands
from .transfers import Transfers

FileDirective = OpenUpload | FinishUpload | DropUpload | OpenDownload


class Files:
    """Between the chat service's directives and the transfers."""

    def __init__(self, transfers: Transfers, chat: ChatLink, errands: Errands) -> None:
        """Args: transfers: whose tasks run elsewhere."""
        self._transfers = transfers
        self._chat = chat
        self._errands = errands

    def receive_chunk(self, connection: Connection, payload: bytes) -> None:
        """Takes a chunk of an upload.

        Raises:
            AppError: it cannot be taken.
        """
        self._transfers.receive_chunk(connection, payload)

    def acknowledge(self, connection: Connection, ack: ChunkAck) -> None:
        """The client has bytes of a download."""
        self._transfers.acknowledge(connection, ack)

    def closed(self, connection: Connection) -> None:
        """The connection is over."""
        self._transfers.closed(connection)

    def carry_out(self, connection: Connection, request: int, directive: FileDirective, frame: bytes) -> None:
        """Carries a directive out, then sends `frame` (but for `FinishUpload`, whose answer comes after the record)."""
        try:
            match directive:
                case OpenDownload():
                    self._transfers.open_download(connection, directive)  # its first chunk leaves in a later turn
                    connection.send_json(frame)
                case OpenUpload():
                    self._errands.start("upload", self._open_upload(connection, request, directive, frame), connection)
                case FinishUpload():
                    self._errands.start("finish", self._finish(connection, request, directive), connection)
                case DropUpload():
                    self._errands.start("drop", self._drop(connection, directive, frame), connection)
        except AppError as exc:
            connection.fault(request, exc)

    async def _open_upload(self, connection: Connection, request: int, directive: OpenUpload, frame: bytes) -> None:
        try:
            offset = await self._transfers.open_upload(connection, directive)
        except AppError as exc:
            connection.fault(request, exc)
            return
        connection.send_json(with_offset(frame, offset))

    async def _finish(self, connection: Connection, request: int, directive: FinishUpload) -> None:
        try:
            size, sha256 = await self._transfers.assemble(connection, directive)
            self._chat.record_upload(connection, request, RecordUpload(directive.cmid, directive.upload, size, sha256))
        except AppError as exc:
            connection.fault(request, exc)

    async def _drop(self, connection: Connection, directive: DropUpload, frame: bytes) -> None:
        try:
            await self._transfers.drop(directive.upload)
        except Busy:
            pass  # the parts are found and removed later; what the client asked for is decided all the same
        connection.send_json(frame)


def with_offset(frame: bytes, offset: int) -> bytes:
    """An answer to `upload` with the offset to go on from, which only this gateway knows."""
    fields: dict[str, object] = msgspec.json.decode(frame, type=dict[str, object])
    return msgspec.json.encode(fields | {"offset": offset})
