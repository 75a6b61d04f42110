/**
 * Where a message is written: text, files that are already on their way while one writes, and how it was typed. It may answer another
 * message, or be another text for one of one's own.
 *
 * Enter sends, Shift+Enter makes a new line; on a telephone's keyboard Enter makes a new line and the button sends.
 */

import { Composition } from "../core/compose.js";
import { utf8Bytes } from "../core/people.js";
import { upload } from "../net/files.js";
import { alarm } from "./announce.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { quoted } from "./message.js";
import { sentence } from "./problems.js";
import { bind, sizeText, t } from "./speech.js";

const MOST_FILES = 10;
const TEXT_BYTES = 8192;
const FILE_BYTES = 25 * 1024 * 1024;

export class Composer {
  #chat;
  #link;
  #room;
  #memory;
  #composition = new Composition();
  #uploads = new Set();
  #sending = false;
  #answered = null;
  #edited = null;
  #editLast;
  #about = h("div", { class: "about-message", hidden: true });
  #chips = h("ul", { class: "chips", saying: { "aria-label": "files.title" } });
  #trouble = h("p", { class: "trouble", role: "alert", hidden: true });

  /** `editLast()`: begins to edit the newest message of one's own. */
  constructor({ chat, link, room, memory, drafts, editLast }) {
    this.#chat = chat;
    this.#link = link;
    this.#room = room;
    this.#memory = memory;
    this.#editLast = editLast;
    this.text = h("textarea", {
      id: "compose", rows: 1, name: "text", autocomplete: "off", "aria-describedby": "compose-hint", value: drafts.get(room.id) ?? "",
      on: {
        input: (event) => {
          this.#composition.note(event.inputType ?? "insertText", performance.now());
          if (!this.#edited) {
            drafts.set(room.id, this.text.value);
            if (this.text.value.trim()) chat.marks.typing(room.id);
          }
          this.#tell(null);
        },
        keydown: (event) => this.#key(event),
        paste: (event) => this.#pasted(event),
      },
    });
    bind(this.text, "placeholder", "compose.placeholder");
    this.#chips.hidden = true;
    this.picker = h("input", { type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", on: { change: () => this.#picked() } });
    this.button = h("button", { type: "submit", class: "send", saying: { "aria-label": "compose.send", title: "compose.send" } }, icon("send"));
    this.element = h("form", { class: "composer", on: { submit: (event) => this.#submit(event) } },
      this.#about, this.#chips, this.#trouble,
      h("div", { class: "line" },
        iconButton("attach", "compose.attach", () => this.picker.click()), this.picker,
        h("label", { for: "compose", class: "unseen", say: "compose.label" }), this.text, this.button),
      h("p", { class: "hint", id: "compose-hint", say: "compose.hint" }));
    this.drafts = drafts;
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  /** What is written next answers this message. */
  answer(event, picture) {
    this.#leaveMessage();
    this.#answered = event;
    this.#showAbout("reply.to", event, picture);
  }

  /** Another text for one's own message; what had been written meanwhile comes back afterwards. */
  edit(event, picture) {
    this.#leaveMessage();
    this.#edited = event;
    this.text.value = picture.text;
    this.#showAbout("edit.of", event, picture);
    this.text.setSelectionRange(picture.text.length, picture.text.length);
  }

  #showAbout(word, event, picture) {
    fill(this.#about, h("div", {}, h("strong", { say: word }), " ", quoted(event, picture)), iconButton("close", "cancel", () => this.#leaveMessage()));
    this.#about.hidden = false;
    this.focus();
  }

  #leaveMessage() {
    if (this.#edited) this.text.value = this.drafts.get(this.#room.id) ?? "";
    this.#answered = null;
    this.#edited = null;
    this.#about.hidden = true;
    this.#tell(null);
    this.focus();
  }

  /** Whoever is muted reads only. */
  mayWrite(may) {
    this.text.disabled = !may;
    this.button.disabled = !may;
    bind(this.text, "placeholder", may ? "compose.placeholder" : "compose.muted");
  }

  /** Files dropped on the room, picked, or pasted. */
  addFiles(files) {
    for (const file of files) this.#add(file);
    this.focus();
  }

  stop() {
    for (const one of this.#uploads) one.abort.abort(new DOMException("left", "AbortError"));
  }

  #key(event) {
    if (event.key === "Escape" && !this.#about.hidden) {
      event.preventDefault();
      this.#leaveMessage();
    } else if (event.key === "ArrowUp" && this.text.value === "" && this.#about.hidden) {
      if (this.#editLast()) event.preventDefault();
    }
    const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (!plain || matchMedia("(hover: none) and (pointer: coarse)").matches) return;
    event.preventDefault();
    this.element.requestSubmit();
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.addFiles(files);
  }

  #picked() {
    this.addFiles([...this.picker.files]);
    this.picker.value = "";
  }

  #add(file) {
    if (this.#uploads.size >= MOST_FILES) return this.#tell(["files.too_many", { count: MOST_FILES }]);
    if (file.size === 0) return this.#tell(["files.empty", { name: file.name }]);
    const most = this.#link.limits?.file_bytes ?? FILE_BYTES;
    if (file.size > most) return this.#tell(() => t("files.too_large", { name: file.name, size: sizeText(most) }));
    const one = { file, abort: new AbortController(), done: null, result: null };
    one.bar = h("progress", { max: file.size, value: 0, saying: { "aria-label": ["files.sending", { name: file.name }] } });
    one.state = h("span", { class: "hint", say: () => sizeText(file.size) });
    one.chip = h("li", { class: "chip-file" }, icon("file"),
      h("div", {}, h("bdi", { class: "file-name" }, file.name), one.state, one.bar),
      iconButton("close", ["files.remove", { name: file.name }], () => this.#removeUpload(one)));
    this.#uploads.add(one);
    this.#chips.append(one.chip);
    this.#chips.hidden = false;
    one.done = this.#send(one);
    return undefined;
  }

  /** Resolves to whether the file is there; a failure is told on the chip. */
  async #send(one) {
    try {
      one.result = await upload(this.#link, {
        room: this.#room.id, file: one.file, signal: one.abort.signal,
        progress: (bytes) => {
          one.bar.value = bytes;
        },
      });
      one.chip.classList.add("done");
      bind(one.state, "text", () => `${sizeText(one.file.size)} · ${t("files.ready")}`);
      return true;
    } catch (error) {
      if (one.abort.signal.aborted) return false;
      one.bar.hidden = true;
      bind(one.state, "text", () => sentence(error));
      one.state.className = "trouble";
      alarm(sentence(error));
      return false;
    }
  }

  #removeUpload(one) {
    one.abort.abort(new DOMException("removed", "AbortError"));
    this.#uploads.delete(one);
    one.chip.remove();
    this.#chips.hidden = this.#uploads.size === 0;
    this.focus();
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#sending) return;
    const text = this.text.value.trim();
    if (!text && this.#uploads.size === 0) return;
    if (utf8Bytes(text) > TEXT_BYTES) return this.#tell("compose.too_long");
    if (this.#edited) return this.#saveEdit(text);
    this.#sending = true;
    this.#busy(true);
    const uploads = [...this.#uploads];
    const arrived = await Promise.all(uploads.map((one) => one.done));
    this.#sending = false;
    this.#busy(false);
    if (arrived.includes(false)) return this.#tell("files.failed");
    this.#say(text, uploads.map((one) => one.result));
    for (const one of uploads) this.#uploads.delete(one), one.chip.remove();
    this.#chips.hidden = this.#uploads.size === 0;
    return undefined;
  }

  async #saveEdit(text) {
    if (!text) return;
    this.#sending = true;
    this.#busy(true);
    try {
      await this.#chat.deeds.edit(this.#room.id, this.#edited.mid, text);
      this.#leaveMessage();
    } catch (error) {
      this.#tell(() => sentence(error));
    } finally {
      this.#sending = false;
      this.#busy(false);
    }
  }

  #say(text, files) {
    const compose = this.#memory.read("rhythm") === false ? null : this.#composition.summary(performance.now());
    this.#chat.sender.send({ room: this.#room.id, text, files, replyTo: this.#answered?.mid ?? null, compose });
    this.#chat.marks.said(this.#room.id);
    this.#composition = new Composition();
    this.text.value = "";
    this.drafts.delete(this.#room.id);
    this.#leaveMessage();
  }

  #busy(is) {
    this.text.readOnly = is;
    if (is) this.button.setAttribute("aria-busy", "true");
    else this.button.removeAttribute("aria-busy");
  }

  #tell(what) {
    this.#trouble.hidden = what === null;
    if (what !== null) bind(this.#trouble, "text", what);
  }
}
