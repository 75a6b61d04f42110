/** Asks again who one is, where the server wants a fresh proof, and then does what was wanted. */

import { FieldTrouble, codeField, dialog, fieldsOnly, form, passwordField } from "./forms.js";
import { h } from "./dom.js";

/** `work()`; where it is refused with `step_up_required`, the dialog and `work()` once more. Null where the dialog was left. */
export async function withStepUp(session, work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
    return (await askAgain(session)) ? work() : null;
  }
}

function askAgain(session) {
  return dialog({
    title: "stepup.title",
    content: (close) => {
      const totp = session.profile?.totp ?? false;
      const secret = totp
        ? codeField({ word: "totp.code", hint: "totp.code_hint" })
        : passwordField({ name: "password", word: "password", autocomplete: "current-password" });
      const work = async () => {
        const value = totp ? secret.code() : secret.input.value;
        if (totp && value.length !== 6) throw new FieldTrouble(secret, "code.six");
        if (!value) throw new FieldTrouble(secret, "password.missing");
        await session.stepUp(totp ? { method: "totp", code: value } : { method: "password", password: value });
        close(true);
      };
      const handle = (error) => {
        if (error.code === "invalid_credentials") secret.fail("stepup.wrong_password");
        else if (error.code === "invalid_code") secret.fail("account.invalid_code");
        else return fieldsOnly(error);
        return true;
      };
      return [h("p", { say: "stepup.lead" }), form({ rows: [secret.row], submit: "stepup.submit", work, handle }).element];
    },
  }).open();
}
