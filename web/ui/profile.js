/** One's names, language and typing rhythm, and the way out. */

import { Card } from "./card.js";
import { h } from "./dom.js";
import { languageSwitch } from "./entrance.js";
import { dayName } from "./speech.js";

export function profileCard(own) {
  const card = new Card("account.profile");
  const rhythm = h("input", {
    type: "checkbox", id: "rhythm", checked: own.memory.read("rhythm") !== false, "aria-describedby": "rhythm-hint",
    on: { change: () => own.memory.write("rhythm", rhythm.checked) },
  });
  const leave = own.guard(() => own.session.logout("this"));
  card.draw = () => {
    const { username, display_name: name, created_ms: created, roles } = own.profile;
    const facts = [["register.username", username], ["register.display", name], ["account.roles", roles.join(", ")]];
    card.show(
      h("dl", {},
        facts.filter(([, value]) => value).map(([word, value]) => h("div", {}, h("dt", { say: word }), h("dd", {}, value))),
        h("div", {}, h("dt", { say: "account.since" }), h("dd", { say: () => dayName(created) }))),
      h("div", { class: "row" }, h("span", { say: "language" }), languageSwitch()),
      h("div", { class: "row" },
        h("div", {}, h("label", { for: "rhythm", say: "rhythm.label" }), h("p", { class: "hint", id: "rhythm-hint", say: "rhythm.hint" })),
        rhythm),
      h("button", { type: "button", class: "primary", say: "logout", on: { click: leave } }));
  };
  return card;
}
