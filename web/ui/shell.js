/** The chat's frame: rooms at the side, what was chosen in the main part, the state of the connection above. */

import { accountView } from "./account.js";
import { alarm } from "./announce.js";
import { fill, h } from "./dom.js";
import { banned, sentence } from "./problems.js";
import { closeWord } from "../core/closing.js";
import { RoomView } from "./room.js";
import { roomsView, unreadTotal, welcomeView } from "./rooms.js";
import { bind, t } from "./speech.js";

const QUIET_MS = 1_500;

export class Shell {
  #context;
  #rooms;
  #main = h("main", { id: "main", tabindex: "-1" });
  #status = h("div", { class: "status", role: "status", hidden: true });
  #view = null;
  #place = "welcome";
  #drawing = false;
  #late = null;

  /** `context`: everything that views need; see app.js. */
  constructor(context) {
    this.#context = { ...context, drafts: new Map(), left: () => context.go("") };
    const go = (room) => context.go(`room/${room}`);
    const guard = (work) => work().catch((error) => alarm(sentence(error)));
    this.#context.openRoom = go;
    this.#rooms = roomsView({ chat: context.chat, session: context.session, go, guard });
    this.element = h("div", { class: "shell", "data-pane": "list" }, this.#rooms.element, h("div", { class: "stage" }, this.#status, this.#main));
    const { chat, link, session } = context;
    chat.addEventListener("rooms", () => this.#drawSoon());
    chat.addEventListener("invitations", ({ detail }) => this.#invited(detail.notice));
    chat.addEventListener("log", ({ detail }) => detail.room === this.#place && this.#view?.logChanged(detail));
    chat.addEventListener("members", ({ detail }) => detail.room === this.#place && this.#view?.membersChanged());
    link.addEventListener("status", ({ detail }) => this.#drawStatus(detail));
    session.addEventListener("profile", () => {
      this.#drawSoon();
      if (this.#place === "welcome") this.#welcome();
    });
  }

  /** `where`: "", "account" or "room/<id>". */
  show(where) {
    const room = where.startsWith("room/") ? where.slice(5) : null;
    this.#leaveView();
    this.element.dataset.pane = where === "" ? "list" : "main";
    if (room) this.#openRoom(room);
    else if (where === "account") this.#account();
    else this.#welcome();
    this.#draw();
  }

  /** Somebody looks at the page again. */
  seen() {
    this.#view?.seen();
  }

  /** The language has changed: names that are made of words, and their order, with it. */
  redraw() {
    this.#drawSoon();
  }

  stop() {
    this.#leaveView();
    clearTimeout(this.#late);
  }

  focusMain() {
    (this.#main.querySelector("h1") ?? this.#main).focus();
  }

  #leaveView() {
    this.#view?.stop();
    this.#view = null;
  }

  #openRoom(id) {
    this.#place = id;
    const room = this.#context.chat.rooms.get(id);
    if (!room?.kind) {
      fill(this.#main, h("p", { class: "nothing", say: this.#context.chat.ready ? "room.not_here" : "loading" }));
      return;
    }
    this.#view = new RoomView(this.#context, room);
    fill(this.#main, this.#view.element);
    this.#view.start();
  }

  #account() {
    this.#place = "account";
    fill(this.#main, accountView(this.#context));
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
    this.#leaveView();
    fill(this.#main, h("p", { class: "nothing", say: "room.not_here" }));
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
