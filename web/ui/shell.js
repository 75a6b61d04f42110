/** The chat's frame: rooms at the side, what was chosen in the main part, the state of the connection above. */

import { accountView } from "./account.js";
import { Alerts } from "./alerts.js";
import { alarm } from "./announce.js";
import { Challenge } from "./challenge.js";
import { fill, h } from "./dom.js";
import { banned, sentence } from "./problems.js";
import { closeWord } from "../core/closing.js";
import { roomName } from "./marks.js";
import { RoomView } from "./room.js";
import { roomsView, unreadTotal, welcomeView } from "./rooms.js";
import { Search } from "./search.js";
import { bind, t } from "./speech.js";

const QUIET_MS = 1_500;

export class Shell {
  #context;
  #rooms;
  #main = h("main", { id: "main", tabindex: "-1" });
  #status = h("div", { class: "status", role: "status", hidden: true });
  #alerts;
  #challenge;
  #view = null;
  #place = "welcome";
  #drawing = false;
  #late = null;
  #seq = null;

  /** `context`: everything that views need; see app.js. */
  constructor(context) {
    this.#context = { ...context, drafts: new Map(), left: () => context.go("") };
    const go = (room) => context.go(`room/${room}`);
    this.#context.search = new Search({ chat: context.chat, open: (room, seq) => this.#openAt(room, seq) });
    const guard = (work) => work().catch((error) => alarm(sentence(error)));
    this.#context.openRoom = go;
    this.#rooms = roomsView({ chat: context.chat, session: context.session, search: this.#context.search, go, guard });
    this.#alerts = new Alerts(context);
    this.#challenge = new Challenge(context);
    this.#context.looked = () => this.#alerts.look({ soon: true });
    this.element = h("div", { class: "shell", "data-pane": "list" }, this.#rooms.element,
      h("div", { class: "stage" }, h("div", {}, this.#status, this.#challenge.element, this.#alerts.element), this.#main));
    const { chat, link, session } = context;
    chat.addEventListener("rooms", () => this.#drawSoon());
    chat.addEventListener("invitations", ({ detail }) => this.#invited(detail.notice));
    chat.addEventListener("log", ({ detail }) => detail.room === this.#place && this.#view?.logChanged(detail));
    chat.addEventListener("members", ({ detail }) => detail.room === this.#place && this.#view?.membersChanged());
    chat.addEventListener("passing", ({ detail }) => detail.room === this.#place && this.#view?.passed(detail.what));
    chat.addEventListener("connected", () => {
      this.#view?.cameBack();
      this.#alerts.look();
    });
    chat.addEventListener("put_out", ({ detail }) => this.#wasPutOut(detail));
    link.addEventListener("status", ({ detail }) => this.#drawStatus(detail));
    session.addEventListener("profile", () => {
      this.#drawSoon();
      if (this.#place === "welcome") this.#welcome();
    });
  }

  /** `where`: "", "account" or a part of it, or "room/<id>". */
  show(where) {
    const room = where.startsWith("room/") ? where.slice(5) : null;
    this.#leaveView();
    this.element.dataset.pane = where === "" ? "list" : "main";
    if (room) this.#openRoom(room);
    else if (/^account(\/|$)/.test(where)) this.#account(where.slice(8));
    else this.#welcome();
    this.#draw();
  }

  /** Somebody looks at the page again. */
  seen() {
    this.#view?.seen();
    this.#alerts.look();
  }

  /** The language has changed: names that are made of words, and their order, with it. */
  redraw() {
    this.#drawSoon();
  }

  stop() {
    this.#leaveView();
    this.#challenge.stop();
    clearTimeout(this.#late);
  }

  focusMain() {
    (this.#main.querySelector("h1") ?? this.#main).focus();
  }

  #leaveView() {
    this.#view?.stop();
    this.#view = null;
  }

  /** A place in a room's history: the room is opened for it where it is not open. */
  #openAt(room, seq) {
    if (this.#view?.id === room) {
      this.#view.goTo(seq);
    } else {
      this.#seq = seq;
      this.#context.openRoom(room);
    }
  }

  #openRoom(id) {
    this.#place = id;
    const room = this.#context.chat.rooms.get(id);
    if (!room?.kind) {
      if (this.#context.chat.ready) this.#tellGone("room.not_here");
      else fill(this.#main, h("p", { class: "nothing", say: "loading" }));
      return;
    }
    this.#view = new RoomView(this.#context, room);
    fill(this.#main, this.#view.element);
    this.#view.start(this.#seq);
    this.#seq = null;
  }

  #account(part) {
    this.#place = "account";
    fill(this.#main, accountView(this.#context, part));
    this.focusMain();
  }

  #welcome() {
    this.#place = "welcome";
    fill(this.#main, welcomeView({ chat: this.#context.chat, session: this.#context.session, go: this.#context.openRoom }));
  }

  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw() {
    const { chat } = this.#context;
    this.#rooms.draw(this.#place);
    if (this.#view && chat.rooms.get(this.#view.id)) this.#view.describe();
    else if (this.#place.startsWith("r") && !this.#view && chat.rooms.get(this.#place)?.kind) this.show(`room/${this.#place}`);
    else if (this.#place.startsWith("r") && (this.#view || chat.ready) && !chat.rooms.has(this.#place)) this.#gone();
    const unread = unreadTotal(chat);
    document.title = unread > 0 ? `(${unread}) Garita` : "Garita";
  }

  /** The room that is open is not ours any more. */
  #gone() {
    if (!this.#view && this.#main.querySelector(".nothing a")) return;
    this.#leaveView();
    this.#tellGone("room.not_here");
  }

  #tellGone(what) {
    const line = h("p");
    bind(line, "text", what);
    fill(this.#main, h("div", { class: "nothing" }, line, h("p", {}, h("a", { href: "#/", say: "rooms.back" }))));
  }

  #wasPutOut({ room, change }) {
    const told = [`put_out.${change}`, { title: roomName(room) }];
    alarm(t(...told));
    if (this.#place !== room.id) return;
    this.#leaveView();
    this.#tellGone(told);
  }

  #invited(notice) {
    this.#drawSoon();
    if (notice?.kind === "invited") alarm(t("invitation", { title: notice.room.title ?? "" }));
  }

  /** A short break is nobody's worry; a longer one and an end are told. */
  #drawStatus(status) {
    clearTimeout(this.#late);
    const show = () => {
      this.#status.hidden = false;
      this.#status.className = status.state === "ended" ? "status ended" : "status";
      fill(this.#status, this.#statusParts(status));
    };
    if (status.state === "online") this.#status.hidden = true;
    else if (status.state === "ended" || !this.#status.hidden) show();
    else if (status.state !== "stopped") this.#late = setTimeout(show, QUIET_MS);
  }

  #statusParts({ state, code, until, reason, appeal }) {
    const word = closeWord(code);
    const text = h("span");
    bind(text, "text", () => [
      t(`status.${state}`), word ? t(word) : "", code === 4503 ? banned({ reason, until, appeal }) : "",
    ].filter(Boolean).join(" "));
    const now = () => (state === "ended" ? location.reload() : this.#context.link.hurry());
    const button = ["ended", "waiting", "unseen"].includes(state)
      && h("button", { type: "button", class: "quiet small", say: "status.try", on: { click: now } });
    return [text, button];
  }
}
