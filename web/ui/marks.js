/** The coloured letter that stands for a person, the sign that stands for a room, and a room's name. */

import { hue, initials } from "../core/people.js";
import { h, icon } from "./dom.js";
import { t } from "./speech.js";

export function personMark(person) {
  return h("span", { class: `mark hue-${hue(person.id)}`, "aria-hidden": "true" }, initials(person.name));
}

export function roomMark(room) {
  if (room.kind === "direct" && room.peer) return personMark(room.peer);
  return h("span", { class: "mark sign", "aria-hidden": "true" }, icon(room.kind === "private" ? "lock" : "hash"));
}

/** What a room is called; one whose description has not come yet has no name. */
export function roomName(room) {
  return (room.kind === "direct" ? room.peer?.name : room.title) ?? t("room.unnamed");
}
