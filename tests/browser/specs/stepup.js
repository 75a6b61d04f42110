import { AccountError } from "/net/accounts.js";
import { confirmDevice, withStepUp } from "/ui/stepup.js";
import { same } from "./check.js";

/** Somebody with `profile`, of whom a fresh proof is wanted once (`methods` as the server lists them). */
function stand({ profile = { totp: false, passkeys: 0 }, methods = [], successor } = {}) {
  const said = [];
  const session = {
    profile,
    withToken: (work) => work("t"),
    stepUp: async (fields) => { said.push(fields); return { recovery_code: successor }; },
  };
  const accounts = { sendStepUp: async (_, channel) => said.push(channel) };
  const refused = Object.assign(new AccountError("step_up_required"), { methods });
  let asked = 0;
  const work = async () => {
    asked += 1;
    if (asked === 1) throw refused;
    return "done";
  };
  return { said, session, accounts, work, asked: () => asked };
}

const turn = () => new Promise((done) => setTimeout(done));
const shown = () => document.querySelector("dialog[open]");

async function press(name) {
  [...shown().querySelectorAll("button")].find((button) => button.textContent === name).click();
  await turn();
}

async function type(text) {
  const input = shown().querySelector("input");
  input.value = text;
  input.form.requestSubmit();
  await turn();
}

export const spec = {
  "a password proves it where there is nothing better, and the work is done once more": async () => {
    const { said, session, accounts, work } = stand();
    const outcome = withStepUp(session, accounts, work);
    await turn();
    await type("a secret");
    same([await outcome, said, shown()], ["done", [{ method: "password", password: "a secret" }], null]);
  },
  "who leaves the dialog changes nothing": async () => {
    const { session, accounts, work, asked } = stand();
    const outcome = withStepUp(session, accounts, work);
    await turn();
    await press("×");
    same([await outcome, asked()], [null, 1]);
  },
  "what a password cannot prove is proved by a code to an old contact": async () => {
    const { said, session, accounts, work } = stand();
    const outcome = withStepUp(session, accounts, work, { strong: "contact" });
    await turn();
    await press("Send a code to my mail");
    await type("12345");
    same(shown().querySelector("[aria-invalid]") === document.activeElement, true);
    await type("123456");
    same([await outcome, said], ["done", ["email", { method: "code", code: "123456" }]]);
  },
  "or by the second factors that one has": async () => {
    const { said, session, accounts, work } = stand({ profile: { totp: true, passkeys: 0 } });
    const outcome = withStepUp(session, accounts, work, { strong: "factor" });
    await turn();
    await type("123456");
    same([await outcome, said], ["done", [{ method: "totp", code: "123456" }]]);
  },
  "what only an app or a passkey proves is refused at once where there is neither": async () => {
    const { session, accounts, work, asked } = stand({ methods: ["recovery_code"] });
    const outcome = await withStepUp(session, accounts, work, { strong: "factor" }).catch((error) => error.code);
    same([outcome, asked(), shown()], ["step_up_required", 1, null]);
  },
  "the successor of a used recovery code is shown before anything else": async () => {
    const { said, session, accounts, work, asked } = stand({ methods: ["recovery_code"], successor: "K7QM-NEXT" });
    const outcome = withStepUp(session, accounts, work);
    await turn();
    await type("K7QM-USED");
    same([shown().textContent.includes("K7QM-NEXT"), asked(), said], [true, 1, [{ method: "recovery_code", code: "K7QM-USED" }]]);
    await press("I have kept it");
    same(await outcome, "done");
  },
  "a device is confirmed by a code, also to a telephone": async () => {
    const { said, session, accounts } = stand();
    const outcome = confirmDevice(session, accounts);
    await turn();
    await press("Send a code to my phone");
    await type("123 456");
    same([await outcome, said], [true, ["sms", { method: "code", code: "123456" }]]);
  },
};
