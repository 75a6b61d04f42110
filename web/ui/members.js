/** The members of a room, by page, beside its messages: who is here now, what they are, and for moderators what to do about them. */

import { SMALL_ROOM } from "../state/chat.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { personMark } from "./marks.js";
import { menuButton } from "./menu.js";
import { isModerator, memberEntries } from "./moderation.js";
import { sentence } from "./problems.js";
import { bind, t } from "./speech.js";

const DRAW_AFTER_MS = 400;
/** In small rooms presence is pushed; in others it is asked for, of the pages that are shown. */
const ASK_EVERY_MS = 30_000;

/** `close` hides the panel. Gives the element, `refresh()` for when somebody came or went, `drawPresence()`, `stop()`. */
export function membersView({ chat, room, close }) {
  const list = h("ul", { class: "members" });
  const count = h("h2", { id: "members-title", tabindex: "-1" });
  const more = h("button", { type: "button", class: "quiet", say: "more", hidden: true });
  const state = h("p", { class: "hint", role: "status", hidden: true });
  const element = h("aside", { class: "panel", "aria-labelledby": "members-title" },
    h("header", {}, count, iconButton("close", "members.hide", close)), state, list, more);
  let next = null;
  let pages = [];
  let later = null;

  const guard = async (work) => {
    try {
      await work();
      state.hidden = true;
    } catch (error) {
      bind(state, "text", () => sentence(error));
      state.hidden = false;
    }
  };
  const drawPresence = () => {
    for (const item of list.querySelectorAll("[data-user]")) item.querySelector(".here-dot").hidden = !room.passing.here.has(item.dataset.user);
  };
  const load = (from) => guard(async () => {
    const page = await chat.members(room.id, from);
    next = page.next ?? null;
    pages = from ? [...pages, from] : [null];
    const items = page.members.map((member) => memberItem({ chat, room, member, guard }));
    const focused = element.contains(document.activeElement) ? document.activeElement.closest("[data-user]")?.dataset.user : null;
    if (from) list.append(...items);
    else fill(list, items);
    if (focused) (list.querySelector(`[data-user="${CSS.escape(focused)}"] button`) ?? count).focus();
    bind(count, "text", ["members.count", { count: room.members }]);
    more.hidden = !next;
    drawPresence();
    await chat.presence(room.id, [from]);
  });
  const asking = setInterval(() => {
    if (room.members <= SMALL_ROOM || document.hidden) return;
    guard(() => chat.presence(room.id, pages, true));
  }, ASK_EVERY_MS);
  more.addEventListener("click", () => load(next));
  bind(count, "text", ["members.count", { count: room.members }]);
  load(null);
  return {
    element,
    drawPresence,
    focus: () => count.focus(),
    stop() {
      clearTimeout(later);
      clearInterval(asking);
    },
    /** Many may come at once: the list is read again a little later, once. */
    refresh() {
      clearTimeout(later);
      later = setTimeout(() => element.isConnected && load(null), DRAW_AFTER_MS);
    },
  };
}

function memberItem({ chat, room, member, guard }) {
  const about = [member.id === chat.user.id && "members.you", member.role !== "member" && `role.${member.role}`].filter(Boolean);
  const entries = () => memberEntries({ chat, room, member, guard });
  const menu = isModerator(room) && entries().length > 0 && menuButton(icon("dots"), {
    say: ["members.menu", { name: member.name }], class: "icon-button", entries,
  });
  const dot = h("span", { class: "here-dot", hidden: true, role: "img", saying: { "aria-label": "presence.here", title: "presence.here" } });
  return h("li", { "data-user": member.id },
    h("span", { class: "with-dot" }, personMark(member), dot),
    h("span", { class: "title" }, h("bdi", {}, member.name),
      about.length > 0 && h("span", { class: "hint", say: () => about.map((word) => t(word)).join(" · ") })), menu);
}
