"""Events as lines of the terminal: what was said, what became of it, who came, went or was made what."""

from collections.abc import Callable
from datetime import UTC, datetime

from garita_client.core.display import printable, size_text
from garita_client.core.hearing import Event, FileInfo, Person, RoomInfo
from garita_client.core.seen import Seen

from .terminal import Terminal

_CHANGES = ("joined", "left", "kicked", "banned", "unbanned", "role")


class Teller:
    """Shows events; remembers messages and files by the numbers that it shows with them."""

    def __init__(self, terminal: Terminal, *, name_of: Callable[[str | None], str]) -> None:
        """Args: name_of: a room's name by its id."""
        self._terminal = terminal
        self._name_of = name_of
        self.seen = Seen()
        self.files: list[FileInfo] = []
        self.own = ""

    def show(self, event: Event, *, here: bool) -> None:
        """One event; `here`: it is of the room that the person is in."""
        terminal = self._terminal
        place = "" if here else f"[{self._name_of(event.room_id)}] "
        self.seen.note(event, self.own)
        match event.op:
            case "message":
                self._show_message(event, place)
            case "edited" | "deleted" | "reaction":
                self._show_change(event, place)
            case "member" if event.change in _CHANGES:
                self._show_member(event)
            case "room":
                told = terminal.word(
                    "room_changed",
                    user=name(event.user),
                    title=printable(event.title or ""),
                    topic=printable(event.topic or ""),
                )
                terminal.show(f"{clock(event.ts)} {place}{told}")
            case "notice" if event.kind == "invited" and isinstance(event.room, RoomInfo):
                terminal.say("invited", user=name(event.by), room=title(event.room), id=event.room.id)
            case "reset":
                terminal.say("reset")
            case "challenge":
                terminal.say("challenge_over" if event.until is None else "challenged")
            case "gone":
                terminal.say("gone", room=self._name_of(event.room_id))
            case "refused":
                terminal.show(printable(event.text or event.kind or ""))
            case _:
                pass

    def _show_message(self, event: Event, place: str) -> None:
        head = f"{clock(event.ts)} #{event.seq} {place}{name(event.user)}: "
        if event.deleted:
            self._terminal.show(head + self._terminal.word("was_deleted"))
            return
        answered = self.seen.number_of(event.reply_to) if event.reply_to else None
        arrow = f"↪ #{answered} " if answered is not None else "↪ " if event.reply_to else ""
        edited = f" {self._terminal.word('was_edited')}" if event.edited else ""
        if event.text or not event.files:
            self._terminal.show(head + arrow + printable(event.text or "") + edited)
        for file in event.files:
            if file not in self.files:
                self.files.append(file)
            number = self.files.index(file) + 1
            told = self._terminal.word("file_line", number=number, name=printable(file.name), size=size_text(file.size))
            self._terminal.show(head + told)

    def _show_change(self, event: Event, place: str) -> None:
        """What became of message `of`. An edit without a text is that of a message which was deleted later."""
        if event.op == "edited" and not event.text:
            return
        key = {"edited": "edited", "deleted": "deleted"}.get(event.op, "reacted" if event.on else "unreacted")
        if event.op == "deleted" and event.by_moderator:
            key = "deleted_by_moderator"
        told = self._terminal.word(
            key,
            user=name(event.user),
            number=event.of,
            text=printable(event.text or ""),
            emoji=printable(event.emoji or ""),
        )
        self._terminal.show(f"{clock(event.ts)} {place}{told}")

    def _show_member(self, event: Event) -> None:
        values = {"user": name(event.user), "by": name(event.by), "room": self._name_of(event.room_id)}
        if event.change == "role":
            told = self._terminal.word("role_now", role=self._terminal.word(f"role_{event.role}"), **values)
        else:
            told = self._terminal.word(str(event.change), **values)
        self._terminal.show(f"{clock(event.ts)} {told}")


def name(person: Person | None) -> str:
    """A user's name, safe to show."""
    return printable(person.name) if person else "?"


def title(room: RoomInfo) -> str:
    """A room's name for people: a direct one is called by the other's name."""
    return printable(room.title or (f"@{room.peer.name}" if room.peer else room.id[:9]))


def clock(ms: int | None) -> str:
    """Hour and minute, here."""
    moment = datetime.fromtimestamp(ms / 1000, UTC) if ms else datetime.now(UTC)
    return moment.astimezone().strftime("%H:%M")
