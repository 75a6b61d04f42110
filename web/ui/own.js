/**
 * What the cards of the account's page share: what is known of the account, one way to ask and one to change, one line for trouble.
 *
 * Events: `refreshed`, after `refresh()`; `answered`, when something that waited was answered, which other cards may show.
 */

import { AccountError } from "../net/accounts.js";
import { h } from "./dom.js";
import { sentence } from "./problems.js";
import { bind } from "./speech.js";
import { withStepUp } from "./stepup.js";

export class OwnAccount extends EventTarget {
  trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
  /** Answers of `/me/pending-changes`, `/me/recoveries` and `/sessions`. */
  changes = [];
  recoveries = [];
  sessions = [];
  oneContact = false;

  constructor({ accounts, session, memory }) {
    super();
    this.accounts = accounts;
    this.session = session;
    this.memory = memory;
  }

  /** The `<user>` of the accounts API. */
  get profile() {
    return this.session.profile;
  }

  read(path) {
    return this.session.withToken((token) => this.accounts.call("GET", path, { token }));
  }

  /** A request that changes nothing until it is confirmed, or that no fresh proof is asked for. */
  async send(method, path, body) {
    return (await this.session.withToken((token) => this.accounts.call(method, path, { body, token }))) ?? {};
  }

  /** A change; who one is is asked for where the server wants it. The answer, or null where that dialog was left. `strong`: see stepup.js. */
  change(method, path, body, { strong = null } = {}) {
    return withStepUp(this.session, this.accounts, () => this.send(method, path, body), { strong });
  }

  /** What every card may need. */
  async refresh() {
    const [, { changes }, { recoveries, one_contact }, { sessions }] = await Promise.all([
      this.session.loadProfile(), this.read("/me/pending-changes"), this.read("/me/recoveries"), this.read("/sessions"),
    ]);
    Object.assign(this, { changes, recoveries, sessions, oneContact: one_contact });
    this.dispatchEvent(new CustomEvent("refreshed"));
  }

  /** The removal that is pending of a factor, a contact or a device: by id, or the newest of a kind. */
  removalOf({ id = null, factor = null }) {
    return this.changes.findLast((change) => change.kind === "removal" && (change.id === id || change.factor === factor)) ?? null;
  }

  /** Takes a removal back; true where it was done. */
  async keep(id) {
    return Boolean(await this.change("DELETE", `/me/pending-changes/${id}`));
  }

  /** A listener that does `work` and tells what went wrong. */
  guard(work) {
    return async () => {
      this.trouble.hidden = true;
      try {
        await work();
      } catch (error) {
        if (!this.session.account) return;
        bind(this.trouble, "text", () => sentence(error));
        this.trouble.hidden = false;
        this.trouble.scrollIntoView({ block: "nearest" });
      }
    };
  }
}

/** For what only a device that counts may say: a fresh proof would not help. */
export function refusedAsNew(error) {
  throw error.code === "step_up_required" ? new AccountError("device_new") : error;
}
