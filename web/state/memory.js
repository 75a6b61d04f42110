/**
 * What this browser keeps between visits: language, who is logged in, how far each room was read, open invitations.
 *
 * Never a token and never a message's text. Where storage is forbidden the page works, and forgets.
 */

const PREFIX = "garita.";

export class Memory {
  #storage;

  /** `storage`: the browser's localStorage, or null where it may not be used. */
  constructor(storage) {
    this.#storage = storage;
  }

  read(name) {
    try {
      return JSON.parse(this.#storage?.getItem(PREFIX + name) ?? "null");
    } catch {
      return null;
    }
  }

  write(name, value) {
    try {
      this.#storage?.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // A full or forbidden storage: what could not be kept is asked of the server at the next visit.
    }
  }

  forget(name) {
    this.#storage?.removeItem(PREFIX + name);
  }

  /** `[epoch, seq]` per room, up to where it was read. */
  marks(user) {
    return this.read(`marks.${user}`) ?? {};
  }

  /** Move a room's mark; another tab may have read further already. */
  mark(user, room, epoch, seq) {
    const marks = this.marks(user);
    const kept = marks[room];
    if (kept && kept[0] === epoch && kept[1] >= seq) return;
    marks[room] = [epoch, seq];
    this.write(`marks.${user}`, marks);
  }

  unmark(user, room) {
    const marks = this.marks(user);
    delete marks[room];
    this.write(`marks.${user}`, marks);
  }

  /** The place in the log of one's own, and the invitations not yet answered. */
  own(user) {
    return this.read(`own.${user}`) ?? { seq: 0, invitations: {} };
  }
}

/** The browser's storage, or null: reading the property itself may throw. */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}
