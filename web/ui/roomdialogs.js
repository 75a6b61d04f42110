/** The dialogs about rooms: a new one, public ones to join, an invitation, leaving. Each resolves with a room's id, or null. */

import { fill, h, icon } from "./dom.js";
import { FieldTrouble, dialog, field, fieldsOnly, form } from "./forms.js";
import { require } from "./login.js";
import { roomMark, roomName } from "./marks.js";
import { sentence } from "./problems.js";
import { announce } from "./announce.js";
import { bind, t } from "./speech.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$/;

/** A public, private or direct room; `kind` is what is chosen first. */
export function newRoom(chat, kind) {
  return dialog({
    title: kind === "direct" ? "direct.new" : "rooms.new",
    content: (close) => [kind === "direct" ? directForm(chat, close) : roomForm(chat, close)],
  }).open();
}

function roomForm(chat, close) {
  const title = field({ name: "title", word: "room.title", maxlength: 64, autocomplete: "off" });
  const topic = field({ name: "topic", word: "room.topic", hint: "room.topic_hint", maxlength: 256, autocomplete: "off" });
  const choice = (kind, picture) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "kind", value: kind, checked: kind === "public" }),
    icon(picture), h("span", {}, h("strong", { say: `room.${kind}` }), h("span", { class: "hint", say: `room.${kind}_hint` })));
  const kinds = h("fieldset", {}, h("legend", { say: "room.kind" }), choice("public", "hash"), choice("private", "lock"));
  const work = async () => {
    require(title, "room.title_missing");
    const kind = kinds.querySelector(":checked").value;
    close(await chat.create({ kind, title: title.input.value.trim(), topic: topic.input.value.trim() }));
  };
  return form({ rows: [title.row, topic.row, kinds], submit: "room.create", work, handle: fieldsOnly }).element;
}

function directForm(chat, close) {
  const user = userField();
  const work = async () => {
    const name = wantedName(user);
    if (name.toLowerCase() === chat.user.username.toLowerCase()) throw new FieldTrouble(user, "direct.self");
    close(await chat.create({ kind: "direct", user: name }));
  };
  return form({ rows: [user.row], submit: "direct.open", work, handle: notFound(user) }).element;
}

/** Lets a user, by name, into a private room. */
export function inviteTo(chat, room) {
  return dialog({
    title: "invite.title",
    content: (close) => {
      const user = userField();
      const work = async () => {
        const invited = await chat.invite(room.id, wantedName(user));
        announce(t("invite.done", { name: invited.name }));
        close(invited);
      };
      return [h("p", { say: ["invite.lead", { title: roomName(room) }] }),
        form({ rows: [user.row], submit: "invite.submit", work, handle: notFound(user) }).element];
    },
  }).open();
}

function userField() {
  return field({ name: "user", word: "user.name", hint: "user.name_hint", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 33 });
}

function wantedName(user) {
  const name = user.input.value.trim().replace(/^@/, "");
  if (!NAME.test(name)) throw new FieldTrouble(user, "user.name_bad");
  return name;
}

function notFound(user) {
  return (error) => {
    if (error.code !== "not_found") return fieldsOnly(error);
    user.fail("user.unknown");
    return true;
  };
}

/** Asks before leaving; true where one has left. */
export function leaveRoom(chat, room) {
  return dialog({
    title: "leave.title",
    content: (close) => {
      const work = async () => {
        await chat.leave(room.id);
        close(true);
      };
      const word = room.kind === "public" ? "leave.lead_public" : "leave.lead_private";
      return [h("p", { say: [word, { title: roomName(room) }] }), form({
        rows: [], submit: "leave.submit", work,
        others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: () => close() } })],
      }).element];
    },
  }).open();
}

/** The public rooms, with a filter for what is loaded and a button for more. */
export function findRooms(chat) {
  return dialog({
    title: "rooms.find",
    wide: true,
    content: (close) => {
      const filter = field({ name: "filter", type: "search", word: "rooms.filter", autocomplete: "off" });
      const list = h("ul", { class: "found" });
      const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
      const more = h("button", { type: "button", class: "quiet", say: "more", hidden: true });
      const rooms = [];
      let next = null;
      const guard = async (work) => {
        trouble.hidden = true;
        try {
          await work();
        } catch (error) {
          bind(trouble, "text", () => sentence(error));
          trouble.hidden = false;
        }
      };
      const enter = (room) => guard(async () => close(chat.rooms.has(room.id) ? room.id : await chat.join(room.id)));
      const draw = () => {
        const wanted = filter.input.value.trim().toLocaleLowerCase();
        const fitting = rooms.filter((room) => `${room.title} ${room.topic}`.toLocaleLowerCase().includes(wanted));
        fill(list, fitting.length ? fitting.map((room) => foundItem(chat, room, enter)) : h("li", { class: "none", say: "rooms.none_found" }));
        more.hidden = !next;
      };
      const load = () => guard(async () => {
        const page = await chat.publicRooms(next);
        rooms.push(...page.rooms);
        next = page.next ?? null;
        draw();
      });
      more.addEventListener("click", load);
      filter.input.addEventListener("input", draw);
      load();
      return [filter.row, trouble, list, more];
    },
  }).open();
}

function foundItem(chat, room, enter) {
  const word = chat.rooms.has(room.id) ? "open" : "join";
  return h("li", {},
    roomMark(room),
    h("div", { class: "about" },
      h("strong", {}, h("bdi", {}, room.title)),
      h("p", { class: "hint" }, room.topic && h("bdi", {}, `${room.topic} · `), h("span", { say: ["members.count", { count: room.members }] }))),
    h("button", { type: "button", class: "quiet", say: word, saying: { "aria-label": [`${word}.long`, { title: room.title }] }, on: { click: () => enter(room) } }));
}
