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
  /** `answers`: the button's word, what it does, and what is told then. Each button is heard with what it is about. */
  const item = (title, hint, answers) => entry(
    [h("strong", { say: title }), h("p", { class: "hint", say: hint })],
    ...answers.map(([word, work, said]) => entryButton(word, () => `${t(word)}: ${title()}`, after(work, said))));
  const answer = (one, was_me) => () => own.send("POST", `/sessions/${one.id}/answer`, { was_me }).catch(refusedAsNew);
  const asked = (one) => item(
    () => (one.current ? t("pending.session_this") : t("pending.session", { device: deviceName(one.device_label || "?") })),
    () => t("pending.session_by", { by: deviceName(one.asked.by_device_label || "?"), date: fullDate(one.asked.ends_ms) }),
    [["pending.was_not_me", answer(one, false), "pending.kept"], ["pending.was_me", answer(one, true), "sessions.ended"]]);
  const stop = (one) => () => own.change("POST", `/recoveries/${one.id}/veto`, {}, { strong: "contact" }).catch(refusedAsNew);
  const recovery = (one) => item(
    () => t(`pending.recovery_${one.goal}`),
    () => t("pending.recovery_when", { started: fullDate(one.started_ms), date: fullDate(one.not_before_ms) }),
    [["pending.stop", stop(one), "pending.stopped"]]);
  const keep = (one) => ["removal.keep", () => own.keep(one.id), "removal.kept"];
  const removal = (one) => item(
    () => t("pending.removal", { what: t(`factor.${one.factor}`) }),
    () => t("removal.begun", { until: fullDate(one.cancel_until_ms), date: fullDate(one.effective_ms) }),
    [keep(one)]);
  const deletion = (one) => item(() => t("pending.deletion"), () => t("pending.deletion_when", { date: fullDate(one.effective_ms) }), [keep(one)]);
  card.draw = () => {
    const removals = own.changes.filter((one) => one.kind === "removal" && one.cancel_until_ms > Date.now());
    const items = [
      ...own.sessions.filter((one) => one.asked).map(asked), ...own.recoveries.map(recovery),
      ...own.changes.filter((one) => one.kind === "deletion").map(deletion), ...removals.map(removal),
    ];
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
