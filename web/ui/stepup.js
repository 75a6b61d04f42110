/** Asks again who one is, where the server wants a fresh proof, and then does what was wanted. */

import { captcha } from "./captcha.js";
import { FieldTrouble, codeField, dialog, fieldsOnly, form, passwordField, submitWhenComplete } from "./forms.js";
import { fill, h } from "./dom.js";
import { secondStep } from "./secondstep.js";
import { t } from "./speech.js";

/**
 * `work()`; where it is refused with `step_up_required`, the dialog and `work()` once more. Null where the dialog was left.
 * `strong`: a password is no proof for it. `contact`: an app, a passkey or a code to an old contact is; `factor`: only the first two are.
 */
export async function withStepUp(session, accounts, work, { strong = null } = {}) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
    const methods = strong ? strongOnes(session.profile) : error.methods;
    if (strong === "factor" && methods.length === 0) throw error;
    return (await askAgain(session, accounts, { methods, strong })) ? work() : null;
  }
}

/** A code to an old contact, which confirms this device. True where it was given. */
export function confirmDevice(session, accounts) {
  return dialog({ title: "device.confirm", content: (close) => [h("p", { say: "device.confirm_lead" }), byContact(session, accounts, close)] }).open();
}

function strongOnes(profile) {
  return [profile.passkeys > 0 && "passkey", profile.totp && "totp"].filter(Boolean);
}

/** `methods`: the second factors that would do; the password where there are none and it does. */
function askAgain(session, accounts, { methods, strong }) {
  const shown = methods.length ? second : strong ? byContact : byPassword;
  const lead = strong ? "stepup.lead_strong" : "stepup.lead";
  return dialog({ title: "stepup.title", content: (close) => [h("p", { say: lead }), shown(session, accounts, close, methods)] }).open();
}

function second(session, accounts, close, methods) {
  const options = () => session.withToken((token) => accounts.stepUpOptions(token));
  const element = h("div", {});
  const give = async (fields) => {
    const { recovery_code: code } = await session.stepUp(fields);
    if (!code) return close(true);
    // A used recovery code has a successor, which is shown only now.
    fill(element, h("p", { say: () => t("codes.new_one", { code }) }),
      h("button", { type: "button", class: "primary", say: "codes.done", on: { click: () => close(true) } }));
    return element.querySelector("button").focus();
  };
  element.append(secondStep({ methods, options, give }));
  return element;
}

function byPassword(session, _, close) {
  const secret = passwordField({ name: "password", word: "password", autocomplete: "current-password" });
  const work = async () => {
    if (!secret.input.value) throw new FieldTrouble(secret, "password.missing");
    await session.stepUp({ method: "password", password: secret.input.value });
    close(true);
  };
  const handle = (error) => {
    if (error.code !== "invalid_credentials") return fieldsOnly(error);
    secret.fail("stepup.wrong_password");
    return true;
  };
  return form({ rows: [secret.row], submit: "stepup.submit", work, handle }).element;
}

/** First where the code shall go, then the code. */
function byContact(session, accounts, close) {
  const element = h("div", {});
  const to = (channel) => {
    const guard = captcha({ accounts, action: "contact" });
    const work = async () => {
      await guard.send((asked) => session.withToken((token) => accounts.sendStepUp(token, channel, asked)));
      typed();
    };
    return form({ rows: [guard.element], submit: `stepup.send_${channel}`, work, handle: fieldsOnly }).element;
  };
  const typed = () => {
    const code = codeField({ word: "register.code", hint: "stepup.sent" });
    const work = async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      await session.stepUp({ method: "code", code: code.code() });
      close(true);
    };
    const handle = (error) => {
      if (error.code !== "invalid_code") return fieldsOnly(error);
      code.fail("account.code_invalid");
      return true;
    };
    const made = form({
      rows: [code.row], submit: "stepup.submit", work, handle,
      others: [h("button", { type: "button", class: "quiet", say: "stepup.elsewhere", on: { click: choose } })],
    });
    submitWhenComplete(code, made);
    fill(element, made.element);
    code.input.focus();
  };
  const choose = () => {
    fill(element, h("div", { class: "ways" }, to("email"), to("sms")));
    element.querySelector("button").focus();
  };
  fill(element, h("div", { class: "ways" }, to("email"), to("sms")));
  return element;
}
