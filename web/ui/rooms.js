/** The side of the shell: invitations, rooms, direct messages, the way to one's account. */

import { fill, h, icon, iconButton } from "./dom.js";
import { logo } from "./art.js";
import { personMark, roomMark, roomName } from "./marks.js";
import { bind, currentLanguage, t } from "./speech.js";
import { findRooms, newRoom } from "./roomdialogs.js";

/** `go(room)` opens a room. Gives the element and `draw(current)`. */
export function roomsView({ chat, session, search, go, guard }) {
  const invitations = h("section", { class: "invitations", "aria-labelledby": "invitations-title", hidden: true });
  const rooms = h("ul", { class: "rooms" });
  const direct = h("ul", { class: "rooms" });
  const me = h("a", { href: "#/account", class: "me" });
  const openNew = (kind) => () => newRoom(chat, kind).then((room) => room && go(room));
  const openFind = () => findRooms(chat).then((room) => room && go(room));
  const element = h("nav", { class: "side", saying: { "aria-label": "rooms.title" } },
    h("header", { class: "brand" }, logo(), h("span", {}, "Garita"), iconButton("seek", "search.all_title", () => search.show(null))),
    h("div", { class: "lists" },
      invitations,
      heading("rooms.title", "rooms-heading", iconButton("search", "rooms.find", openFind), iconButton("plus", "rooms.new", openNew("public"))),
      rooms,
      heading("direct.title", "direct-heading", iconButton("plus", "direct.new", openNew("direct"))),
      direct),
    me);
  rooms.setAttribute("aria-labelledby", "rooms-heading");
  direct.setAttribute("aria-labelledby", "direct-heading");

  const draw = (current) => {
    const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const all = [...chat.rooms.values()].filter((room) => room.kind);
    const byName = new Intl.Collator(currentLanguage(), { sensitivity: "base", numeric: true });
    const sorted = all.sort((a, b) => byName.compare(roomName(a), roomName(b)));
    const items = (wanted, word) => {
      const found = sorted.filter((room) => (room.kind === "direct") === wanted).map((room) => roomItem(room, current));
      return found.length || !chat.ready ? found : [h("li", { class: "none", say: word })];
    };
    fill(rooms, items(false, "rooms.none"));
    fill(direct, items(true, "direct.none"));
    drawInvitations(invitations, { chat, go, guard });
    fill(me, session.account && [
      personMark({ id: session.account.id, name: session.account.display_name }),
      h("span", { class: "names" }, h("strong", {}, session.account.display_name), h("span", { class: "hint" }, `@${session.account.username}`)),
      h("span", { class: "unseen", say: "account.title" })]);
    if (current === "account") me.setAttribute("aria-current", "page");
    else me.removeAttribute("aria-current");
    if (focused) element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  return { element, draw };
}

function heading(word, id, ...buttons) {
  return h("div", { class: "heading" }, h("h2", { id, say: word }), buttons);
}

function roomItem(room, current) {
  const badge = room.someUnread || room.unread > 0;
  return h("li", {},
    h("a", { href: `#/room/${room.id}`, class: badge ? "room unread" : "room", "aria-current": room.id === current ? "page" : null },
      roomMark(room),
      h("span", { class: "title" }, h("bdi", {}, roomName(room))),
      badge && h("span", { class: room.unread > 0 ? "badge" : "badge dot", "aria-hidden": "true" }, room.unread > 0 ? shortCount(room.unread) : ""),
      badge && h("span", { class: "unseen", say: room.unread > 0 ? ["unread.count", { count: room.unread }] : "unread.some" })));
}

function shortCount(count) {
  return count > 99 ? "99+" : String(count);
}

function drawInvitations(section, { chat, go, guard }) {
  section.hidden = chat.invitations.size === 0;
  const items = [...chat.invitations.values()].map(({ room, by }) => {
    const title = room.title ?? "";
    return h("li", {},
      h("p", { say: by ? ["invitation.by", { name: by.name, title }] : ["invitation", { title }] }),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "primary small", say: "join", saying: { "aria-label": ["join.long", { title }] },
          on: { click: () => guard(async () => go(await chat.join(room.id))) } }),
        h("button", { type: "button", class: "quiet small", say: "dismiss", on: { click: () => chat.dismiss(room.id) } })));
  });
  fill(section, h("h2", { id: "invitations-title", say: "invitations.title" }), h("ul", {}, items));
}

/** Unread messages of all rooms, for the window's title. */
export function unreadTotal(chat) {
  return [...chat.rooms.values()].reduce((sum, room) => sum + (room.unread || (room.someUnread ? 1 : 0)), 0);
}

/** What stands in the main part while no room is open. */
export function welcomeView({ chat, session, go }) {
  const tile = (picture, title, hint, click) => h("li", {},
    h("button", { type: "button", class: "tile", on: { click } },
      icon(picture), h("strong", { say: title }), h("span", { class: "hint", say: hint })));
  const open = (dialog) => () => dialog().then((room) => room && go(room));
  const heading = h("h1", { tabindex: "-1" });
  bind(heading, "text", () => t("welcome.title", { name: session.account?.display_name ?? "" }));
  const protect = session.profile?.totp === false && h("li", {},
    h("a", { href: "#/account/signin", class: "tile" },
      icon("shield"), h("strong", { say: "welcome.protect" }), h("span", { class: "hint", say: "welcome.protect_hint" })));
  return h("div", { class: "welcome" },
    logo(), heading, h("p", { class: "lead", say: "welcome.lead" }),
    h("ul", { class: "tiles" },
      tile("search", "rooms.find", "welcome.find_hint", open(() => findRooms(chat))),
      tile("plus", "rooms.new", "welcome.new_hint", open(() => newRoom(chat, "public"))),
      tile("bubble", "direct.new", "welcome.direct_hint", open(() => newRoom(chat, "direct"))),
      protect));
}
