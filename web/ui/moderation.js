/** What moderators do: the room's name and topic, people's roles, who is kept out, and the trail of it all. */

import { announce } from "./announce.js";
import { fill, h } from "./dom.js";
import { dialog, field, form, fieldsOnly } from "./forms.js";
import { require } from "./login.js";
import { personMark, roomMark } from "./marks.js";
import { cancel, noteField } from "./messagemenu.js";
import { sentence } from "./problems.js";
import { bind, fullDate, hasWord, t } from "./speech.js";

const RANKS = ["muted", "member", "moderator", "owner"];

export function isModerator(room) {
  return room.kind !== "direct" && (room.role === "moderator" || room.role === "owner");
}

/** The entries of a member's menu: what this moderator may do to them (docs/protocol.md §7). */
export function memberEntries({ chat, room, member, guard }) {
  const own = RANKS.indexOf(room.role);
  const mine = member.id === chat.user.id;
  const below = RANKS.indexOf(member.role) < own && !mine;
  const owner = room.role === "owner";
  const roles = RANKS.filter((role) => role !== member.role && (owner ? below || mine : below && RANKS.indexOf(role) < own));
  const set = (role) => guard(() => chat.deeds.setRole(room.id, member.id, role));
  return [
    ...roles.map((role) => ({ say: `role.make_${role}`, danger: role === "owner", run: () => set(role) })),
    below && { say: "kick.begin", danger: true, run: () => putOut(chat, room, member, "kick") },
    below && { say: "ban.begin", danger: true, run: () => putOut(chat, room, member, "ban") },
  ].filter(Boolean);
}

/** `deed`: kick, or ban. */
function putOut(chat, room, member, deed) {
  const note = noteField();
  return dialog({
    title: [`${deed}.title`, { name: member.name }],
    content: (close) => [
      h("p", { say: `${deed}.lead` }),
      form({
        rows: [note.row], submit: `${deed}.submit`, others: [cancel(close)],
        work: async () => close(await chat.deeds[deed](room.id, member.id, note.input.value.trim())),
      }).element,
    ],
  }).open();
}

/** Name and topic, and the ways to the two lists. */
export function roomSettings(chat, room) {
  return dialog({
    title: "settings.title",
    content: (close) => {
      const title = field({ name: "title", word: "room.title", maxlength: 64, autocomplete: "off", value: room.title ?? "" });
      const topic = field({ name: "topic", word: "room.topic", hint: "room.topic_hint", maxlength: 256, autocomplete: "off", value: room.topic });
      const work = async () => {
        require(title, "room.title_missing");
        await chat.deeds.setRoom(room.id, { title: title.input.value.trim(), topic: topic.input.value.trim() });
        announce(t("settings.done"));
        close(true);
      };
      const list = (word, open) => h("button", { type: "button", class: "quiet", say: word, on: { click: () => { close(); open(chat, room); } } });
      return [
        form({ rows: [title.row, topic.row], submit: "settings.submit", work, handle: fieldsOnly }).element,
        h("div", { class: "actions" }, list("banned.title", bannedList), list("audit.title", auditTrail)),
      ];
    },
  }).open();
}

function bannedList(chat, room) {
  return pagedList({
    title: "banned.title", none: "banned.none",
    load: async (from) => {
      const page = await chat.deeds.banned(room.id, from);
      return { items: page.banned, next: page.next };
    },
    item: (one, { guard, drop }) => h("li", {},
      personMark(one),
      h("div", { class: "about" }, h("strong", {}, h("bdi", {}, one.name)), h("p", { class: "hint" }, said(one))),
      h("button", {
        type: "button", class: "quiet", say: "banned.unban", saying: { "aria-label": ["banned.unban_long", { name: one.name }] },
        on: { click: () => guard(async () => { await chat.deeds.unban(room.id, one.id); drop(); announce(t("banned.unbanned", { name: one.name })); }) },
      })),
  });
}

function auditTrail(chat, room) {
  return pagedList({
    title: "audit.title", none: "audit.none", wide: true,
    load: async (from) => {
      const page = await chat.deeds.audit(room.id, from);
      return { items: page.entries, next: page.next };
    },
    item: (one) => h("li", {},
      one.by ? personMark(one.by) : roomMark({ kind: "public" }),
      h("div", { class: "about" },
        h("strong", { dir: "auto", say: () => auditLine(one) }),
        h("p", { class: "hint" }, said({ ...one, by: null })),
        one.text && h("blockquote", { class: "quote", dir: "auto" }, one.text))),
  });
}

function auditLine({ action, by, user, role, reason }) {
  const word = hasWord(`audit.${action}`) ? `audit.${action}` : "audit.other";
  const told = reason && hasWord(`report.${reason}`) ? t(`report.${reason}`) : reason ?? "";
  return t(word, { by: by?.name ?? "?", name: user?.name ?? "?", role: role ? t(`role.${role}`) : "", reason: told, action });
}

/** When, by whom, and the words that were noted. */
function said({ by, ts, note }) {
  const line = h("span");
  bind(line, "text", () => [fullDate(ts), by && t("banned.by", { name: by.name })].filter(Boolean).join(" · "));
  return [line, note && h("bdi", {}, ` · ${note}`)];
}

/** A dialog with a list that comes by pages. `item(one, {guard, drop})` gives a list item. */
function pagedList({ title, none, wide = false, load, item }) {
  return dialog({
    title, wide,
    content: () => {
      const list = h("ul", { class: "found", tabindex: "-1" });
      const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
      const more = h("button", { type: "button", class: "quiet", say: "more", hidden: true });
      const empty = h("li", { class: "none", say: "loading" });
      fill(list, empty);
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
      const drawEmpty = () => {
        if (list.children.length > 0) return;
        bind(empty, "text", none);
        list.append(empty);
      };
      const draw = () => guard(async () => {
        const page = await load(next);
        next = page.next ?? null;
        more.hidden = next === null;
        empty.remove();
        for (const one of page.items) {
          const element = item(one, {
            guard,
            drop: () => {
              element.remove();
              drawEmpty();
              list.focus();
            },
          });
          list.append(element);
        }
        drawEmpty();
      });
      more.addEventListener("click", draw);
      draw();
      return [trouble, list, more];
    },
  }).open();
}
