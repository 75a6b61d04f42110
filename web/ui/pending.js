/** What waits for an answer: sessions that somebody wants to end, recoveries that wait, removals that can be taken back. */

import { deviceName } from "../core/people.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { refusedAsNew } from "./own.js";
import { fullDate, t } from "./speech.js";

/** It is there only where something waits; what it told stays until the page is left. */
export function pendingCard(own) {
  const card = new Card("pending.title");
  card.element.hidden = true;
  card.element.classList.add("waiting-card");
  let told = false;
  const after = (work, said) => own.guard(async () => {
    if (!(await work())) return;
    told = true;
    await own.refresh();
    card.tell(said);
    own.dispatchEvent(new CustomEvent("answered"));
  });
  const answer = (one, was_me) => () => own.send("POST", `/sessions/${one.id}/answer`, { was_me }).catch(refusedAsNew);
  const asked = (one, by = deviceName(one.asked.by_device_label || "?")) => entry(
    [h("strong", { say: one.current ? "pending.session_this" : ["pending.session", { device: deviceName(one.device_label || "?") }] }),
      h("p", { class: "hint", say: () => t("pending.session_by", { by, date: fullDate(one.asked.ends_ms) }) })],
    entryButton("pending.was_not_me", null, after(answer(one, false), "pending.kept")),
    entryButton("pending.was_me", null, after(answer(one, true), "sessions.ended")));
  const stop = (one) => () => own.change("POST", `/recoveries/${one.id}/veto`, {}, { strong: true }).catch(refusedAsNew);
  const recovery = (one) => entry(
    [h("strong", { say: `pending.recovery_${one.goal}` }),
      h("p", { class: "hint", say: () => t("pending.recovery_when", { started: fullDate(one.started_ms), date: fullDate(one.not_before_ms) }) })],
    entryButton("pending.stop", null, after(stop(one), "pending.stopped")));
  const removal = (one) => entry(
    [h("strong", { say: () => t("pending.removal", { what: t(`factor.${one.factor}`) }) }),
      h("p", { class: "hint", say: () => t("removal.begun", { until: fullDate(one.cancel_until_ms), date: fullDate(one.effective_ms) }) })],
    entryButton("removal.keep", null, after(() => own.keep(one.id), "removal.kept")));
  const deletion = (one) => entry(
    [h("strong", { say: "pending.deletion" }), h("p", { class: "hint", say: () => t("pending.deletion_when", { date: fullDate(one.effective_ms) }) })],
    entryButton("removal.keep", null, after(() => own.keep(one.id), "removal.kept")));
  card.draw = () => {
    const removals = own.changes.filter((one) => one.kind === "removal" && one.cancel_until_ms > Date.now());
    const items = [...own.sessions.filter((one) => one.asked).map((one) => asked(one)), ...own.recoveries.map(recovery), ...own.changes.filter((one) => one.kind === "deletion").map(deletion), ...removals.map(removal)];
    card.element.hidden = items.length === 0 && !own.oneContact && !told;
    card.show(
      items.length > 0 && h("p", { say: "pending.lead" }),
      items.length > 0 && h("ul", { class: "entries" }, items),
      own.oneContact && oneContact(own));
  };
  return card;
}

/** Whoever has added something already has nothing to do but wait for it. */
function oneContact(own) {
  const soonest = own.changes.find((one) => one.kind === "probation" && one.factor !== "question");
  return h("p", {}, h("span", { say: "pending.one_contact" }), " ",
    soonest ? h("span", { say: () => t("pending.until", { date: fullDate(soonest.effective_ms) }) }) : h("a", { href: "#/account/signin", say: "pending.second" }));
}
