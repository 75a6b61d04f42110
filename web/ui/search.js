/**
 * Looking for messages by their words, in this room or in all of one's own; a hit opens its place in the history.
 *
 * What was found is kept until something else is looked for, so that one can go from hit to hit.
 */

import { fill, h } from "./dom.js";
import { dialog, field } from "./forms.js";
import { personMark, roomName } from "./marks.js";
import { sentence } from "./problems.js";
import { bind, fullDate, t } from "./speech.js";

const MOST_LETTERS = 128;
const SHOWN_LETTERS = 240;
const BEFORE_LETTERS = 60;

export class Search {
  #chat;
  #open;
  #words = "";
  #everywhere = false;
  #hits = null;
  #next = null;
  #asked = 0;

  /** `open(room, seq)`: goes to a place. */
  constructor({ chat, open }) {
    this.#chat = chat;
    this.#open = open;
  }

  /** `room`: the one that is open, or null. */
  show(room) {
    return dialog({ title: "search.title", wide: true, content: (close) => this.#content(room, close) }).open();
  }

  #content(room, close) {
    const words = field({ name: "words", type: "search", word: "search.words", hint: "search.hint", maxlength: MOST_LETTERS, autocomplete: "off", value: this.#words });
    const scope = h("fieldset", { class: "scope", hidden: room === null }, h("legend", { class: "unseen", say: "search.where" }),
      this.#choice(false, "search.here", room), this.#choice(true, "search.everywhere", room));
    const state = h("p", { class: "hint", role: "status" });
    const list = h("ul", { class: "hits" });
    const more = h("button", { type: "button", class: "quiet", say: "more", hidden: true });
    const draw = () => {
      fill(list, (this.#hits ?? []).map((hit) => this.#item(hit, close)));
      more.hidden = this.#next === null;
      bind(state, "text", () => (this.#hits === null ? "" : t("search.count", { count: this.#hits.length })));
    };
    const load = async (from) => {
      const turn = ++this.#asked;
      bind(state, "text", "search.looking");
      try {
        const page = await this.#chat.deeds.search(this.#words, room && !this.#everywhere ? room.id : null, from);
        if (turn !== this.#asked) return;
        this.#hits = from ? [...this.#hits, ...page.hits] : page.hits;
        this.#next = page.next ?? null;
        draw();
      } catch (error) {
        if (turn === this.#asked) bind(state, "text", () => sentence(error));
      }
    };
    const begin = () => {
      this.#words = words.input.value.trim();
      this.#everywhere = scope.querySelector("input:checked").value === "all";
      this.#hits = null;
      this.#next = null;
      if (this.#words) load(null);
      else draw();
    };
    more.addEventListener("click", () => load(this.#next));
    scope.addEventListener("change", begin);
    draw();
    return [
      h("form", { class: "search", role: "search", on: { submit: (event) => { event.preventDefault(); begin(); } } },
        words.row, scope, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary", say: "search.submit" }))),
      state, list, more];
  }

  #choice(all, word, room) {
    return h("label", {}, h("input", { type: "radio", name: "where", value: all ? "all" : "here", checked: all === (this.#everywhere || room === null) }), " ", h("span", { say: word }));
  }

  #item(hit, close) {
    const room = this.#chat.rooms.get(hit.room);
    const go = () => {
      close();
      this.#open(hit.room, hit.seq);
    };
    return h("li", {}, h("button", { type: "button", class: "hit", on: { click: go } },
      personMark(hit.user),
      h("span", { class: "about" },
        h("span", { class: "hint" }, h("bdi", {}, hit.user.name), room && [" · ", h("bdi", {}, roomName(room))], " · ", h("time", { say: () => fullDate(hit.ts) })),
        h("span", { class: "hit-text", dir: "auto" }, marked(hit.text ?? "", this.#words)))));
  }
}

/** The part of a text around the first found word, with all of them marked. */
function marked(text, words) {
  const wanted = words.split(/[^\p{L}\p{N}]+/u).filter(Boolean).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (wanted.length === 0) return [text.slice(0, SHOWN_LETTERS)];
  const pattern = new RegExp(`(${wanted.join("|")})`, "giu");
  const first = Math.max(0, text.search(pattern) - BEFORE_LETTERS);
  const part = `${first > 0 ? "…" : ""}${text.slice(first, first + SHOWN_LETTERS)}${first + SHOWN_LETTERS < text.length ? "…" : ""}`;
  return part.split(pattern).map((piece, at) => (at % 2 === 1 ? h("mark", {}, piece) : piece));
}
