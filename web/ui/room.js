/** One room: its name and doings, its messages, its members, and the place to write. */

import { Composer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { membersView } from "./members.js";
import { Messages } from "./messages.js";
import { roomMark, roomName } from "./marks.js";
import { inviteTo, leaveRoom } from "./roomdialogs.js";
import { bind } from "./speech.js";

const MAY_INVITE = ["owner", "moderator"];

export class RoomView {
  #context;
  #room;
  #messages;
  #composer;
  #members = null;
  #name = h("bdi");
  #mark = h("span", { class: "mark-place" });
  #topic = h("p", { class: "topic", dir: "auto" });
  #invite;
  #toggle;

  /** `context`: chat, link, memory, files, drafts, and `left()` for when one has gone. */
  constructor(context, room) {
    this.#context = context;
    this.#room = room;
    this.#messages = new Messages({ chat: context.chat, room, files: context.files });
    this.#composer = new Composer({ ...context, room });
    this.#invite = iconButton("invite", "invite.title", () => inviteTo(context.chat, room));
    this.#toggle = iconButton("people", "members.title", () => this.#toggleMembers(), { "aria-expanded": "false" });
    const leave = iconButton("door", "leave.title", async () => {
      if (await leaveRoom(context.chat, room)) context.left();
    });
    this.heading = h("h1", { tabindex: "-1" }, this.#name);
    this.body = h("div", { class: "room-body" },
      h("div", { class: "talk", on: { dragover: (event) => event.preventDefault(), drop: (event) => this.#dropped(event) } },
        this.#messages.element, this.#composer.element));
    this.element = h("div", { class: "room-view" },
      h("header", { class: "bar" },
        h("a", { href: "#/", class: "icon-button back", saying: { "aria-label": "rooms.back" } }, icon("back")),
        this.#mark,
        h("div", { class: "names" }, this.heading, this.#topic),
        this.#invite, this.#toggle, leave),
      this.body);
    this.describe();
  }

  get id() {
    return this.#room.id;
  }

  /** Call once the element stands in the page. */
  start() {
    this.#messages.start();
    // On a telephone the keyboard would cover half of the room.
    if (matchMedia("(hover: none) and (pointer: coarse)").matches) this.heading.focus();
    else this.#composer.focus();
  }

  stop() {
    this.#messages.stop();
    this.#composer.stop();
  }

  describe() {
    const room = this.#room;
    bind(this.#name, "text", () => roomName(room));
    this.#mark.replaceChildren(roomMark(room));
    this.#topic.textContent = room.topic;
    this.#topic.hidden = !room.topic;
    this.#invite.hidden = room.kind !== "private" || !MAY_INVITE.includes(room.role);
    this.#toggle.hidden = room.kind === "direct";
  }

  logChanged(detail) {
    this.#messages.changed(detail);
  }

  membersChanged() {
    this.#members?.refresh();
  }

  seen() {
    this.#messages.seen();
  }

  #toggleMembers() {
    if (this.#members) {
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
