/**
 * How a text was typed, as the field `compose` of `send` (docs/protocol.md §2.2): numbers about the rhythm, never what was typed.
 *
 * It helps the server to tell a person from a program. Times are given in; the module has no clock.
 */

const MAX_MS = 86_400_000;
const MAX_COUNT = 1_000_000;
const MAX_VARIATION = 100;
/** A pause longer than this is thinking, not typing, and would drown the variation between keys. */
const PAUSE_MS = 5_000;

export class Composition {
  #first = null;
  #last = null;
  #keys = 0;
  #fixes = 0;
  #paste = false;
  #gaps = { count: 0, mean: 0, squares: 0 };

  /** Something went into the field: `inputType` as an InputEvent names it. */
  note(inputType, now) {
    this.#first ??= now;
    if (inputType === "insertFromPaste" || inputType === "insertFromDrop") this.#paste = true;
    else {
      this.#keys += 1;
      if (inputType.startsWith("delete") || inputType === "historyUndo") this.#fixes += 1;
      if (this.#last !== null && now - this.#last <= PAUSE_MS) this.#addGap(now - this.#last);
    }
    this.#last = now;
  }

  /** The record up to now, or null where nothing was typed. */
  summary(now) {
    if (this.#first === null) return null;
    const { count, mean, squares } = this.#gaps;
    const variation = count > 1 && mean > 0 ? Math.sqrt(squares / count) / mean : 0;
    return {
      ms: Math.round(clamp(now - this.#first, MAX_MS)),
      keys: clamp(this.#keys, MAX_COUNT),
      fixes: clamp(this.#fixes, MAX_COUNT),
      paste: this.#paste,
      ikcv: Math.round(clamp(variation, MAX_VARIATION) * 1000) / 1000,
    };
  }

  /** Welford's running mean and sum of squared distances: no list of key times is ever kept. */
  #addGap(gap) {
    const gaps = this.#gaps;
    gaps.count += 1;
    const distance = gap - gaps.mean;
    gaps.mean += distance / gaps.count;
    gaps.squares += distance * (gap - gaps.mean);
  }
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}
