/**
 * What a page knows of a room's events: one stretch without gaps, growing at its end by pushes and at its beginning by history.
 *
 * Because the stretch has no holes, its first `seq` is all that a page of older history needs to be asked for; and because a message's
 * changes come after it, a stretch that holds the message and goes up to now holds them all.
 */

import { Changes } from "./changes.js";

export const ADDED = "added";
export const THERE = "there";
export const HOLE = "hole";

export class RoomLog {
  #events = [];
  #complete = false;
  #changes = new Changes();

  get events() {
    return this.#events;
  }

  get first() {
    return this.#events[0]?.seq ?? null;
  }

  get last() {
    return this.#events.at(-1)?.seq ?? null;
  }

  /** Whether nothing lies before the first event. */
  get complete() {
    return this.#complete || this.first === 1;
  }

  /**
   * A new event. ADDED at the end; THERE already, because a page of history that was asked for before it came held it too;
   * HOLE where something is missing before it: the stretch begins anew with it.
   */
  append(event) {
    if (this.last !== null && event.seq <= this.last) return THERE;
    const hole = this.last !== null && event.seq !== this.last + 1;
    if (hole) this.clear();
    this.#events.push(event);
    this.#changes.add(event);
    return hole ? HOLE : ADDED;
  }

  /**
   * A page of history, ascending, that ends right before the first event. Gives the events that are new here.
   *
   * An answer that overlaps (pushes came while it was on its way) is cut; one that would leave a hole is refused with null.
   */
  prepend(events, more) {
    const first = this.first;
    const older = first === null ? events : events.filter((event) => event.seq < first);
    if (first !== null && older.length > 0 && older.at(-1).seq !== first - 1) return null;
    this.#events = [...older, ...this.#events];
    for (const event of older) this.#changes.add(event);
    this.#complete = !more;
    return older;
  }

  clear() {
    this.#events = [];
    this.#changes.clear();
    this.#complete = false;
  }

  /** Keep only the newest events of a long sitting; the others can be read again. Gives how many went. */
  trim(keep) {
    const gone = Math.max(0, this.#events.length - keep);
    if (gone > 0) {
      this.#events = this.#events.slice(gone);
      this.#changes.clear();
      for (const event of this.#events) this.#changes.add(event);
      this.#complete = false;
    }
    return gone;
  }

  /** A change of a message in this stretch that came to pass outside of it. */
  note(event) {
    this.#changes.add(event);
  }

  /** The message with this `mid`, or undefined. */
  message(mid) {
    return this.#events.find((event) => event.op === "message" && event.mid === mid);
  }

  at(seq) {
    return this.first === null ? undefined : this.#events[seq - this.first];
  }

  /** See Changes. */
  picture(message, ownId) {
    return this.#changes.picture(message, ownId);
  }

  /** How many messages of others lie after `seq`. */
  unreadAfter(seq, ownId) {
    let count = 0;
    for (let at = this.#events.length - 1; at >= 0 && this.#events[at].seq > seq; at -= 1) {
      const { op, user, deleted } = this.#events[at];
      if (op === "message" && user?.id !== ownId && !deleted) count += 1;
    }
    return count;
  }
}
