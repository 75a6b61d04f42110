"""The records of committed messages and reports, for the detector: never their text, only tags of it."""

from functools import lru_cache
from typing import assert_never

from garita_common.core import addresses
from garita_common.core.activity import MessageReported, MessageSent, TypingStarted
from garita_common.core.frames import Edit, Send

from .core import texttags
from .core.texttags import TextTags
from .turn import Reported, Sent, Typed

SOURCE = "chat"


class ActivityRecords:
    """Makes records under one deployment's key."""

    def __init__(self, tags: TextTags) -> None:
        """Args: tags: under the secret `simhash_key`."""
        self._tags = tags

    def of(self, found: Sent | Typed | Reported) -> MessageSent | TypingStarted | MessageReported:
        """The record of what was written, begun or reported."""
        match found:
            case Sent():
                return self.message_sent(found)
            case Typed():
                return self.typing_started(found)
            case Reported():
                return self.message_reported(found)
            case _:
                assert_never(found)

    def typing_started(self, typed: Typed) -> TypingStarted:
        """The record of somebody's beginning to write."""
        command = typed.command
        return TypingStarted(
            ts_ms=command.received_ms,
            src=SOURCE,
            connection=f"{typed.gateway}/{command.connection}",
            ip=command.ip,
            ip_prefix=_unit_of(command.ip),
            user=command.user,
            device=command.did,
            room=typed.op.room,
        )

    def message_reported(self, reported: Reported) -> MessageReported:
        """The record of one report."""
        command, op = reported.command, reported.op
        return MessageReported(
            ts_ms=command.received_ms,
            src=SOURCE,
            connection=f"{reported.gateway}/{command.connection}",
            ip=command.ip,
            ip_prefix=_unit_of(command.ip),
            user=command.user,
            device=command.did,
            room=op.room,
            mid=str(op.mid),
            about=reported.about,
            reason=op.reason,
        )

    def message_sent(self, sent: Sent) -> MessageSent:
        """The record of one message; its time is the gateway's, which saw it first."""
        command, op = sent.command, sent.op
        return MessageSent(
            ts_ms=command.received_ms,
            src=SOURCE,
            connection=f"{sent.gateway}/{command.connection}",
            ip=command.ip,
            ip_prefix=_unit_of(command.ip),
            user=command.user,
            device=command.did,
            room=op.room,
            len=len(op.text),
            bytes=len(op.text.encode()),
            tag=self._tags.near(op.text),
            dup_tag=self._tags.exact(op.text),
            n_links=texttags.count_links(op.text),
            edit=isinstance(op, Edit),
            compose=op.compose if isinstance(op, Send) else None,
        )


@lru_cache(maxsize=16_384)
def _unit_of(ip: str) -> str:
    """The address's unit, or nothing where there is no address."""
    try:
        return addresses.unit(addresses.parse(ip))
    except ValueError:
        return ""
