/**
 * How far each room was read: kept in the browser, told to the server, heard from other tabs and devices; it only goes up.
 *
 * A room has `read` (a seq), `unread` (messages of others after it, as far as they are loaded) and `someUnread` (there are some, but
 * nobody has counted them).
 */

export class Reading {
  #memory;
  #user;
  #marks;
  #changed;

  /** `marks`: tells the server; `changed()`: a count is not what it was. */
  constructor({ memory, user, marks, changed }) {
    this.#memory = memory;
    this.#user = user;
    this.#marks = marks;
    this.#changed = changed;
  }

  /** Everything up to now is read. */
  all(room) {
    const last = room.log.last ?? room.head;
    if (last <= room.read && !room.someUnread) return;
    Object.assign(room, { read: Math.max(last, room.read), unread: 0, someUnread: false });
    this.#keep(room);
    this.#marks.tell("read", room.id, room.read);
    this.#changed();
  }

  /** What one says oneself, with everything before it read, is read. */
  own(room, seq) {
    room.read = seq;
    this.#keep(room);
    this.#marks.tell("read", room.id, seq);
  }

  /** A room that begins at its head. `first`: this is the first connection of the visit. */
  start(room, head, first) {
    const marked = this.#memory.marks(this.#user)[room.id];
    if (marked && marked[0] === room.epoch) Object.assign(room, { read: marked[1], unread: 0, someUnread: head > marked[1] });
    else Object.assign(room, { read: head, unread: 0, someUnread: !first, readUnknown: first });
  }

  /** What the server knows: another device may have read further; what it missed of ours is told again. */
  elsewhere(room, seq) {
    if (room.readUnknown) Object.assign(room, { read: seq, someUnread: room.head > seq, readUnknown: false });
    else if (seq < room.read) return this.#marks.tell("read", room.id, room.read);
    else if (seq === room.read) return undefined;
    room.read = Math.min(Math.max(room.read, seq), room.head);
    if (room.read >= room.head) Object.assign(room, { unread: 0, someUnread: false });
    this.#keep(room);
    this.count(room);
    return this.#changed();
  }

  /** Another tab of this browser has read on. */
  inOtherTabs(rooms) {
    const marks = this.#memory.marks(this.#user);
    for (const room of rooms) {
      const [epoch, seq] = marks[room.id] ?? [];
      if (epoch !== room.epoch || seq <= room.read) continue;
      room.read = seq;
      this.count(room);
    }
    this.#changed();
  }

  count(room) {
    room.unread = room.log.unreadAfter(room.read, this.#user);
    if (room.log.first !== null && room.log.first <= room.read + 1) room.someUnread = false;
  }

  #keep(room) {
    this.#memory.mark(this.#user, room.id, room.epoch, room.read);
  }
}
