/**
 * One room's events as a list: days, names, texts, files; what is still being sent stands below.
 *
 * The list grows at both ends without drawing the rest anew, keeps its place when older events come in above, and stays at the
 * bottom when it was there. It shows the stretch up to now, or an old place that somebody wanted to see.
 */

import { announce } from "./announce.js";
import { fill, h, icon } from "./dom.js";
import { SHOWN, dayItem, eventItem, newLine } from "./events.js";
import { MessageItem } from "./message.js";
import { protocolSentence } from "./problems.js";
import { bind, startOfDay, t } from "./speech.js";
import { receiptText, waitingItem } from "./waiting.js";

const TOGETHER_MS = 5 * 60_000;
const NEAR_END_PX = 80;
const ANNOUNCED_LETTERS = 200;
const AGAIN_MS = 5_000;
const ABOVE_UNREAD_PX = 60;
/** An answer's message is looked for in so many pages; further back search is the way. */
const JUMP_PAGES = 20;

export class Messages {
  #chat;
  #room;
  #deeds;
  #list = h("ol", { class: "log", on: { keydown: (event) => this.#walk(event), focusin: (event) => this.#focused(event) } });
  #outbox = h("ol", { class: "log outbox" });
  #state = h("p", { class: "older", role: "status" });
  #receipt = h("p", { class: "receipt hint" });
  #newer = h("div", { class: "newer", "aria-hidden": "true" });
  #endWord = h("span");
  #items = new Map();
  #messages = new Map();
  #roving = null;
  #divider;
  #away = false;
  #atEnd = true;
  #news = false;
  #height = 0;
  #observer;
  #resize;

  /** `deeds`: what a message's own parts need; see MessageItem (`files`, `react`, `entries`). */
  constructor({ chat, room, deeds }) {
    this.#chat = chat;
    this.#room = room;
    this.#deeds = {
      ...deeds,
      picture: (event) => this.#stretch.picture(event, chat.user.id),
      find: (mid) => this.#find(mid),
      jump: (mid) => this.jumpToMessage(mid),
    };
    this.#divider = room.unread > 0 || room.someUnread ? room.read : null;
    this.#outbox.hidden = true;
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region", saying: { "aria-label": "messages.title" } },
      this.#state, this.#list, this.#newer, this.#outbox, this.#receipt);
    this.toEnd = h("button", { type: "button", class: "to-end", hidden: true, on: { click: () => this.scrollToEnd() } },
      icon("down"), this.#endWord);
    this.element = h("div", { class: "messages" }, this.scroller, this.toEnd);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#observer = new IntersectionObserver((seen) => this.#edges(seen), { root: this.scroller, rootMargin: "300px 0px 300px 0px" });
    this.#resize = new ResizeObserver(() => this.#atEnd && this.#stick());
  }

