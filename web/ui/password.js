/** Changing the password. */

import { Card } from "./card.js";
import { h } from "./dom.js";
import { FieldTrouble, fieldsOnly, form, passwordField } from "./forms.js";
import { fullDate, t } from "./speech.js";

export function passwordCard(own) {
  const card = new Card("password.title");
  const send = async (current, fresh) => {
    if (!current.input.value) throw new FieldTrouble(current, "password.missing");
    if (!fresh.input.value) throw new FieldTrouble(fresh, "password.missing");
    const answer = await own.send("PUT", "/me/password", { current: current.input.value, new: fresh.input.value });
    card.draw();
    card.tell(() => (answer.ends_ms ? t("password.done_asked", { date: fullDate(answer.ends_ms) }) : t("password.done")));
    await own.refresh();
  };
  const drawForm = () => {
    const current = passwordField({ name: "current", word: "password.current", autocomplete: "current-password" });
    const fresh = passwordField({ name: "new", word: "password.new", hint: "register.password_hint", autocomplete: "new-password" });
    const handle = (error) => {
      if (error.code === "invalid_credentials") {
        current.fail("stepup.wrong_password");
        current.input.select();
      } else if (error.code === "weak_password") fresh.fail(() => (error.reasons.length ? error.reasons : ["guessable"]).map((reason) => t(`weak.${reason}`)).join(" "));
      else return fieldsOnly(error);
      return true;
    };
    card.hush();
    card.show(h("p", { class: "hint", say: "password.lead" }), form({
      // The name is for the browser's own keeper of passwords.
      rows: [h("input", { type: "text", autocomplete: "username", value: own.profile.username, readOnly: true, hidden: true }), current.row, fresh.row],
      submit: "password.change", work: () => send(current, fresh), handle,
      others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: () => card.draw() } })],
    }).element);
    current.input.focus();
  };
  card.draw = () => card.show(
    h("p", { say: "password.hint" }),
    h("button", { type: "button", class: "quiet", say: "password.change", on: { click: drawForm } }));
  return card;
}
