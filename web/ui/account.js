/** One's own account: names, language, typing rhythm, two-step login, sessions, leaving. */

import { deviceName, inFours } from "../core/people.js";
import { fill, h, icon } from "./dom.js";
import { languageSwitch } from "./entrance.js";
import { FieldTrouble, codeField, copyButton, fieldsOnly, form } from "./forms.js";
import { submitWhenComplete } from "./login.js";
import { drawCodes, drawPasskeys } from "./passkeys.js";
import { sentence } from "./problems.js";
import { qrCode } from "./qr.js";
import { bind, fullDate } from "./speech.js";
import { announce } from "./announce.js";
import { t } from "./speech.js";
import { withStepUp } from "./stepup.js";

/** The account's page, to stand in the main part of the shell. */
export function accountView({ accounts, session, memory }) {
  const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
  const guard = (work) => async () => {
    trouble.hidden = true;
    try {
      await work();
    } catch (error) {
      if (!session.account) return;
      bind(trouble, "text", () => sentence(error));
      trouble.hidden = false;
      trouble.scrollIntoView({ block: "nearest" });
    }
  };
  const profile = h("section", { class: "card", "aria-labelledby": "profile-title" });
  const second = h("section", { class: "card", "aria-labelledby": "second-title" });
  const sessions = h("section", { class: "card", "aria-labelledby": "sessions-title" });
  const keys = h("section", { class: "card", "aria-labelledby": "passkeys-title" });
  const codes = h("section", { class: "card", "aria-labelledby": "codes-title" });
  const context = { accounts, session, guard };
  const load = guard(async () => {
    drawProfile(profile, await session.loadProfile(), memory);
    drawSecond(second, context);
    drawCodes(codes, context);
    await drawPasskeys(keys, context);
    await drawSessions(sessions, context);
  });
  drawProfile(profile, session.profile ?? session.account, memory);
  load();
  return h("div", { class: "page" },
    h("header", { class: "bar" },
      h("a", { href: "#/", class: "icon-button back", saying: { "aria-label": "rooms.back" } }, icon("back")),
      h("h1", { tabindex: "-1", say: "account.title" })),
    h("div", { class: "cards" }, trouble, profile, second, keys, codes, sessions));
}

function drawProfile(section, user, memory) {
  const rhythm = h("input", {
    type: "checkbox", id: "rhythm", checked: memory.read("rhythm") !== false, "aria-describedby": "rhythm-hint",
    on: { change: () => memory.write("rhythm", rhythm.checked) },
  });
  const facts = [["register.username", user.username], ["register.display", user.display_name], ["account.email", user.email], ["account.phone", user.phone]];
  fill(section,
    h("h2", { id: "profile-title", say: "account.profile" }),
    h("dl", {}, facts.filter(([, value]) => value).map(([word, value]) => h("div", {}, h("dt", { say: word }), h("dd", {}, value)))),
    h("div", { class: "row" }, h("span", { say: "language" }), languageSwitch()),
    h("div", { class: "row" },
      h("div", {}, h("label", { for: "rhythm", say: "rhythm.label" }), h("p", { class: "hint", id: "rhythm-hint", say: "rhythm.hint" })),
      rhythm));
}

function drawSecond(section, { accounts, session, guard }, note = null) {
  const on = session.profile.totp;
  const remove = guard(async () => {
    const gone = await withStepUp(session, accounts, () => session.withToken((token) => accounts.removeTotp(token)));
    if (!gone) return;
    await session.loadProfile();
    drawSecond(section, { accounts, session, guard }, () => t("totp.removing", { date: fullDate(gone.cancel_until_ms) }));
    section.querySelector("h2").focus();
  });
  const begin = guard(async () => {
    const made = await withStepUp(session, accounts, () => session.withToken((token) => accounts.totp(token)));
    if (made) drawEnrolment(section, made, { accounts, session, guard });
  });
  fill(section,
    h("h2", { id: "second-title", tabindex: "-1", say: "totp.title" }),
    note && h("p", { class: "note", role: "status", say: note }),
    on && h("button", { type: "button", class: "quiet", say: "totp.remove", on: { click: remove } }),
    h("p", { class: on ? "good" : null }, on && icon("shield"), h("span", { say: on ? "totp.on" : "totp.off" })),
    !on && h("button", { type: "button", class: "primary", say: "totp.turn_on", on: { click: begin } }));
}

function drawEnrolment(section, made, context) {
  const { accounts, session, guard } = context;
  const code = codeField({ word: "totp.code", hint: "totp.confirm_hint" });
  const work = async () => {
    if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
    const confirm = () => session.withToken((token) => accounts.confirmTotp(token, code.code()).then(() => true));
    if (!(await withStepUp(session, accounts, confirm))) return;
    await session.loadProfile();
    drawSecond(section, context);
    announce(t("totp.on"));
  };
  const handle = (error) => {
    if (error.code !== "code_invalid") return fieldsOnly(error);
    code.fail("totp.not_fitting");
    return true;
  };
  const confirmation = form({
    rows: [code.row], submit: "totp.confirm", work, handle,
    others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: guard(async () => drawSecond(section, context)) } })],
  });
  submitWhenComplete(code, confirmation);
  fill(section,
    h("h2", { id: "second-title", say: "totp.title" }),
    h("ol", { class: "steps" },
      h("li", {}, h("p", { say: "totp.step_scan" }), qrCode(made.otpauth_uri, "totp.qr"),
        h("p", {}, h("a", { href: made.otpauth_uri, class: "otpauth", say: "totp.open_app" }))),
      h("li", {}, h("p", { say: "totp.step_type" }),
        h("div", { class: "row secret" }, h("code", {}, inFours(made.secret)), copyButton(() => made.secret))),
      h("li", {}, h("p", { say: "totp.step_code" }), confirmation.element)));
  code.input.focus({ preventScroll: true });
}

async function drawSessions(section, context) {
  const { accounts, session, guard } = context;
  const list = await session.withToken((token) => accounts.sessions(token));
  const end = (id) => guard(async () => {
    await withStepUp(session, accounts, () => session.withToken((token) => accounts.endSession(token, id)));
    await drawSessions(section, context);
    section.querySelector("h2").focus();
  });
  const leave = (scope) => guard(async () => {
    await session.logout(scope);
    if (scope === "others") await drawSessions(section, context);
  });
  const item = (one, name = deviceName(one.device_label || one.client_id || "?")) => h("li", {},
    h("div", {},
      h("strong", {}, name), one.current && h("span", { class: "chip", say: "sessions.this" }),
      h("p", { class: "hint", say: () => t("sessions.times", { created: fullDate(one.created_ms), seen: fullDate(one.last_seen_ms) }) })),
    !one.current && h("button", {
      type: "button", class: "quiet", say: "sessions.end", saying: { "aria-label": ["sessions.end_long", { device: name }] }, on: { click: end(one.id) },
    }));
  fill(section,
    h("h2", { id: "sessions-title", tabindex: "-1", say: "sessions.title" }),
    h("ul", { class: "sessions" }, list.map((one) => item(one))),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "primary", say: "logout", on: { click: leave("this") } }),
      list.length > 1 && h("button", { type: "button", class: "quiet", say: "logout.others", on: { click: leave("others") } }),
      list.length > 1 && h("button", { type: "button", class: "quiet", say: "logout.all", on: { click: leave("all") } })));
}
