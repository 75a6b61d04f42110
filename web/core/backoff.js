/**
 * How long to wait before coming back (docs/protocol.md §5): full jitter, so that a thousand pages that lost the same
 * server do not return in the same instant.
 *
 * The wait is a random time between 0 and 0.5 s × 2^attempt, at most 30 s, and never shorter than the server asked for. The
 * count of attempts goes back to zero only after 30 s of good connection: a server that accepts and drops is not hammered.
 */

export const BASE_MS = 500;
export const CAP_MS = 30_000;
export const GOOD_MS = 30_000;

export class Backoff {
  #attempt = 0;
  #openedAt = null;
  #random;

  /** `random`: gives a number from 0 to below 1, as Math.random does. */
  constructor(random) {
    this.#random = random;
  }

  get attempt() {
    return this.#attempt;
  }

  /** A connection stands since `now` (milliseconds). */
  opened(now) {
    this.#openedAt = now;
  }

  /** The connection ended, or none came about: how many milliseconds to wait. */
  closed(now, afterMs = 0) {
    if (this.#openedAt !== null && now - this.#openedAt >= GOOD_MS) this.#attempt = 0;
    this.#openedAt = null;
    const most = Math.min(CAP_MS, BASE_MS * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 30);
    return Math.max(afterMs, this.#random() * most);
  }
}
