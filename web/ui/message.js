/**
 * One message as an item of the list: who and when, what it answers, its text and files as they are now, reactions, and the button to
 * its menu. What changes is drawn anew in its place; the item stays, so that nothing jumps and no focus is lost.
 */

import { linkify } from "../core/people.js";
import { fill, h, icon } from "./dom.js";
import { fileCard } from "./filecard.js";
import { personMark } from "./marks.js";
import { menuButton } from "./menu.js";
import { fullDate, t, timeOfDay } from "./speech.js";

const QUOTED_LETTERS = 120;

export class MessageItem {
  #event;
  #context;
  #picture = null;
  #time;
  #quote = h("div", { class: "quote-place" });
  #body = h("div", { class: "body" });
  #chips = h("div", { class: "reactions", role: "group", saying: { "aria-label": "reactions.title" }, hidden: true });

  /**
   * `context`: `picture(event)`, `find(mid)`: the answered message or undefined, `jump(mid)`, `react(event, emoji, on)`,
   * `entries(event, picture)` for the menu, `files`.
   */
  constructor(event, follows, context) {
    this.#event = event;
    this.#context = context;
    this.#time = h("span", { class: "when" }, clock(event.ts));
    const name = event.user.name;
    this.button = menuButton(icon("dots"), {
      say: ["message.menu", { name }], class: "icon-button more", tabindex: "-1", entries: () => context.entries(event, this.#picture),
    });
    this.element = h("li", { class: follows ? "message follows" : "message", "data-mid": event.mid, "data-seq": event.seq, tabindex: "-1" },
      follows ? null : personMark(event.user),
      h("div", { class: "said" },
        h("p", { class: follows ? "who unseen" : "who" }, h("bdi", { class: "name" }, name), " ", this.#time),
        this.#quote, this.#body, this.#chips),
      this.button);
    this.draw();
  }

  /** As it is now. Whether it can have a menu. */
  draw() {
    const before = this.#picture;
    const now = this.#context.picture(this.#event);
    this.#picture = now;
    if (!before || before.text !== now.text || before.edited !== now.edited || before.deleted !== now.deleted) this.#drawBody(now);
    this.drawQuote();
    this.#drawReactions(now.reactions);
    this.button.hidden = now.deleted;
  }

  /** The line above an answer; what it answers may have come in, or have changed. */
  drawQuote() {
    const mid = this.#event.reply_to;
    if (!mid || this.#picture.deleted) return fill(this.#quote);
    const found = this.#context.find(mid);
    const jump = () => this.#context.jump(mid);
    const line = found ? quoted(found.event, found.picture) : [h("span", { say: "reply.earlier" })];
    return fill(this.#quote, h("button", { type: "button", class: "quote", saying: { title: "reply.jump" }, on: { click: jump } }, icon("reply"), line));
  }

  #drawBody({ text, files, edited, deleted, byModerator }) {
    if (deleted) return fill(this.#body, h("p", { class: "tombstone", say: byModerator ? "message.deleted_by_moderator" : "message.deleted" }));
    const mark = edited && h("span", { class: "edited", say: "message.edited", saying: { title: () => t("message.edited_at", { date: fullDate(edited) }) } });
    return fill(this.#body,
      text && textBody(text, mark),
      files.length > 0 && h("div", { class: "files" }, files.map((file) => fileCard(file, this.#context.files))),
      !text && mark);
  }

  #drawReactions(reactions) {
    const focused = this.#chips.contains(document.activeElement) ? document.activeElement.dataset.emoji : null;
    this.#chips.hidden = reactions.length === 0;
    fill(this.#chips, reactions.map(({ emoji, count, mine, names }) => h("button", {
      type: "button", class: "reaction", "data-emoji": emoji, "aria-pressed": String(mine),
      saying: { "aria-label": ["reactions.one", { emoji, count }], title: () => names.join(", ") },
      on: { click: () => this.#context.react(this.#event, emoji, !mine) },
    }, h("span", { "aria-hidden": "true" }, emoji), h("span", { class: "count", "aria-hidden": "true" }, String(count)))));
    if (focused) this.#chips.querySelector(`[data-emoji="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

/** Who and the first words of a message that is answered. */
export function quoted(event, { text, deleted, files }) {
  const words = h("span", { class: "quoted", dir: "auto" });
  if (deleted) words.append(h("i", { say: "message.deleted" }));
  else if (text) words.append([...text.replaceAll(/\s+/gu, " ")].slice(0, QUOTED_LETTERS).join(""));
  else words.append(h("span", { say: files.length ? "messages.file_only" : "message.empty" }));
  return [h("bdi", { class: "name" }, event.user.name), words];
}

export function clock(ts) {
  return h("time", { datetime: new Date(ts).toISOString(), say: () => timeOfDay(ts), saying: { title: () => fullDate(ts) } });
}

export function textBody(text, ...more) {
  const pieces = linkify(text).map((piece) =>
    piece.href ? h("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer nofollow" }, piece.text) : piece.text);
  return h("div", { class: "line-of-text" }, h("p", { class: "text", dir: "auto" }, pieces), more);
}
