/** Logging in: name and password, a proof of work where the server asks for one, and the second step where it is on. */

import { Proof } from "../net/proof.js";
import { h } from "./dom.js";
import { entrance, proofBar } from "./entrance.js";
import { FieldTrouble, codeField, field, fieldsOnly, form, passwordField } from "./forms.js";

/** `done(answer)` with `{user, tokens}`; `note`: a sentence to show first, for example that the session has ended. */
export function loginView({ accounts, note = null, done, show }) {
  const identifier = field({
    name: "identifier", word: "login.identifier", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
  });
  const password = passwordField({ name: "password", word: "password", autocomplete: "current-password" });
  const bar = proofBar();
  const proof = new Proof(accounts, "login", (share) => bar.show(share));
  let proofWanted = false;

  const attempt = async () => {
    const captcha = proofWanted ? { captcha: await proof.take() } : {};
    bar.hide();
    return accounts.login({ identifier: identifier.input.value.trim(), password: password.input.value, ...captcha });
  };
  const work = async () => {
    require(identifier, "login.identifier_missing");
    require(password, "password.missing");
    let answer;
    try {
      answer = await attempt();
    } catch (error) {
      if (error.code !== "challenge_required") throw error;
      proofWanted = true;
      proof.prepare(error.challenge);
      answer = await attempt();
    }
    if (answer.mfa_ticket) show(codeView({ accounts, ticket: answer, done, show }));
    else done(answer);
  };
  const made = form({ rows: [identifier.row, password.row, bar.element], submit: "login.submit", work, handle: fieldsOnly });
  return entrance({
    title: "login.title",
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      made.element,
      h("p", { class: "other" }, h("span", { say: "login.no_account" }), " ", h("a", { href: "#/register", say: "register.link" })),
    ],
  });
}

/** The second step: six digits from the authenticator. */
function codeView({ accounts, ticket, done, show }) {
  const code = codeField({ word: "totp.code", hint: "totp.code_hint" });
  const work = async () => {
    if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
    done(await accounts.loginCode(ticket.mfa_ticket, "totp", code.code()));
  };
  const handle = (error) => {
    if (error.code !== "invalid_code") return fieldsOnly(error);
    code.fail("account.invalid_code");
    code.input.select();
    return true;
  };
  const made = form({ rows: [code.row], submit: "login.submit", work, handle });
  submitWhenComplete(code, made);
  const again = h("button", { type: "button", class: "link", say: "login.again", on: { click: () => show(loginView({ accounts, done, show })) } });
  return entrance({ title: "totp.login_title", lead: "totp.login_lead", parts: [made.element, h("p", { class: "other" }, again)] });
}

/** The sixth digit sends the form: what is typed from a telephone should not need another key. */
export function submitWhenComplete(code, made) {
  code.input.addEventListener("input", (event) => {
    if (code.code().length === 6 && event.inputType !== "deleteContentBackward") made.element.requestSubmit();
  });
}

/** An empty field is told at once. */
export function require(shown, word) {
  if (shown.input.value.trim() === "") throw new FieldTrouble(shown, word);
}
