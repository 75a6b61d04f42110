/** The second step of a login or a fresh proof: whichever of one's factors one has at hand. */

import { passkeyHost, passkeysKnown, usePasskey } from "../net/passkeys.js";
import { fill, h } from "./dom.js";
import { FieldTrouble, codeField, field, fieldsOnly, form, submitWhenComplete } from "./forms.js";
import { sentCode } from "./sentcode.js";

const USE = { code: "second.code", passkey: "passkey.use", totp: "totp.use", recovery_code: "codes.use", sms: "second.sms" };

/**
 * An element that asks for one of `methods`. `options()` gives the server's options for a passkey; `give(fields)` sends
 * `{method, code}` or `{method, credential}` and does what follows. `text`: `{guard, send}` of a code by text, where one can be had;
 * `trust`: whether to offer that this device is not asked again.
 */
export function secondStep({ methods, options, give, text = null, trust = false }) {
  const element = h("div", {});
  const trusted = h("input", { type: "checkbox", name: "trust" });
  const offer = trust && h("label", { class: "row trust" }, h("span", { say: "second.trust" }), trusted);
  const sent = (fields) => give(trusted.checked && fields.method !== "code" ? { ...fields, trust_device: true } : fields);
  // A name that is shut has a code on its way, if the password was right: nobody else has one to type.
  const known = methods.filter((method) => method in USE && (method !== "sms" || text)).sort((a, b) => (b === "code") - (a === "code"));
  const here = known.filter((method) => method !== "passkey" || (passkeysKnown() && !passkeyHost()));
  const usable = here.length ? here : known;
  const draw = (method) => {
    const others = usable.filter((other) => other !== method).map((other) =>
      h("button", { type: "button", class: "quiet", say: USE[other], on: { click: () => { draw(other); element.querySelector("input, button")?.focus(); } } }));
    const shown = { code: bySentCode, passkey: byPasskey, totp: byTotp, recovery_code: byCode, sms: byText }[method];
    if (offer) offer.hidden = method === "code";
    fill(element, shown(others), offer);
  };
  const byPasskey = (others) => {
    const work = async () => {
      const answer = await options();
      await sent({ method: "passkey", credential: await usePasskey(answer.options) });
    };
    return form({ rows: [], submit: "passkey.use", work, others }).element;
  };
  const byTotp = (others) => {
    const code = codeField({ word: "totp.code", hint: "totp.code_hint" });
    const work = async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      await sent({ method: "totp", code: code.code() });
    };
    const made = form({ rows: [code.row], submit: "login.submit", work, handle: wrong(code), others });
    submitWhenComplete(code, made);
    return made.element;
  };
  const byCode = (others) => {
    const code = field({ name: "recovery_code", word: "codes.code", hint: "codes.code_hint", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
    const work = async () => {
      if (!code.input.value.trim()) throw new FieldTrouble(code, "codes.missing");
      await sent({ method: "recovery_code", code: code.input.value.trim() });
    };
    return form({ rows: [code.row], submit: "login.submit", work, handle: wrong(code), others }).element;
  };
  const bySentCode = (others) => {
    const code = codeField({ word: "register.code", hint: "second.code_hint" });
    const work = async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      await sent({ method: "code", code: code.code() });
    };
    const made = form({ rows: [code.row], submit: "login.submit", work, handle: wrong(code), others });
    submitWhenComplete(code, made);
    return made.element;
  };
  const byText = (others) => h("div", { class: "by-text" }, h("p", { class: "lead", say: "second.sms_lead" }), sentCode({
    guard: text.guard(), send: text.send, give: (code) => sent({ method: "sms", code }),
    handle: (error, code) => wrong(code)(error), lost: fieldsOnly, sent: "second.sms_sent", submit: "login.submit", others,
  }));
  draw(usable[0]);
  return element;
}

function wrong(code) {
  return (error) => {
    if (error.code !== "invalid_code") return fieldsOnly(error);
    code.fail("account.invalid_code");
    code.input.select();
    return true;
  };
}
