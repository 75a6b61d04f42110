/** Where one is logged in, and ending it there. */

import { deviceName } from "../core/people.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { fullDate, t } from "./speech.js";

export function sessionsCard(own) {
  const card = new Card("sessions.title");
  const redraw = async (answer) => {
    await own.refresh();
    card.draw();
    card.tell(() => (answer.ends_ms ? t("sessions.asked_first", { date: fullDate(answer.ends_ms) }) : t("sessions.ended")));
  };
  const end = (id) => own.guard(async () => {
    const answer = await own.change("DELETE", `/sessions/${id}`);
    if (answer) await redraw(answer);
  });
  const leave = (scope) => own.guard(async () => {
    const answer = await own.session.logout(scope);
    if (scope === "others") await redraw(answer ?? {});
  });
  const item = (one, name = deviceName(one.device_label || one.client_id || "?")) => entry(
    [h("strong", {}, name), one.current && h("span", { class: "chip", say: "sessions.this" }),
      h("p", { class: "hint", say: () => t("sessions.times", { created: fullDate(one.created_ms), seen: fullDate(one.last_seen_ms) }) }),
      one.asked && h("p", { class: "hint", say: () => t("sessions.is_asked", { date: fullDate(one.asked.ends_ms) }) })],
    !one.current && entryButton("sessions.end", ["sessions.end_long", { device: name }], end(one.id)));
  card.draw = () => card.show(
    h("ul", { class: "entries sessions" }, own.sessions.map((one) => item(one))),
    own.sessions.length > 1 && h("div", { class: "actions" },
      h("button", { type: "button", class: "quiet", say: "logout.others", on: { click: leave("others") } }),
      h("button", { type: "button", class: "quiet", say: "logout.all", on: { click: leave("all") } })));
  return card;
}