  get #stretch() {
    return this.#room.visit ?? this.#room.log;
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
    else if (change === "changed") this.#refresh(event);
    else if (change === "prepend") this.#prepend(events);
    else if (change === "grow") this.#grow(events);
    else if (change === "joined") this.#redrawInPlace();
    else if (change === "outbox") this.#drawOutbox();
    else this.#redraw();
    this.drawReceipt();
  }

  /** Somebody looks at the page again. */
  seen() {
    this.#readIfSeen();
  }

  async scrollToEnd() {
    this.#atEnd = true;
    this.#chat.visits.end(this.#room);
    this.#stick();
    this.#readIfSeen();
  }

  /** Shows the event `seq`, wherever in the history it is, and gives it the focus. */
  async jumpTo(seq) {
    this.#atEnd = false;
    try {
      await this.#chat.visits.go(this.#room, seq);
    } catch (error) {
      announce(protocolSentence(error.code));
      return;
    }
    const item = this.#items.get(seq)?.at(-1) ?? this.#list.lastElementChild;
    if (!item) return;
    item.scrollIntoView({ block: "center" });
    item.focus({ preventScroll: true });
    item.classList.add("found-here");
    setTimeout(() => item.classList.remove("found-here"), 2_000);
    this.#atEnd = this.#room.visit === null && this.#isNearEnd();
    if (!this.#atEnd) this.#offerEnd(false);
    else this.#readIfSeen();
  }

  /** Shows the message that another one answers. */
  async jumpToMessage(mid) {
    for (let page = 0; page < JUMP_PAGES && !this.#stretch.message(mid) && !this.#stretch.complete; page += 1) {
      try {
        await this.#chat.older(this.#room.id);
      } catch (error) {
        announce(protocolSentence(error.code));
        return;
      }
    }
    const found = this.#stretch.message(mid);
    if (found) await this.jumpTo(found.seq);
    else announce(t("reply.too_far"));
  }

  /** The newest message of one's own that still stands; null where there is none. */
  lastOwn() {
    const own = this.#room.log.events.findLast((event) => event.op === "message" && event.user.id === this.#chat.user.id
      && !this.#room.log.picture(event, this.#chat.user.id).deleted);
    return own ?? null;
  }

  /** What the others made of the newest message, where it is one's own. */
  drawReceipt() {
    const last = this.#room.log.events.findLast((event) => event.op === "message");
    const shown = last && last.user.id === this.#chat.user.id && !this.#room.visit;
    const { read, received, others } = shown ? this.#room.passing.seen(last.seq, this.#chat.user.id) : { others: 0 };
    bind(this.#receipt, "text", () => receiptText({ read, received, others, direct: this.#room.kind === "direct" }));
  }

  #find(mid) {
    const event = this.#stretch.message(mid) ?? this.#room.log.message(mid);
    return event && { event, picture: this.#stretch.picture(event, this.#chat.user.id) };
  }

  #redraw() {
    this.#items.clear();
    this.#messages.clear();
    const events = this.#shown(this.#stretch.events);
    fill(this.#list, events.flatMap((event, at) => this.#make(event, events[at - 1])));
    this.#drawOutbox();
    this.#drawState();
    this.#rove();
    if (this.#atEnd) this.#stick();
    this.#watchEdges();
    this.drawReceipt();
  }

  /** The same events as before with more around them: what one looks at stays where it is. */
  #redrawInPlace() {
    const top = this.scroller.scrollTop;
    const [seq, item] = [...this.#messages].find(([, { element }]) => element.offsetTop >= top) ?? [];
    const offset = item ? item.element.offsetTop - top : 0;
    this.#redraw();
    const same = this.#messages.get(seq);
    if (same) this.scroller.scrollTop = same.element.offsetTop - offset;
  }

  #shown(events) {
    return events.filter(({ op }) => SHOWN.includes(op));
  }

  #append(event) {
    if (this.#room.visit) {
      this.#offerEnd(event.op === "message");
      return;
    }
    const before = this.#shown(this.#room.log.events).at(-2);
    if (!this.#away && event.op === "message" && !isLookedAt()) this.#leaveMark(event.seq - 1);
    this.#list.append(...this.#make(event, before));
    this.#drawOutbox();
    this.#drawState();
    this.#rove();
    const mine = event.user?.id === this.#chat.user.id;
    if ((mine && event.op === "message") || this.#atEnd) this.scrollToEnd();
    else if (event.op === "message") this.#offerEnd(true);
    if (!mine && event.op === "message") announce(spoken(event));
  }

  /** Nobody looks: the line of what is new is drawn here. */
  #leaveMark(seq) {
    this.#away = true;
    this.#divider = seq;
    for (const line of this.#list.querySelectorAll(".new-line")) line.remove();
  }

  #grow(events) {
    const all = this.#shown(this.#stretch.events);
    for (const event of this.#shown(events)) this.#list.append(...this.#make(event, all[all.indexOf(event) - 1]));
    for (const event of events) this.#refresh(event);
    this.#watchEdges();
  }

  /** An edit, a deletion or a reaction: the message is drawn anew, and what one reads below it does not move. */
  #refresh({ of }) {
    const item = this.#messages.get(of);
    if (!item) return;
    const above = item.element.offsetTop < this.scroller.scrollTop;
    const height = item.element.offsetHeight;
    item.draw();
    for (const other of this.#messages.values()) if (other !== item) other.drawQuote();
    if (above && !this.#atEnd) this.scroller.scrollTop += item.element.offsetHeight - height;
    this.#rove();
  }

  #prepend(older) {
    const height = this.scroller.scrollHeight;
    const top = this.scroller.scrollTop;
    const fresh = this.#shown(older);
    const next = this.#shown(this.#stretch.events)[fresh.length];
    this.#list.prepend(...fresh.flatMap((event, at) => this.#make(event, fresh[at - 1])));
    if (next) this.#remake(next, fresh.at(-1));
    for (const item of this.#messages.values()) item.drawQuote();
    this.#drawState();
    this.#rove();
    this.scroller.scrollTop = top + this.scroller.scrollHeight - height;
    this.#watchEdges();
  }

  /** The places where more events are asked for may still be in sight, and the observer tells only of changes. */
  #watchEdges() {
    for (const edge of [this.#state, this.#newer]) {
      this.#observer.unobserve(edge);
      this.#observer.observe(edge);
    }
  }

  #edges(seen) {
    const reached = (edge) => seen.some(({ target, isIntersecting }) => target === edge && isIntersecting);
    if (reached(this.#state)) this.#older();
    if (reached(this.#newer) && this.#room.visit) this.#chat.visits.newer(this.#room).catch(() => setTimeout(() => this.#watchEdges(), AGAIN_MS));
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
    if (firstUnread) items.push(newLine());
    if (event.op === "message") items.push(this.#message(event, !newDay && !firstUnread && together(before, event)));
    else items.push(eventItem(event));
    this.#items.set(event.seq, items);
    return items;
  }

  #message(event, follows) {
    const item = new MessageItem(event, follows, this.#deeds);
    this.#messages.set(event.seq, item);
    return item.element;
  }

  // --- the messages' menus: one stop for the Tab key, the arrows go from message to message ---

  #buttons() {
    return [...this.#list.querySelectorAll(".more:not([hidden])")];
  }

  #rove(to = null) {
    const kept = this.#roving?.isConnected && !this.#roving.hidden && this.#roving === document.activeElement ? this.#roving : null;
    const chosen = to ?? kept ?? this.#buttons().at(-1) ?? null;
    if (this.#roving && this.#roving !== chosen) this.#roving.setAttribute("tabindex", "-1");
    chosen?.setAttribute("tabindex", "0");
    this.#roving = chosen;
  }

  #focused({ target }) {
    if (target.classList.contains("more")) this.#rove(target);
  }

  #walk(event) {
    if (!event.target.classList.contains("more")) return;
    const all = this.#buttons();
    const at = all.indexOf(event.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to]?.focus();
  }

  // --- what is not stored yet, and the list's own states ---

  #drawOutbox() {
    const entries = this.#room.visit ? [] : this.#chat.sender.waiting(this.#room.id);
    this.#outbox.hidden = entries.length === 0;
    fill(this.#outbox, entries.map((entry) => waitingItem(entry, this.#chat)));
    if (this.#atEnd) this.#stick();
  }

  #drawState() {
    const log = this.#stretch;
    if (log.complete && log.events.every((event) => event.op !== "message")) bind(this.#state, "text", "messages.none");
    else if (log.complete) bind(this.#state, "text", "messages.beginning");
    else bind(this.#state, "text", () => "");
  }

  async #older() {
    if (this.#stretch.complete) return;
    bind(this.#state, "text", "messages.loading");
    try {
      await this.#chat.older(this.#room.id);
    } catch (error) {
      bind(this.#state, "text", () => protocolSentence(error.code));
      setTimeout(() => this.#watchEdges(), AGAIN_MS);
    }
  }

  #isNearEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #scrolled() {
    const { scrollHeight } = this.scroller;
    // A picture that came in makes the list taller, and the browser tells that as scrolling: nobody has left the end.
    if (this.#atEnd && scrollHeight !== this.#height) return this.#stick();
    this.#height = scrollHeight;
    this.#atEnd = this.#room.visit === null && this.#isNearEnd();
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
    this.#offerEnd(true);
  }

  /** A way down. `news`: there is something that was not seen. */
  #offerEnd(news) {
    this.#news = this.#news || news;
    bind(this.#endWord, "text", this.#news ? "messages.newest" : "messages.to_end");
    this.toEnd.hidden = false;
  }

  #readIfSeen() {
    if (!this.#atEnd || !isLookedAt()) return;
    this.#away = false;
    this.toEnd.hidden = true;
    this.#news = false;
    this.#chat.read(this.#room.id);
  }
}

function isLookedAt() {
  return !document.hidden && document.hasFocus();
}

function together(before, event) {
  return before?.op === "message" && before.user.id === event.user.id && event.ts - before.ts < TOGETHER_MS;
}

function spoken(event) {
  const text = event.text || t("messages.file_only");
  return `${event.user.name}: ${[...text].slice(0, ANNOUNCED_LETTERS).join("")}`;
}
