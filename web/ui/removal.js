/**
 * Removing a factor, a contact or a device: what that means, and the way for what was lost or stolen, which ends at once and therefore
 * wants more than a password.
 */

import { AccountError } from "../net/accounts.js";
import { h } from "./dom.js";
import { dialog } from "./forms.js";
import { sentence } from "./problems.js";
import { bind, fullDate, t } from "./speech.js";

/** Asks, and removes `path`. The `<removal>`, or null where the dialog was left. `title` and `lead`: sentences. `only`: `slow` or `lost` where there is no other way. */
export function remove(own, { path, title, lead, only = null }) {
  return dialog({
    title,
    content: (close) => {
      const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
      const doing = (work) => async () => {
        trouble.hidden = true;
        try {
          const answer = await work();
          if (answer) close(answer);
        } catch (error) {
          bind(trouble, "text", () => sentence(error));
          trouble.hidden = false;
        }
      };
      const lose = () => own.change("POST", `${path}/lost`, {}, { strong: "factor" }).catch(refusedAsWeak);
      return [
        h("p", { say: lead }), trouble,
        only !== "lost" && h("div", { class: "choice-line" }, h("p", { class: "hint", say: "removal.slow" }),
          h("button", { type: "button", class: "primary", say: "removal.remove", on: { click: doing(() => own.change("DELETE", path)) } })),
        only !== "slow" && h("div", { class: "choice-line" }, h("p", { class: "hint", say: "removal.fast" }),
          h("button", { type: "button", class: "quiet", say: "removal.lost", on: { click: doing(lose) } }))];
    },
  }).open();
}

/** What to say once it is done. */
export function removalTold(removal) {
  if (!removal.effective_ms || removal.effective_ms <= Date.now()) return "removal.gone";
  return () => t("removal.begun", { until: fullDate(removal.cancel_until_ms), date: fullDate(removal.effective_ms) });
}

function refusedAsWeak(error) {
  throw error.code === "step_up_required" ? new AccountError("lost_refused") : error;
}
