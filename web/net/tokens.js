/**
 * Access tokens: in memory only, one per audience, drawn anew shortly before they end.
 *
 * A refresh uses the refresh token up, so two tabs must never refresh at once: all tabs of a browser take turns by one Web Lock.
 * Whoever comes second finds the first one's new cookie and uses that.
 */

import { AccountError } from "./accounts.js";

const LOCK = "garita-refresh";
/** A token that ends sooner than this is not handed out: it would end on its way. */
const MARGIN_MS = 20_000;

export class Tokens {
  #accounts;
  #locks;
  #now;
  #tokens = new Map();
  #refreshing = new Map();

  /** `locks`: the browser's navigator.locks, or anything with its `request`. */
  constructor({ accounts, locks, now }) {
    this.#accounts = accounts;
    this.#locks = locks;
    this.#now = now;
  }

  /** Keep what a login, a registration, a refresh or a step-up gave. */
  accept(tokens) {
    const ends = this.#now() + tokens.expires_in * 1000;
    this.#tokens.set(tokens.audience, { text: tokens.access_token, ends });
  }

  forget() {
    this.#tokens.clear();
  }

  /** The audience's token is refused somewhere: the next `get` draws another. */
  discard(audience) {
    this.#tokens.delete(audience);
  }

  /** A token that is good for a while. Raises AccountError `session_ended` where one has to log in again. */
  async get(audience) {
    return this.#fresh(audience) ?? (await this.#refreshOnce(audience));
  }

  /** `work(token)`; where the token is refused as such, once more with a new one. */
  async use(audience, work) {
    const token = await this.get(audience);
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof AccountError) || error.code !== "token_invalid") throw error;
      if (this.#tokens.get(audience)?.text === token) this.discard(audience);
      return work(await this.get(audience));
    }
  }

  #fresh(audience) {
    const held = this.#tokens.get(audience);
    return held && held.ends - this.#now() > MARGIN_MS ? held.text : null;
  }

  #refreshOnce(audience) {
    if (!this.#refreshing.has(audience)) {
      const work = this.#locks.request(LOCK, () => this.#refresh(audience));
      this.#refreshing.set(audience, work.finally(() => this.#refreshing.delete(audience)));
    }
    return this.#refreshing.get(audience);
  }

  async #refresh(audience) {
    const tokens = await this.#refreshAgain(audience);
    this.accept(tokens);
    return tokens.access_token;
  }

  /** An answer that was lost, or taken by another tab, is asked for once more (docs/auth-api.md §5, rule 2). */
  async #refreshAgain(audience) {
    try {
      return await this.#accounts.refresh(audience);
    } catch (error) {
      if (!["offline", "conflict"].includes(error.code)) throw error;
      return this.#accounts.refresh(audience);
    }
  }
}
