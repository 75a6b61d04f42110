/** The frame of everything before the chat: the picture, the mark, the language, and a card that the views fill. */

import { logo, scene } from "./art.js";
import { h } from "./dom.js";
import { LANGUAGES, bind, currentLanguage, setLanguage } from "./speech.js";

const NAMES = { en: "English", es: "Español" };

/** Buttons for the languages, each in its own language. */
export function languageSwitch() {
  const buttons = LANGUAGES.map((code) => {
    const button = h("button", { type: "button", class: "quiet", lang: code, on: { click: () => setLanguage(code) } }, NAMES[code]);
    bind(button, "aria-pressed", () => String(currentLanguage() === code));
    return button;
  });
  return h("div", { class: "languages", role: "group", saying: { "aria-label": "language" } }, buttons);
}

/** The whole page with a view's title and parts in the card. */
export function entrance({ title, lead = null, parts }) {
  return h("div", { class: "entrance" },
    h("div", { class: "vista" }, scene()),
    h("div", { class: "front" },
      h("header", { class: "brand" }, logo(), h("span", {}, "Garita"), languageSwitch()),
      h("main", { id: "main", tabindex: "-1" },
        h("h1", { tabindex: "-1", say: title }),
        lead && h("p", { class: "lead", say: lead }),
        parts),
      h("footer", { class: "foot", say: "tagline" })));
}

/** A bar for the proof of work: `show(share)`; it is hidden until it is needed. */
export function proofBar() {
  const bar = h("progress", { max: 1, value: 0 });
  const element = h("div", { class: "proof", hidden: true },
    h("label", {}, h("span", { say: "proof.working" }), bar));
  return {
    element,
    show(share) {
      bar.value = share;
      element.hidden = false;
    },
    hide() {
      element.hidden = true;
    },
  };
}
