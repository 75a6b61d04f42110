/** Two-step login by an authenticator app: turning it on, replacing it, removing it. */

import { inFours } from "../core/people.js";
import { Card } from "./card.js";
import { h, icon } from "./dom.js";
import { FieldTrouble, codeField, copyButton, fieldsOnly, form, submitWhenComplete } from "./forms.js";
import { qrCode } from "./qr.js";
import { remove, removalTold } from "./removal.js";
import { fullDate, t } from "./speech.js";

export function totpCard(own) {
  const card = new Card("totp.title");
  const again = async (said) => {
    await own.refresh();
    card.draw();
    card.tell(said);
  };
  const begin = own.guard(async () => {
    const made = await own.change("POST", "/me/totp", {});
    if (made) enrol(made);
  });
  const away = (only) => own.guard(async () => {
    const removal = await remove(own, { path: "/me/totp", title: "totp.remove_title", lead: "totp.remove_lead", only });
    if (removal) await again(removalTold(removal));
  });
  const keep = (id) => own.guard(async () => (await own.keep(id)) && again("removal.kept"));
  const enrol = (made) => {
    const code = codeField({ word: "totp.code", hint: "totp.confirm_hint" });
    const work = async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      if (await own.change("POST", "/me/totp/confirm", { code: code.code() })) await again("totp.turned_on");
    };
    const handle = (error) => {
      if (error.code !== "code_invalid") return fieldsOnly(error);
      code.fail("totp.not_fitting");
      return true;
    };
    const confirmation = form({
      rows: [code.row], submit: "totp.confirm", work, handle,
      others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: () => card.draw() } })],
    });
    submitWhenComplete(code, confirmation);
    card.hush();
    card.show(h("ol", { class: "steps" },
      h("li", {}, h("p", { say: "totp.step_scan" }), qrCode(made.otpauth_uri, "totp.qr"),
        h("p", {}, h("a", { href: made.otpauth_uri, class: "otpauth", say: "totp.open_app" }))),
      h("li", {}, h("p", { say: "totp.step_type" }),
        h("div", { class: "row secret" }, h("code", {}, inFours(made.secret)), copyButton(() => made.secret))),
      h("li", {}, h("p", { say: "totp.step_code" }), confirmation.element)));
    code.input.focus({ preventScroll: true });
  };
  card.draw = () => {
    const on = own.profile.totp;
    const going = own.removalOf({ factor: "totp" });
    const asked = Boolean(going) && going.cancel_until_ms > Date.now();
    const button = (say, click, label = say) => h("button", { type: "button", class: "quiet", say, saying: { "aria-label": label }, on: { click } });
    card.show(
      h("p", { class: on ? "good" : null }, on && icon("shield"), h("span", { say: on ? "totp.on" : asked ? "totp.ending" : "totp.off" })),
      asked && h("p", { class: "hint", say: () => t(on ? "totp.old_one" : "totp.still_asked", { until: fullDate(going.cancel_until_ms) }) }),
      h("div", { class: "actions" },
        !on && h("button", { type: "button", class: "primary", say: asked ? "totp.another" : "totp.turn_on", on: { click: begin } }),
        !on && asked && button("removal.keep", keep(going.id), "totp.keep"),
        on && button("totp.remove", away(null), "totp.remove_title"),
        !on && asked && button("removal.lost", away("lost"))));
  };
  return card;
}
