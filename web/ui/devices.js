/** The devices that have logged in: which of them vouch for the account, and forgetting one. */

import { deviceName } from "../core/people.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { remove, removalTold } from "./removal.js";
import { fullDate, t } from "./speech.js";
import { confirmDevice } from "./stepup.js";

export function devicesCard(own) {
  const card = new Card("device.title");
  const again = async (said) => {
    await own.refresh();
    await card.draw();
    card.tell(said);
  };
  const forget = (one, name) => own.guard(async () => {
    const removal = await remove(own, { path: `/me/devices/${one.id}`, title: ["device.forget_long", { name }], lead: "device.forget_lead" });
    if (removal) await again(removalTold(removal));
  });
  const keep = (id) => own.guard(async () => (await own.keep(id)) && again("removal.kept"));
  const confirm = own.guard(async () => (await confirmDevice(own.session, own.accounts)) && again("device.confirmed_now"));
  const item = (one, name = deviceName(one.label || "?")) => {
    const going = one.effective_ms !== undefined;
    const cancellable = going && own.removalOf({ id: one.id })?.cancel_until_ms > Date.now();
    return entry(
      [h("strong", {}, name), one.current && h("span", { class: "chip", say: "device.this" }),
        h("p", { class: one.grade === "known" ? "hint" : "hint good", say: () => gradeText(one) }),
        h("p", { class: "hint", say: () => t("device.times", { first: fullDate(one.first_login_ms), last: fullDate(one.last_login_ms) }) }),
        going && h("p", { class: "hint", say: () => t("device.going", { date: fullDate(one.effective_ms) }) })],
      one.current && one.grade === "known" && entryButton("device.confirm", null, confirm),
      cancellable && entryButton("removal.keep", ["removal.keep_long", { name }], keep(one.id)),
      !one.current && !going && entryButton("device.forget", ["device.forget_long", { name }], forget(one, name)));
  };
  card.draw = async () => {
    const { devices } = await own.read("/me/devices");
    card.show(h("p", { say: "device.lead" }), h("ul", { class: "entries" }, devices.map((one) => item(one))));
  };
  return card;
}

function gradeText({ grade, confirmed_ms: confirmed }) {
  return t(`device.grade_${grade}`, { date: confirmed ? fullDate(confirmed) : "" });
}
