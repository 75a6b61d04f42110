/**
 * What is said in passing about a room: who writes, how far each member has come, who is here. Nothing of it is stored or repeated, so
 * a note of typing ends by itself, and marks only go up.
 */

/** A little more than the four seconds for which a note of typing is meant. */
export const TYPING_MS = 5_000;

export class Passing {
  #typing = new Map();
  #marks = new Map();
  here = new Set();

  /** Somebody writes, as told at `now` (milliseconds). */
  writes(user, now) {
    this.#typing.set(user.id, { name: user.name, until: now + TYPING_MS });
  }

  /** They have said it, or have gone. Whether they had been writing. */
  wrote(id) {
    return this.#typing.delete(id);
  }

  /** The names of those who write, and for how many milliseconds this is so. */
  writing(now) {
    for (const [id, { until }] of this.#typing) if (until <= now) this.#typing.delete(id);
    const all = [...this.#typing.values()];
    return { names: all.map(({ name }) => name), ms: all.length ? Math.min(...all.map(({ until }) => until)) - now : null };
  }

  /** How far a member has come. */
  mark(id, { read = 0, received = 0 }) {
    const known = this.#marks.get(id) ?? { read: 0, received: 0 };
    const newer = { read: Math.max(known.read, read), received: Math.max(known.received, received, read) };
    this.#marks.set(id, newer);
    return newer.read !== known.read || newer.received !== known.received;
  }

  came(id, here) {
    if (here) this.here.add(id);
    else this.here.delete(id);
  }

  /** Not in the room any more. */
  gone(id) {
    this.#typing.delete(id);
    this.#marks.delete(id);
    this.here.delete(id);
  }

  /** What the others made of one's own message: `{read, received, others}`, the numbers of those who have. */
  seen(seq, ownId) {
    const others = [...this.#marks].filter(([id]) => id !== ownId).map(([, mark]) => mark);
    return {
      read: others.filter(({ read }) => read >= seq).length,
      received: others.filter(({ received }) => received >= seq).length,
      others: others.length,
    };
  }
}
