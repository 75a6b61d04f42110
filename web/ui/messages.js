/**
 * One room's events as a list: days, names, texts, files; what is still being sent stands below.
 *
 * The list grows at both ends without drawing the rest anew, keeps its place when older events come in above, and stays at the
 * bottom when it was there.
 */

import { linkify } from "../core/people.js";
import { FAILED, STORED } from "../core/outbox.js";
import { announce } from "./announce.js";
import { fill, h, icon } from "./dom.js";
import { fileCard } from "./filecard.js";
import { personMark } from "./marks.js";
import { protocolSentence } from "./problems.js";
import { bind, dayName, fullDate, startOfDay, t, timeOfDay } from "./speech.js";

const TOGETHER_MS = 5 * 60_000;
const NEAR_END_PX = 80;
const ANNOUNCED_LETTERS = 200;
const AGAIN_MS = 5_000;
const ABOVE_UNREAD_PX = 60;

export class Messages {
  #chat;
  #room;
  #files;
  #list = h("ol", { class: "log" });
  #outbox = h("ol", { class: "log outbox" });
  #state = h("p", { class: "older", role: "status" });
  #items = new Map();
  #divider;
  #atEnd = true;
  #height = 0;
  #observer;
  #resize;

  constructor({ chat, room, files }) {
    this.#chat = chat;
    this.#room = room;
    this.#files = files;
    this.#divider = room.unread > 0 || room.someUnread ? room.read : null;
    this.#outbox.hidden = true;
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region", saying: { "aria-label": "messages.title" } },
      this.#state, this.#list, this.#outbox);
    this.toEnd = h("button", { type: "button", class: "to-end", hidden: true, on: { click: () => this.scrollToEnd() } },
      icon("down"), h("span", { say: "messages.newest" }));
    this.element = h("div", { class: "messages" }, this.scroller, this.toEnd);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#observer = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#older(), {
      root: this.scroller, rootMargin: "300px 0px 0px 0px",
    });
    this.#resize = new ResizeObserver(() => this.#atEnd && this.#stick());
  }

  /** Call once the element stands in the page. */
  start() {
    this.#redraw();
    this.#showUnread();
    for (const part of [this.#list, this.#outbox, this.scroller]) this.#resize.observe(part);
    this.#readIfSeen();
  }

  stop() {
    this.#observer.disconnect();
    this.#resize.disconnect();
  }

  /** A change of the room's log, as the chat tells it. */
  changed({ change, event, events }) {
    if (change === "append") this.#append(event);
    else if (change === "prepend") this.#prepend(events);
    else if (change === "outbox") this.#drawOutbox();
    else this.#redraw();
  }

  /** Somebody looks at the page again. */
  seen() {
    this.#readIfSeen();
  }

  scrollToEnd() {
    this.#atEnd = true;
    this.#stick();
    this.#readIfSeen();
  }

  #redraw() {
    this.#items.clear();
    const events = this.#room.log.events;
    fill(this.#list, events.flatMap((event, at) => this.#make(event, events[at - 1])));
    this.#drawOutbox();
    this.#drawState();
    if (this.#atEnd) this.#stick();
    this.#watchBeginning();
  }

  #append(event) {
    const events = this.#room.log.events;
    this.#list.append(...this.#make(event, events.at(-2)));
    this.#drawOutbox();
    this.#drawState();
    const mine = event.user?.id === this.#chat.user.id;
    if (mine || this.#atEnd) this.scrollToEnd();
    else this.toEnd.hidden = false;
    if (!mine && event.op === "message") announce(spoken(event));
  }

  #prepend(older) {
    const height = this.scroller.scrollHeight;
    const top = this.scroller.scrollTop;
    const events = this.#room.log.events;
    const next = events[older.length];
    this.#list.prepend(...older.flatMap((event, at) => this.#make(event, older[at - 1])));
    if (next) this.#remake(next, older.at(-1));
    this.#drawState();
    this.scroller.scrollTop = top + this.scroller.scrollHeight - height;
    this.#watchBeginning();
  }

  /** The place where older events are asked for may still be in sight, and the observer tells only of changes. */
  #watchBeginning() {
    this.#observer.unobserve(this.#state);
    this.#observer.observe(this.#state);
  }

  /** What was first has something before it now: its day or name may be said already. */
  #remake(event, before) {
    const old = this.#items.get(event.seq);
    if (!old?.length) return;
    old[0].before(...this.#make(event, before));
    for (const item of old) item.remove();
  }

  #make(event, before) {
    const items = [];
    const newDay = !before || startOfDay(before.ts) !== startOfDay(event.ts);
    if (newDay) items.push(dayItem(event.ts));
    const firstUnread = this.#divider !== null && event.seq > this.#divider && (!before || before.seq <= this.#divider);
    if (firstUnread) items.push(h("li", { class: "new-line" }, h("span", { say: "messages.new" })));
    if (event.op === "message") items.push(this.#message(event, !newDay && !firstUnread && together(before, event)));
    else if (event.op === "member") items.push(memberItem(event));
    this.#items.set(event.seq, items);
    return items;
  }

  #message(event, follows) {
    const files = (event.files ?? []).map((file) => fileCard(file, this.#files));
    return h("li", { class: follows ? "message follows" : "message", "data-mid": event.mid },
      follows ? null : personMark(event.user),
      h("div", { class: "said" },
        h("p", { class: follows ? "who unseen" : "who" }, h("bdi", { class: "name" }, event.user.name), " ", clock(event.ts)),
        event.text && body(event.text),
        files.length > 0 && h("div", { class: "files" }, files)));
  }

  #drawOutbox() {
    const entries = this.#chat.sender.waiting(this.#room.id);
    this.#outbox.hidden = entries.length === 0;
    fill(this.#outbox, entries.map((entry) => this.#waitingItem(entry)));
    if (this.#atEnd) this.#stick();
  }

  #waitingItem(entry) {
    const failed = entry.state === FAILED;
    const word = failed ? () => protocolSentence(entry.error) : entry.state === STORED ? "sent" : "sending";
    const again = () => this.#chat.sender.again(entry.cmid, this.#room.id);
    const drop = () => this.#chat.sender.giveUp(entry.cmid);
    return h("li", { class: failed ? "message waiting failed" : "message waiting" },
      personMark({ id: this.#chat.user.id, name: this.#chat.user.username }),
      h("div", { class: "said" },
        entry.text && body(entry.text),
        entry.files.map((file) => h("p", { class: "hint" }, icon("file"), h("bdi", {}, file.name))),
        h("p", { class: "hint", role: failed ? "alert" : null, say: word }),
        failed && h("div", { class: "actions" },
          h("button", { type: "button", class: "quiet small", say: "again", on: { click: again } }),
          h("button", { type: "button", class: "quiet small", say: "discard", on: { click: drop } }))));
  }

  #drawState() {
    const { log } = this.#room;
    if (log.complete && log.events.every((event) => event.op !== "message")) bind(this.#state, "text", "messages.none");
    else if (log.complete) bind(this.#state, "text", "messages.beginning");
    else bind(this.#state, "text", () => "");
  }

  async #older() {
    if (this.#room.log.complete) return;
    bind(this.#state, "text", "messages.loading");
    try {
      await this.#chat.older(this.#room.id);
    } catch (error) {
      bind(this.#state, "text", () => protocolSentence(error.code));
      setTimeout(() => this.#watchBeginning(), AGAIN_MS);
    }
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    // A picture that came in makes the list taller, and the browser tells that as scrolling: nobody has left the end.
    if (this.#atEnd && scrollHeight !== this.#height) return this.#stick();
    this.#height = scrollHeight;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.#atEnd) this.#readIfSeen();
    return undefined;
  }

  #stick() {
    this.#height = this.scroller.scrollHeight;
    this.scroller.scrollTop = this.#height;
  }

  /** Much was said meanwhile: begin where one stopped reading. */
  #showUnread() {
    const line = this.#list.querySelector(".new-line");
    if (!line || line.offsetTop >= this.scroller.scrollTop) return;
    this.#atEnd = false;
    this.scroller.scrollTop = line.offsetTop - ABOVE_UNREAD_PX;
    this.toEnd.hidden = false;
  }

  #readIfSeen() {
    if (!this.#atEnd || document.hidden) return;
    this.toEnd.hidden = true;
    this.#chat.read(this.#room.id);
  }
}

function together(before, event) {
  return before?.op === "message" && before.user.id === event.user.id && event.ts - before.ts < TOGETHER_MS;
}

function dayItem(ts) {
  return h("li", { class: "day" }, h("time", { datetime: new Date(ts).toISOString().slice(0, 10), say: () => dayName(ts) }));
}

function memberItem(event) {
  return h("li", { class: "event" },
    h("span", { say: [`member.${event.change}`, { name: event.user?.name ?? "?" }] }), " ", clock(event.ts));
}

function clock(ts) {
  return h("time", { datetime: new Date(ts).toISOString(), say: () => timeOfDay(ts), saying: { title: () => fullDate(ts) } });
}

function body(text) {
  const pieces = linkify(text).map((piece) =>
    piece.href ? h("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer nofollow" }, piece.text) : piece.text);
  return h("p", { class: "text", dir: "auto" }, pieces);
}

function spoken(event) {
  const text = event.text || t("messages.file_only");
  return `${event.user.name}: ${[...text].slice(0, ANNOUNCED_LETTERS).join("")}`;
}
