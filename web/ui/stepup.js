/** Asks again who one is, where the server wants a fresh proof, and then does what was wanted. */

import { FieldTrouble, dialog, fieldsOnly, form, passwordField } from "./forms.js";
import { h } from "./dom.js";
import { secondStep } from "./secondstep.js";

/** `work()`; where it is refused with `step_up_required`, the dialog and `work()` once more. Null where the dialog was left. */
export async function withStepUp(session, accounts, work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
    return (await askAgain(session, accounts, error.methods)) ? work() : null;
  }
}

/** `methods`: the second factors that would do; the password where there are none. */
function askAgain(session, accounts, methods) {
  return dialog({
    title: "stepup.title",
    content: (close) => [h("p", { say: "stepup.lead" }), methods.length ? second(session, accounts, methods, close) : byPassword(session, close)],
  }).open();
}

function second(session, accounts, methods, close) {
  const options = () => session.withToken((token) => accounts.stepUpOptions(token));
  const give = async (fields) => {
    await session.stepUp(fields);
    close(true);
  };
  return secondStep({ methods, options, give });
}

function byPassword(session, close) {
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
