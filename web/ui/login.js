/** Logging in: name and password, a proof of work where the server asks for one, and the second step where it is on. */

import { Proof } from "../net/proof.js";
import { passkeyHost, passkeysKnown, usePasskey } from "../net/passkeys.js";
import { h } from "./dom.js";
import { entrance, proofBar } from "./entrance.js";
import { FieldTrouble, field, fieldsOnly, form, passwordField } from "./forms.js";
import { pictureField } from "./picture.js";
import { secondStep } from "./secondstep.js";
import { t } from "./speech.js";

/** `done(answer)` with `{user, tokens}`; `note`: a sentence to show first, for example that the session has ended. */
export function loginView({ accounts, note = null, done, show }) {
  const identifier = field({
    name: "identifier", word: "login.identifier", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
  });
  const password = passwordField({ name: "password", word: "password", autocomplete: "current-password" });
  const bar = proofBar();
  const proof = new Proof(accounts, "login", (share) => bar.show(share));
  let proofWanted = false;
  let dearer = null;

  const solved = async (challenge = null) => {
    if (challenge) proof.prepare(challenge);
    const captcha = await proof.take();
    bar.hide();
    return captcha;
  };
  const picture = pictureField({ accounts, proof: solved });
  const attempt = async (challenge = null) => {
    const seen = picture.wanted ? picture.take() : {};
    const captcha = proofWanted ? { captcha: await solved(challenge) } : {};
    return accounts.login({ identifier: identifier.input.value.trim(), password: password.input.value, ...captcha, ...seen });
  };
  const asked = async (challenge = null) => {
    try {
      return await attempt(challenge);
    } catch (error) {
      if (error.code !== "challenge_required") throw error;
      proofWanted = true;
      dearer = error.kinds.length ? error.challenge : null;
      if (!dearer) return attempt(error.challenge);
      await picture.ask(identifier.input.value.trim());
      return null;
    }
  };
  const work = async () => {
    require(identifier, "login.identifier_missing");
    require(password, "password.missing");
    const answer = await asked(dearer);
    if (answer?.mfa_ticket) show(secondView({ accounts, ticket: answer, done, show }));
    else if (answer) done(answer);
  };
  const byPasskey = async () => {
    const { options, flow_id: flow } = await accounts.passkeyLogin();
    done(await accounts.loginByPasskey(flow, await usePasskey(options)));
  };
  const made = form({ rows: [identifier.row, password.row, picture.element, bar.element], submit: "login.submit", work, handle: fieldsOnly });
  const passkey = passkeysKnown() && !passkeyHost() && form({ rows: [], submit: "passkey.login", work: byPasskey, attributes: { class: "by-passkey" } }).element;
  return entrance({
    title: "login.title",
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      made.element,
      passkey,
      h("p", { class: "other" }, h("span", { say: "login.no_account" }), " ", h("a", { href: "#/register", say: "register.link" })),
    ],
  });
}

/** The second step, by whatever this account has. */
function secondView({ accounts, ticket, done, show }) {
  const give = async (fields) => {
    const answer = await accounts.loginSecond(ticket.mfa_ticket, fields);
    if (answer.recovery_code) show(replacedView({ code: answer.recovery_code, done: () => done(answer) }));
    else done(answer);
  };
  const asked = secondStep({ methods: ticket.methods, options: () => accounts.passkeyLogin(ticket.mfa_ticket), give });
  const again = h("button", { type: "button", class: "link", say: "login.again", on: { click: () => show(loginView({ accounts, done, show })) } });
  const lead = ticket.methods[0] === "totp" ? "totp.login_lead" : null;
  return entrance({ title: "totp.login_title", lead, parts: [asked, h("p", { class: "other" }, again)] });
}

/** A used recovery code has a successor, which is to be kept before anything else. */
function replacedView({ code, done }) {
  return entrance({
    title: "codes.title",
    parts: [
      h("p", { say: () => t("codes.new_one", { code }) }),
      h("button", { type: "button", class: "primary", say: "codes.done", on: { click: done } }),
    ],
  });
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
