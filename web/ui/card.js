/** One card of the account's page: a title that takes the focus after each deed, a line about what was done, and what `show` puts below. */

import { announce } from "./announce.js";
import { fill, h, newId } from "./dom.js";
import { bind } from "./speech.js";

export class Card {
  #heading;
  #note = h("p", { class: "note", hidden: true });

  constructor(title) {
    const id = newId("card");
    this.#heading = h("h2", { id, tabindex: "-1", say: title });
    this.element = h("section", { class: "card", "aria-labelledby": id });
    this.show(h("p", { class: "hint", say: "loading" }));
  }

  show(...children) {
    fill(this.element, this.#heading, this.#note, ...children);
  }

  /** What was done: shown, spoken, and the focus on the title, because the button that was pressed may be gone. */
  tell(what) {
    bind(this.#note, "text", what);
    this.#note.hidden = false;
    announce(this.#note.textContent);
    this.#heading.focus();
  }

  hush() {
    this.#note.hidden = true;
  }
}

/** One line of a card's list: `about` what it is, then its buttons. */
export function entry(about, ...buttons) {
  const there = buttons.filter(Boolean);
  return h("li", {}, h("div", { class: "about" }, about), there.length > 0 && h("div", { class: "actions" }, there));
}

/** A small button of an entry; `label`: its whole name for those who hear it without the entry around it. */
export function entryButton(say, label, click) {
  return h("button", { type: "button", class: "quiet small", say, saying: label ? { "aria-label": label } : {}, on: { click } });
}
