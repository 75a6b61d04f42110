/**
 * The recoveries that were begun in this browser, so that whoever has to wait for days comes back to the same one.
 *
 * A flow's secret alone gives nobody an account: what was shown has to be shown again at the end. It leaves the browser with the flow.
 */

const NAME = "recoveries";
/** As many as the server lets live. */
const MOST = 5;

export class Recoveries {
  #memory;

  constructor(memory) {
    this.#memory = memory;
  }

  /** Newest first: `{id, secret, name, goal, shown}`, `shown` being the kinds of evidence that were accepted, and `nextPhone` the time at which the next phone is asked. */
  all() {
    const kept = this.#memory.read(NAME);
    return Array.isArray(kept) ? kept : [];
  }

  /** Puts a flow first, or anew. */
  keep(flow) {
    this.#memory.write(NAME, [flow, ...this.#others(flow)].slice(0, MOST));
    return flow;
  }

  /** `kind` was accepted for a flow. */
  shown(flow, kind) {
    return this.keep({ ...flow, shown: [...new Set([...flow.shown, kind])] });
  }

  forget(flow) {
    const others = this.#others(flow);
    if (others.length) this.#memory.write(NAME, others);
    else this.#memory.forget(NAME);
  }

  #others(flow) {
    return this.all().filter((other) => other.id !== flow.id);
  }
}
