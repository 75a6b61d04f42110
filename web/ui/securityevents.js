/** What has happened to the account, newest first, and what to do about what was not one's own doing. */

import { deviceName } from "../core/people.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { dialog } from "./forms.js";
import { sentence } from "./problems.js";
import { bind, fullDate, hasWord, t } from "./speech.js";

const SHOWN_AT_ONCE = 20;

export function eventsCard(own) {
  const card = new Card("event.title");
  let shown = SHOWN_AT_ONCE;
  let others = [];
  const react = (event) => own.guard(async () => {
    const said = await whatToDo(own, event, others);
    if (!said) return;
    await own.refresh();
    await card.draw();
    card.tell(said);
  });
  const more = (events) => {
    const before = shown;
    shown += SHOWN_AT_ONCE;
    list(events);
    card.element.querySelectorAll(".entries li")[before]?.querySelector("button")?.focus();
  };
  const list = ({ events, frozen_until_ms: frozen, guarded_until_ms: guarded }) => card.show(
    frozen && h("p", { class: "trouble box", say: () => t("event.frozen", { date: fullDate(frozen) }) }),
    guarded && h("p", { class: "note", say: () => t("event.guarded", { date: fullDate(guarded) }) }),
    h("p", { say: "event.lead" }),
    own.changes.some((change) => change.kind === "probation") && h("ul", { class: "hint about-to-count" }, own.changes.filter((change) => change.kind === "probation").map((change) =>
      h("li", { say: () => t("event.probation", { what: t(`factor.${change.factor}`), date: fullDate(change.effective_ms) }) }))),
    h("ul", { class: "entries" }, events.slice(0, shown).map((event) => entry(
      [h("strong", { say: () => eventText(event) }),
        h("p", { class: "hint" }, h("time", { datetime: new Date(event.at_ms).toISOString(), say: () => fullDate(event.at_ms) }),
          event.device && h("span", { say: () => ` · ${deviceText(event)}` }))],
      entryButton("event.not_me", () => t("event.not_me_long", { what: eventText(event), date: fullDate(event.at_ms) }), react(event))))),
    events.length > shown && h("button", { type: "button", class: "quiet", say: "more", on: { click: () => more({ events, frozen_until_ms: frozen, guarded_until_ms: guarded }) } }));
  card.draw = async () => {
    const [happened, { devices }] = await Promise.all([own.read("/me/security-events"), own.read("/me/devices")]);
    others = devices.filter((one) => !one.current && one.effective_ms === undefined).map((one) => one.id);
    list(happened);
  };
  return card;
}

/** Servers may know more kinds than this page. */
function eventText({ kind }) {
  return t(hasWord(`event.${kind}`) ? `event.${kind}` : "event.other");
}

function deviceText({ device_label: label, confirmed }) {
  const name = deviceName(label || t("event.device_gone"));
  return confirmed ? name : t("event.device_new_one", { name });
}

/** A dialog with what helps against one event; what was done, or null. `devices`: the ids of those that can be forgotten from here. */
function whatToDo(own, event, devices) {
  return dialog({
    title: "event.not_me_title",
    content: (close) => {
      const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
      const doing = (work, said) => async () => {
        trouble.hidden = true;
        try {
          if (await work()) close(said);
        } catch (error) {
          bind(trouble, "text", () => sentence(error));
          trouble.hidden = false;
        }
      };
      const act = (say, work, said) => h("li", {}, h("button", { type: "button", class: "quiet", say, on: { click: doing(work, said) } }));
      const go = (say, part) => h("li", {}, h("a", { href: `#/account/${part}`, say, on: { click: () => close() } }));
      const endOthers = async () => {
        await own.session.logout("others");
        return true;
      };
      return [
        h("p", {}, h("strong", { say: () => eventText(event) }), h("span", { say: () => ` (${fullDate(event.at_ms)})` })), trouble,
        h("ul", { class: "deeds" },
          own.removalOf({ id: event.subject })?.cancel_until_ms > Date.now() && act("event.take_back", () => own.keep(event.subject), "removal.kept"),
          event.kind === "device_new" && devices.includes(event.subject) && act("event.forget_device", () => own.change("DELETE", `/me/devices/${event.subject}`), "event.device_forgotten"),
          placeOf(event.kind) && go("event.look", placeOf(event.kind)),
          act("logout.others", endOthers, "sessions.ended"),
          go("event.new_password", "signin")),
        h("p", { class: "hint", say: "event.link_hint" })];
    },
  }).open();
}

/** The part of the account's page where what an event added can be removed. */
function placeOf(kind) {
  if (!kind.endsWith("_added")) return null;
  return ["email_added", "phone_added"].includes(kind) ? "contacts" : "signin";
}
