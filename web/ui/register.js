/**
 * Registration in three steps (docs/auth-api.md §4): contact and password, the code that was sent, the names.
 *
 * The proof of work begins with the first letter typed, so that it is mostly done when the form is sent.
 */

import { contact } from "../core/people.js";
import { captcha } from "./captcha.js";
import { h } from "./dom.js";
import { entrance } from "./entrance.js";
import { FieldTrouble, codeField, field, fieldsOnly, form, passwordField, submitWhenComplete } from "./forms.js";
import { require } from "./login.js";
import { currentLanguage, t } from "./speech.js";

export const LEAST_PASSWORD = 12;

/** `done(answer)` with `{user, tokens}`; `show(view)` puts the next step on the page. */
export function registerView({ accounts, done, show, note = null }) {
  const address = field({
    name: "contact", word: "register.contact", hint: "register.contact_hint", autocomplete: "email", autocapitalize: "none", spellcheck: "false",
  });
  const password = passwordField({ name: "password", word: "password", hint: "register.password_hint", autocomplete: "new-password" });
  const trap = h("input", { name: "website", tabindex: "-1", autocomplete: "off", "aria-hidden": "true", class: "trap" });
  const guard = captcha({ accounts, action: "register", flow: () => contact(address.input.value)?.phone ?? "", always: true });

  const work = async () => {
    const where = contact(address.input.value);
    if (!where) throw new FieldTrouble(address, "register.contact_bad");
    if ([...password.input.value].length < LEAST_PASSWORD) throw new FieldTrouble(password, "weak.too_short");
    const fields = { ...where, password: password.input.value, locale: currentLanguage(), honeypot: trap.value };
    const flow = await guard.send((asked) => accounts.register({ ...fields, ...asked }));
    show(confirmView({ accounts, flow, to: address.input.value.trim(), done, show }));
  };
  const handle = (error) => weakness(error, password) || fieldsOnly(error);
  const made = form({ rows: [address.row, password.row, trap, guard.element], submit: "register.submit", work, handle });
  made.element.addEventListener("input", () => guard.prepare());
  return entrance({
    title: "register.title",
    lead: "register.lead",
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      made.element,
      h("p", { class: "other" }, h("span", { say: "register.have_account" }), " ", h("a", { href: "#/login", say: "login.link" })),
    ],
  });
}

/** Shows beside a password why the server finds it weak; false where the error says something else. */
export function weakness(error, password) {
  if (error.code !== "weak_password") return false;
  const reasons = error.reasons.length ? error.reasons : ["guessable"];
  password.fail(() => reasons.map((reason) => t(`weak.${reason}`)).join(" "));
  return true;
}

function confirmView({ accounts, flow, to, done, show }) {
  const code = codeField({ word: "register.code" });
  const work = async () => {
    if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
    const { registration_ticket: ticket } = await accounts.verify(flow.flow_id, flow.flow_secret, code.code());
    show(namesView({ accounts, flow, ticket, done, show }));
  };
  const handle = (error) => {
    if (error.code === "flow_gone") show(registerView({ accounts, done, show, note: "account.flow_gone" }));
    else if (error.code === "code_invalid") code.fail("account.code_invalid");
    else return fieldsOnly(error);
    return true;
  };
  const made = form({ rows: [code.row], submit: "register.confirm", work, handle });
  submitWhenComplete(code, made);
  const again = h("button", { type: "button", class: "link", say: "register.again", on: { click: () => show(registerView({ accounts, done, show })) } });
  return entrance({
    title: "register.code_title",
    lead: ["register.code_lead", { to }],
    parts: [made.element, h("p", { class: "other" }, h("span", { say: "register.no_code" }), " ", again)],
  });
}

function namesView({ accounts, flow, ticket, done, show }) {
  const user = field({
    name: "username", word: "register.username", hint: "register.username_hint", autocomplete: "username", autocapitalize: "none",
    spellcheck: "false", maxlength: 32,
  });
  const display = field({ name: "display_name", word: "register.display", hint: "register.display_hint", autocomplete: "name", maxlength: 64 });
  const work = async () => {
    require(user, "register.username_bad");
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$/.test(user.input.value.trim())) throw new FieldTrouble(user, "register.username_bad");
    const shown = display.input.value.trim();
    const names = { username: user.input.value.trim(), ...(shown ? { display_name: shown } : {}) };
    done(await accounts.complete(flow.flow_id, { ticket, ...names }));
  };
  const handle = (error) => {
    if (error.code === "flow_gone") show(registerView({ accounts, done, show, note: "account.flow_gone" }));
    else if (error.code === "username_taken") user.fail("account.username_taken");
    else return fieldsOnly(error);
    return true;
  };
  const made = form({ rows: [user.row, display.row], submit: "register.finish", work, handle });
  return entrance({ title: "register.names_title", lead: "register.names_lead", parts: [made.element] });
}
