/**
 * What the owner must see wherever they are on the page: somebody wants a session to end, somebody recovers the account. A line above
 * everything, with the way to the answer. After a login also, until it is put away, that this device is not confirmed, or else that the
 * account hangs on one address.
 */

import { fill, h } from "./dom.js";
import { t } from "./speech.js";

/** Both things wait a day at least, so this is often enough for a page that stays open. */
const AGAIN_MS = 10 * 60_000;

export class Alerts {
  element = h("div", { role: "status" });
  #accounts;
  #session;
  #loggedIn;
  #looked = -Infinity;

  /** `loggedIn`: the page was opened by a login, not by a reload. */
  constructor({ accounts, session, loggedIn }) {
    this.#accounts = accounts;
    this.#session = session;
    this.#loggedIn = loggedIn;
  }

  /** Looks again, unless it did a short while ago. */
  async look({ soon = false } = {}) {
    if (!soon && performance.now() - this.#looked < AGAIN_MS) return;
    this.#looked = performance.now();
    const read = (path) => this.#session.withToken((token) => this.#accounts.call("GET", path, { token }));
    try {
      const [{ sessions }, { recoveries, one_contact: one }, { devices }] = await Promise.all([
        read("/sessions"), read("/me/recoveries"), this.#loggedIn ? read("/me/devices") : { devices: [] },
      ]);
      const unconfirmed = devices.some((device) => device.current && device.grade === "known");
      this.show({ asked: sessions.some((session) => session.asked), recovered: recoveries.length > 0, unconfirmed, one });
    } catch {
      // A server that cannot answer now is asked again; what is shown stays.
      this.#looked = -Infinity;
    }
  }

  show({ asked, recovered, unconfirmed, one }) {
    const words = [asked && "alert.session", recovered && "alert.recovery"].filter(Boolean);
    if (words.length) this.#line("alert", words, "#/account", "alert.look");
    else if (unconfirmed && this.#loggedIn) this.#line("", ["alert.device"], "#/account/devices", "device.confirm");
    else if (one && this.#loggedIn) this.#line("", ["pending.one_contact"], "#/account/signin", "pending.second");
    else fill(this.element);
  }

  #line(kind, words, href, way) {
    const dismiss = () => {
      this.#loggedIn = false;
      fill(this.element);
    };
    fill(this.element, h("div", { class: `status ${kind}` },
      h("span", { say: () => words.map((word) => t(word)).join(" ") }),
      h("a", { href, say: way }),
      !kind && h("button", { type: "button", class: "quiet small", say: "dismiss", on: { click: dismiss } })));
  }
}
