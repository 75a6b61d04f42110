/**
 * Tells the server how far one has read and what has arrived here, and that one is writing: gathered, because a busy room would else
 * be answered message by message by everybody in it.
 */

const GATHER_MS = 1_000;
const AT_ONCE = 10;
const TYPING_EVERY_MS = 3_000;

export class Marks {
  #link;
  #due = new Map();
  #timer = null;
  #told = new Map();
  #typed = new Map();
  #gatherMs;

  constructor(link, gatherMs = GATHER_MS) {
    this.#link = link;
    this.#gatherMs = gatherMs;
    link.addEventListener("refused", ({ detail }) => detail.temporary && this.#again());
  }

  /** `kind`: read or received. */
  tell(kind, room, seq) {
    const due = this.#due.get(room) ?? {};
    due[kind] = Math.max(due[kind] ?? 0, seq);
    this.#due.set(room, due);
    this.#timer ??= setTimeout(() => this.#flush(), this.#gatherMs);
  }

  /** One is writing; said again every few seconds only. */
  typing(room, now = performance.now()) {
    if (now - (this.#typed.get(room) ?? -Infinity) < TYPING_EVERY_MS) return;
    if (this.#link.tell("typing", { room })) this.#typed.set(room, now);
  }

  /** The message is sent: the next word is news again. */
  said(room) {
    this.#typed.delete(room);
  }

  forget(room) {
    this.#due.delete(room);
    this.#told.delete(room);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  /** A refusal does not say of what: everything is told again, later, because marks only go up. */
  #again() {
    for (const [room, marks] of this.#told) for (const [kind, seq] of Object.entries(marks)) this.tell(kind, room, seq);
    this.#told.clear();
  }

  /** Without a connection it waits for the next time; having read means having received. */
  #flush() {
    this.#timer = null;
    for (const [room, { read = 0, received = 0 }] of [...this.#due].slice(0, AT_ONCE)) {
      const told = (read === 0 || this.#link.tell("read", { room, seq: read }))
        && (received <= read || this.#link.tell("received", { room, seq: received }));
      if (!told) break;
      this.#told.set(room, this.#due.get(room));
      this.#due.delete(room);
    }
    if (this.#due.size > 0) this.#timer = setTimeout(() => this.#flush(), this.#gatherMs);
  }
}
