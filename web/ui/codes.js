/** Saved codes: how many are left, ten new ones, and what to do where the paper was lost. */

import { Card } from "./card.js";
import { h } from "./dom.js";
import { copyButton } from "./forms.js";
import { remove } from "./removal.js";
import { t } from "./speech.js";

export function codesCard(own) {
  const card = new Card("codes.title");
  const make = own.guard(async () => {
    const made = await own.change("POST", "/me/recovery-codes", {});
    if (!made) return;
    await own.refresh();
    card.draw(made.codes);
    card.tell("codes.now");
  });
  const lose = own.guard(async () => {
    if (!(await remove(own, { path: "/me/recovery-codes", title: "codes.lost_title", lead: "codes.lost_lead", only: "lost" }))) return;
    await own.refresh();
    card.draw();
    card.tell("codes.gone");
  });
  card.draw = (codes = null) => {
    const count = own.profile.recovery_codes;
    card.show(
      h("p", { say: "codes.lead" }),
      codes && h("ol", { class: "codes" }, codes.map((code) => h("li", {}, h("code", {}, code)))),
      h("p", { class: "hint", say: () => t(count ? "codes.left" : "codes.none", { count }) }),
      h("div", { class: "actions" },
        codes && copyButton(() => codes.join("\n")),
        h("button", { type: "button", class: count ? "quiet" : "primary", say: "codes.make", on: { click: make } }),
        count > 0 && h("button", { type: "button", class: "quiet", say: "codes.lost", on: { click: lose } })));
  };
  return card;
}
