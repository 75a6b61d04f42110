/**
 * Messages that were written and are not yet seen in the room: what is shown as "sending", and what goes out next.
 *
 * One message of a room is on its way at a time, because the server keeps the order only of requests sent after the previous
 * answer. An entry keeps its `cmid` through every repeat, so the server never stores it twice; it goes when the room's own push
 * with that `cmid` arrives, not before.
 */

export const WAITING = "waiting";
export const SENDING = "sending";
export const STORED = "stored";
export const FAILED = "failed";

export class Outbox {
  #entries = [];

  /** `entry`: at least `{cmid, room, text}`; `ts` is when it was written. */
  add(entry) {
    const added = { ...entry, state: WAITING, error: null };
    this.#entries.push(added);
    return added;
  }

  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  /** The rooms that something waits for. */
  rooms() {
    return [...new Set(this.#entries.map((entry) => entry.room))];
  }

  /** The entry to send now, marked as sending; null where one is on its way, or none waits. */
  next(room) {
    const mine = this.of(room);
    if (mine.some((entry) => entry.state === SENDING)) return null;
    const found = mine.find((entry) => entry.state === WAITING) ?? null;
    if (found) found.state = SENDING;
    return found;
  }

  /** The server has stored it: its push is on the way. */
  stored(cmid) {
    this.#change(cmid, STORED);
  }

  failed(cmid, error) {
    this.#change(cmid, FAILED, error);
  }

  again(cmid) {
    this.#change(cmid, WAITING);
  }

  /** It is in the room (its push came), or was given up. Gives the entry that went, or null. */
  remove(cmid) {
    const at = this.#entries.findIndex((entry) => entry.cmid === cmid);
    return at < 0 ? null : this.#entries.splice(at, 1)[0];
  }

  /** A room that one has left takes its unsent messages with it. */
  removeRoom(room) {
    this.#entries = this.#entries.filter((entry) => entry.room !== room);
  }

  #change(cmid, state, error = null) {
    const entry = this.#entries.find((candidate) => candidate.cmid === cmid);
    if (entry) Object.assign(entry, { state, error });
  }
}
