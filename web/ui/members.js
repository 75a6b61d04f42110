/** The members of a room, by page, beside its messages. */

import { fill, h, iconButton } from "./dom.js";
import { personMark } from "./marks.js";
import { protocolSentence } from "./problems.js";
import { bind } from "./speech.js";

const DRAW_AFTER_MS = 400;

/** `close` hides the panel. Gives the element, and `refresh()` for when somebody came or went. */
export function membersView({ chat, room, close }) {
  const list = h("ul", { class: "members" });
  const count = h("h2", { id: "members-title", tabindex: "-1" });
  const more = h("button", { type: "button", class: "quiet", say: "more", hidden: true });
  const state = h("p", { class: "hint", role: "status", hidden: true });
  const element = h("aside", { class: "panel", "aria-labelledby": "members-title" },
    h("header", {}, count, iconButton("close", "members.hide", close)), state, list, more);
  let next = null;
  let later = null;

  const load = async (from) => {
    try {
      const page = await chat.members(room.id, from);
      next = page.next ?? null;
      const items = page.members.map((member) => memberItem(member, chat.user.id));
      if (from) list.append(...items);
      else fill(list, items);
      bind(count, "text", ["members.count", { count: room.members }]);
      more.hidden = !next;
      state.hidden = true;
    } catch (error) {
      bind(state, "text", () => protocolSentence(error.code));
      state.hidden = false;
    }
  };
  more.addEventListener("click", () => load(next));
  bind(count, "text", ["members.count", { count: room.members }]);
  load(null);
  return {
    element,
    focus: () => count.focus(),
    /** Many may come at once: the list is read again a little later, once. */
    refresh() {
      clearTimeout(later);
      later = setTimeout(() => element.isConnected && load(null), DRAW_AFTER_MS);
    },
  };
}

function memberItem(member, ownId) {
  const role = member.role === "member" ? null : h("span", { class: "chip", say: `role.${member.role}` });
  return h("li", {}, personMark(member),
    h("span", { class: "title" }, h("bdi", {}, member.name), member.id === ownId && h("span", { class: "hint", say: "members.you" })), role);
}
