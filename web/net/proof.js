/**
 * A proof of work for a form: begun while the form is being filled, taken when it is sent.
 *
 * A proof is good for one request and five minutes; a form that is sent sooner than 1.5 s after its challenge is refused, so the
 * rest of that time is waited here.
 */

import { MAX_COUNTER } from "../core/proof.js";
import { AccountError } from "./accounts.js";

const LEAST_AGE_MS = 1_700;
/** A proof older than this could end on its way. */
const MOST_AGE_SHARE = 0.8;

const WORKER = new URL("./proof-worker.js", import.meta.url).href;

/** The page demands Trusted Types; this policy lets through exactly one address, our worker's. */
function workerAddress() {
  if (!globalThis.trustedTypes) return WORKER;
  workerAddress.policy ??= trustedTypes.createPolicy("garita-worker", {
    createScriptURL(address) {
      if (address !== WORKER) throw new TypeError("only the worker of the proof of work");
      return address;
    },
  });
  return workerAddress.policy.createScriptURL(WORKER);
}

/** Solves a challenge; `progress(share)` from 0 to 1. */
function solve(challenge, progress) {
  const worker = new Worker(workerAddress(), { type: "module", name: "proof of work" });
  const work = new Promise((resolve, reject) => {
    const fail = () => reject(new AccountError("proof_failed"));
    worker.addEventListener("error", fail);
    worker.addEventListener("message", ({ data }) => {
      if (data.captcha) resolve(data.captcha);
      else if (data.failed) fail();
      else progress(data.counter / MAX_COUNTER);
    });
    worker.postMessage(challenge.params);
  });
  return work.finally(() => worker.terminate());
}

export class Proof {
  #accounts;
  #action;
  #begun = null;
  #share = 0;

  /** `action`: what the proof is for (docs/auth-api.md §3). `onProgress(share)`: 0 to 1. */
  constructor(accounts, action, onProgress = () => {}) {
    this.#accounts = accounts;
    this.#action = action;
    this.onProgress = onProgress;
  }

  /** Begin to work, if not already at it; at the challenge of a refusal in any case. */
  prepare(challenge = null) {
    if (!challenge && this.#begun && performance.now() < this.#begun.ends) return;
    const begun = { at: performance.now(), ends: performance.now() + 60_000, work: null, demanded: Boolean(challenge) };
    this.#begun = begun;
    begun.work = this.#work(begun, challenge);
    // Whoever takes the proof hears of a failure; nobody may be there yet.
    begun.work.catch(() => {});
  }

  /** Whether the work at hand is at a refusal's own challenge, which may be dearer than the usual one. */
  get demanded() {
    return Boolean(this.#begun?.demanded) && performance.now() < this.#begun.ends;
  }

  /** The solved challenge for one request; works it out now if need be. */
  async take() {
    this.prepare();
    this.onProgress(this.#share);
    const begun = this.#begun;
    try {
      const captcha = await begun.work;
      const left = LEAST_AGE_MS - (performance.now() - begun.at);
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
      return captcha;
    } finally {
      this.#begun = null;
    }
  }

  async #work(begun, given) {
    this.#share = 0;
    const challenge = given ?? (await this.#accounts.challenge(this.#action));
    begun.at = performance.now();
    begun.ends = begun.at + challenge.expires_in * 1000 * MOST_AGE_SHARE;
    const captcha = await solve(challenge, (share) => {
      this.#share = share;
      this.onProgress(share);
    });
    this.#share = 1;
    this.onProgress(1);
    return captcha;
  }
}
