/** Logging in: name and password, and the second step where it is on. */

import { passkeyHost, passkeysKnown, usePasskey } from "../net/passkeys.js";
import { captcha } from "./captcha.js";
import { h } from "./dom.js";
import { entrance } from "./entrance.js";
import { FieldTrouble, field, fieldsOnly, form, passwordField } from "./forms.js";
import { secondStep } from "./secondstep.js";
import { t } from "./speech.js";

/** `done(answer)` with `{user, tokens}`; `note`: a sentence to show first, for example that the session has ended. */
export function loginView({ accounts, note = null, done, show }) {
  const identifier = field({
    name: "identifier", word: "login.identifier", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
  });
  const password = passwordField({ name: "password", word: "password", autocomplete: "current-password" });
  const guard = captcha({ accounts, action: "login", flow: () => identifier.input.value.trim() });
  const work = async () => {
    require(identifier, "login.identifier_missing");
    require(password, "password.missing");
    const named = { identifier: identifier.input.value.trim(), password: password.input.value };
    const answer = await guard.send((asked) => accounts.login({ ...named, ...asked }));
    if (answer.mfa_ticket) show(secondView({ accounts, ticket: answer, done, show }));
    else done(answer);
  };
  const byPasskey = async () => {
    const { options, flow_id: flow } = await accounts.passkeyLogin();
    done(await accounts.loginByPasskey(flow, await usePasskey(options)));
  };
  const made = form({ rows: [identifier.row, password.row, guard.element], submit: "login.submit", work, handle: fieldsOnly });
  const passkey = passkeysKnown() && !passkeyHost() && form({ rows: [], submit: "passkey.login", work: byPasskey, attributes: { class: "by-passkey" } }).element;
  return entrance({
    title: "login.title",
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      made.element,
      passkey,
      h("p", { class: "other" }, h("a", { href: "#/recover", say: "recover.link" })),
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
  const text = {
    guard: () => captcha({ accounts, action: "login", flow: () => ticket.mfa_ticket, always: true }),
    send: (guarded) => accounts.sendLoginText(ticket.mfa_ticket, guarded),
  };
  const asked = secondStep({ methods: ticket.methods, options: () => accounts.passkeyLogin(ticket.mfa_ticket), give, text, trust: true });
  const again = h("button", { type: "button", class: "link", say: "login.again", on: { click: () => show(loginView({ accounts, done, show })) } });
  const lead = ticket.methods.includes("code") ? "second.shut" : null;
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

/** An empty field is told at once. */
export function require(shown, word) {
  if (shown.input.value.trim() === "") throw new FieldTrouble(shown, word);
}
