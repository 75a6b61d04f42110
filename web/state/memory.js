/**
 * What this browser keeps between visits: language, who is logged in, how far each room was read, open invitations, the messages that
 * one has written and the server has not acknowledged yet, and the recoveries that were begun here (`recoveries.js`).
 *
 * Never a token, and no message's text but that of unsent ones, which a logout takes away. Where storage is forbidden the page works, and forgets.
 */

const PREFIX = "garita.";
/** Of unsent messages: a hundred of the longest come to less than the megabytes that browsers give. */
const MOST_UNSENT = 100;

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

  /** Unsent messages by their `cmid`, oldest first. */
  unsent(user) {
    return Object.values(this.read(`unsent.${user}`) ?? {}).sort((a, b) => a.ts - b.ts);
  }

  /** Several tabs write here, each its own messages. Beyond the bound a message lives only as long as its tab. */
  keepUnsent(user, entry) {
    const all = this.read(`unsent.${user}`) ?? {};
    if (Object.keys(all).length < MOST_UNSENT) this.write(`unsent.${user}`, { ...all, [entry.cmid]: entry });
  }

  dropUnsent(user, cmid) {
    const { [cmid]: gone, ...others } = this.read(`unsent.${user}`) ?? {};
    if (gone) this.write(`unsent.${user}`, others);
  }

  forgetUnsent(user) {
    this.forget(`unsent.${user}`);
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
