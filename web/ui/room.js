/** One room: its name and doings, its messages, its members, and the place to write. */

import { SMALL_ROOM } from "../state/chat.js";
import { announce } from "./announce.js";
import { Composer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { membersView } from "./members.js";
import { messageDeeds } from "./messagemenu.js";
import { Messages } from "./messages.js";
import { isModerator, roomSettings } from "./moderation.js";
import { roomMark, roomName } from "./marks.js";
import { inviteTo, leaveRoom } from "./roomdialogs.js";
import { bind, t } from "./speech.js";

const MOST_NAMES = 3;
/** Who writes is seen at once, but spoken only so often. */
const SPOKEN_EVERY_MS = 30_000;

export class RoomView {
  #context;
  #room;
  #messages;
  #composer;
  #members = null;
  #name = h("bdi");
  #mark = h("span", { class: "mark-place" });
  #here = h("span", { class: "here-dot", hidden: true, role: "img", saying: { "aria-label": "presence.here", title: "presence.here" } });
  #topic = h("p", { class: "topic", dir: "auto" });
  #typing = h("p", { class: "typing" });
  #typingEnds = null;
  #typingSpoken = -SPOKEN_EVERY_MS;
  #invite;
  #settings;
  #toggle;

  /** `context`: chat, link, memory, files, drafts, search, and `left()` for when one has gone. */
  constructor(context, room) {
    this.#context = context;
    this.#room = room;
    const { chat, files } = context;
    const deeds = messageDeeds({ chat, room, files, composer: () => this.#composer });
    this.#messages = new Messages({ chat, room, deeds });
    this.#composer = new Composer({ ...context, room, editLast: () => this.#editLast() });
    this.#invite = iconButton("invite", "invite.title", () => inviteTo(chat, room));
    this.#settings = iconButton("gear", "settings.title", () => roomSettings(chat, room));
    this.#toggle = iconButton("people", "members.title", () => this.#toggleMembers(), { "aria-expanded": "false" });
    const search = iconButton("seek", "search.title", () => context.search.show(room));
    const leave = iconButton("door", "leave.title", async () => {
      if (await leaveRoom(chat, room)) context.left();
    });
    this.heading = h("h1", { tabindex: "-1" }, this.#name);
    this.body = h("div", { class: "room-body" },
      h("div", { class: "talk", on: { dragover: (event) => event.preventDefault(), drop: (event) => this.#dropped(event) } },
        this.#messages.element, this.#typing, this.#composer.element));
    this.element = h("div", { class: "room-view" },
      h("header", { class: "bar" },
        h("a", { href: "#/", class: "icon-button back", saying: { "aria-label": "rooms.back" } }, icon("back")),
        this.#mark,
        h("div", { class: "names" }, h("div", { class: "heading-line" }, this.heading, this.#here), this.#topic),
        search, this.#settings, this.#invite, this.#toggle, leave),
      this.body);
    this.describe();
  }

  get id() {
    return this.#room.id;
  }

  /** Call once the element stands in the page. `at`: the event to show, or null for where one stopped reading. */
  start(at = null) {
    this.#messages.start();
    this.#learnPeople();
    this.passed("typing");
    if (at !== null) this.goTo(at);
    // On a telephone the keyboard would cover half of the room.
    else if (matchMedia("(hover: none) and (pointer: coarse)").matches) this.heading.focus();
    else this.#composer.focus();
  }

  stop() {
    clearTimeout(this.#typingEnds);
    this.#messages.stop();
    this.#members?.stop();
    this.#composer.stop();
  }

  goTo(seq) {
    this.#messages.jumpTo(seq);
  }

  describe() {
    const room = this.#room;
    bind(this.#name, "text", () => roomName(room));
    this.#mark.replaceChildren(roomMark(room));
    this.#topic.textContent = room.topic;
    this.#topic.hidden = !room.topic;
    this.#invite.hidden = room.kind !== "private" || !isModerator(room);
    this.#settings.hidden = !isModerator(room);
    this.#toggle.hidden = room.kind === "direct";
    this.#composer.mayWrite(room.role !== "muted");
  }

  logChanged(detail) {
    this.#messages.changed(detail);
  }

  membersChanged() {
    this.#members?.refresh();
    if (this.#room.members <= SMALL_ROOM) this.#messages.drawReceipt();
  }

  /** Something was said in passing: `what` is typing, marks or presence. */
  passed(what) {
    if (what === "typing") this.#drawTyping();
    else if (what === "marks") this.#messages.drawReceipt();
    else {
      this.#here.hidden = !(this.#room.peer && this.#room.passing.here.has(this.#room.peer.id));
      this.#members?.drawPresence();
    }
  }

  seen() {
    this.#messages.seen();
  }

  /** The link stands anew: what was said in passing meanwhile was missed. */
  cameBack() {
    this.#learnPeople();
    this.#members?.refresh();
  }

  /** Marks and presence of a small room; afterwards they come as pushes. */
  async #learnPeople() {
    const { chat } = this.#context;
    if (this.#room.members > SMALL_ROOM) return;
    try {
      await chat.members(this.#room.id);
      if (this.#room.kind === "direct") await chat.presence(this.#room.id, [null]);
    } catch {
      // Only the receipts and the dot are missing; the next connection asks again.
    }
  }

  #editLast() {
    const last = this.#messages.lastOwn();
    const picture = last && this.#room.log.picture(last, this.#context.chat.user.id);
    if (!picture?.text) return false;
    this.#composer.edit(last, picture);
    return true;
  }

  #drawTyping() {
    clearTimeout(this.#typingEnds);
    const now = performance.now();
    const { names, ms } = this.#room.passing.writing(now);
    const line = () => typingText(names);
    bind(this.#typing, "text", line);
    if (names.length === 0) return;
    this.#typingEnds = setTimeout(() => this.#drawTyping(), ms + 1);
    if (now - this.#typingSpoken < SPOKEN_EVERY_MS) return;
    this.#typingSpoken = now;
    announce(line());
  }

  #toggleMembers() {
    if (this.#members) {
      this.#members.stop();
      this.#members.element.remove();
      this.#members = null;
      this.#toggle.focus();
    } else {
      this.#members = membersView({ chat: this.#context.chat, room: this.#room, close: () => this.#toggleMembers() });
      this.body.append(this.#members.element);
      this.#members.focus();
    }
    this.#toggle.setAttribute("aria-expanded", String(this.#members !== null));
  }

  #dropped(event) {
    event.preventDefault();
    this.#composer.addFiles([...(event.dataTransfer?.files ?? [])]);
  }
}

function typingText(names) {
  if (names.length === 0) return "";
  if (names.length > MOST_NAMES) return t("typing.many");
  return t(`typing.${["one", "two", "three"][names.length - 1]}`, { a: names[0], b: names[1] ?? "", c: names[2] ?? "" });
}
