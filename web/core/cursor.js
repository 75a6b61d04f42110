/**
 * The cursor rule (docs/protocol.md §3): what was seen of each room, and what to do with the next push.
 *
 * Per room there is one position `[epoch, seq]`, and one `seq` for the log of one's own, `@me`. A push at or below the position is a
 * repeat, the one right after it is new, a later one proves that something was missed. Positions move only here, and only by
 * contiguous pushes, so that `resume()` always says truthfully where to go on. The module holds no socket and no clock.
 */

export const TAKE = "take";
export const REPEAT = "repeat";
export const GAP = "gap";
export const RESTORED = "restored";
export const UNKNOWN = "unknown";

export const MAX_ROOMS = 128;

export class Cursors {
  #rooms = new Map();
  #me = 0;

  /** Begin, or begin anew, at a place that the server named. */
  set(room, epoch, seq) {
    this.#rooms.set(room, [epoch, seq]);
  }

  setMe(seq) {
    this.#me = seq;
  }

  forget(room) {
    this.#rooms.delete(room);
  }

  /** `[epoch, seq]`, or undefined for a room that one is not in. */
  at(room) {
    const found = this.#rooms.get(room);
    return found && [...found];
  }

  get me() {
    return this.#me;
  }

  /**
   * What a push with a `seq` is; TAKE and RESTORED move the position.
   *
   * RESTORED: the store was set back to a backup, what is on the screen may be wrong: read the history anew.
   * UNKNOWN: a room that one is not in, for example the echo of one's own leaving.
   */
  judge(push) {
    if (push.log === "@me") {
      const verdict = order(this.#me, push.seq);
      if (verdict === TAKE) this.#me = push.seq;
      return verdict;
    }
    const at = this.#rooms.get(push.room);
    if (at === undefined) return UNKNOWN;
    if (at[0] !== push.epoch) {
      this.set(push.room, push.epoch, push.seq);
      return RESTORED;
    }
    const verdict = order(at[1], push.seq);
    if (verdict === TAKE) at[1] = push.seq;
    return verdict;
  }

  /** The field `resume` of `connect`. */
  resume() {
    const rooms = [...this.#rooms].slice(-MAX_ROOMS).map(([room, at]) => [room, [...at]]);
    return { ...Object.fromEntries(rooms), "@me": this.#me };
  }
}

function order(seen, seq) {
  if (seq <= seen) return REPEAT;
  return seq === seen + 1 ? TAKE : GAP;
}
