/** The second step of a login or a fresh proof: whichever of one's factors one has at hand. */

import { passkeyHost, passkeysKnown, usePasskey } from "../net/passkeys.js";
import { fill, h } from "./dom.js";
import { FieldTrouble, codeField, field, fieldsOnly, form } from "./forms.js";

const USE = { passkey: "passkey.use", totp: "totp.use", recovery_code: "codes.use" };

/**
 * An element that asks for one of `methods`. `options()` gives the server's options for a passkey; `give(fields)` sends
 * `{method, code}` or `{method, credential}` and does what follows.
 */
export function secondStep({ methods, options, give }) {
  const element = h("div", {});
  const known = methods.filter((method) => method in USE);
  const here = known.filter((method) => method !== "passkey" || (passkeysKnown() && !passkeyHost()));
  const usable = here.length ? here : known;
  const draw = (method) => {
    const others = usable.filter((other) => other !== method).map((other) =>
      h("button", { type: "button", class: "quiet", say: USE[other], on: { click: () => { draw(other); element.querySelector("input, button")?.focus(); } } }));
    const shown = { passkey: byPasskey, totp: byTotp, recovery_code: byCode }[method];
    fill(element, shown(others));
  };
  const byPasskey = (others) => {
    const work = async () => {
      const answer = await options();
      await give({ method: "passkey", credential: await usePasskey(answer.options) });
    };
    return form({ rows: [], submit: "passkey.use", work, others }).element;
  };
  const byTotp = (others) => {
    const code = codeField({ word: "totp.code", hint: "totp.code_hint" });
    const work = async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      await give({ method: "totp", code: code.code() });
    };
    const made = form({ rows: [code.row], submit: "login.submit", work, handle: wrong(code), others });
    // The sixth digit sends the form: what is typed from a telephone should not need another key.
    code.input.addEventListener("input", (event) => {
      if (code.code().length === 6 && event.inputType !== "deleteContentBackward") made.element.requestSubmit();
    });
    return made.element;
  };
  const byCode = (others) => {
    const code = field({ name: "recovery_code", word: "codes.code", hint: "codes.code_hint", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
    const work = async () => {
      if (!code.input.value.trim()) throw new FieldTrouble(code, "codes.missing");
      await give({ method: "recovery_code", code: code.input.value.trim() });
    };
    return form({ rows: [code.row], submit: "login.submit", work, handle: wrong(code), others }).element;
  };
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
