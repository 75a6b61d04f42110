/** The lines between messages: days, who came and went, what became of the room. */

import { h } from "./dom.js";
import { clock } from "./message.js";
import { bind, dayName, hasWord, t } from "./speech.js";

/** The events that are shown; changes of messages are shown in the messages. */
export const SHOWN = ["message", "member", "room"];

export function dayItem(ts) {
  return h("li", { class: "day" }, h("time", { datetime: new Date(ts).toISOString().slice(0, 10), say: () => dayName(ts) }));
}

export function newLine() {
  return h("li", { class: "new-line" }, h("span", { say: "messages.new" }));
}

export function eventItem(event) {
  const line = h("span", { dir: "auto" });
  bind(line, "text", () => (event.op === "room" ? roomLine(event) : memberLine(event)));
  return h("li", { class: "event" }, line, " ", clock(event.ts));
}

function memberLine({ change, user, by, role }) {
  const name = user?.name ?? "?";
  if (change === "role") return t(`member.role_${role}`, { name, by: by?.name ?? "?" });
  const word = by && hasWord(`member.${change}_by`) ? `member.${change}_by` : `member.${change}`;
  return hasWord(word) ? t(word, { name, by: by?.name ?? "?" }) : name;
}

function roomLine({ user, title, topic }) {
  const name = user?.name ?? "?";
  return topic ? t("room.changed_topic", { name, title, topic }) : t("room.changed", { name, title });
}
