/** Showing who one is, piece by piece: codes by text and mail, an authenticator, a passkey, a saved code, the secret question. */

import { passkeyHost, passkeysKnown, usePasskey } from "../net/passkeys.js";
import { captcha } from "./captcha.js";
import { h, icon } from "./dom.js";
import { entrance } from "./entrance.js";
import { FieldTrouble, codeField, field, fieldsOnly, form, submitWhenComplete } from "./forms.js";
import { require } from "./login.js";
import { sentence } from "./problems.js";
import { sentCode } from "./sentcode.js";
import { bind, currentLanguage, fullDate, t } from "./speech.js";

const HOUR_MS = 3_600_000;
/** How long the next phone is asked after "I no longer have this one". */
const RELEASE_MS = 72 * HOUR_MS;

/**
 * What can be shown. `question`: the account's own, in both languages, or null; `again`: the wait is over and one thing has to be
 * shown once more.
 */
export function evidenceView(context, flow, { question, again, note }) {
  const passkey = passkeysKnown() && !passkeyHost() ? ["passkey"] : [];
  const all = ["sms", "email", "totp", ...passkey, "recovery_code", ...(question && !again ? ["question"] : [])];
  const kinds = again && flow.shown.some((kind) => all.includes(kind)) ? all.filter((kind) => flow.shown.includes(kind)) : all;
  const open = (kind) => () => context.show(pieceView(context, flow, kind, question));
  const trouble = h("p", { class: "trouble box", role: "alert", hidden: true });
  const done = async () => {
    trouble.hidden = true;
    try {
      await context.recovery.done(flow);
      await context.go(flow);
    } catch (error) {
      bind(trouble, "text", () => sentence(error));
      trouble.hidden = false;
    }
  };
  const tiles = kinds.map((kind) => h("li", {}, h("button", { type: "button", class: "tile", on: { click: open(kind) } },
    h("strong", { say: `recover.show_${kind}` }),
    flow.shown.includes(kind) && !again ? h("span", { class: "good" }, icon("check"), h("span", { say: "recover.shown" })) : h("span", { class: "hint", say: `recover.show_${kind}_hint` }))));
  return entrance({
    title: again ? "recover.again_title" : "recover.show_title",
    lead: again ? ["recover.again_lead", { name: flow.name }] : ["recover.show_lead", { name: flow.name }],
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      flow.nextPhone > Date.now() && h("p", { class: "note", say: () => t("recover.no_phone_said", { date: fullDate(flow.nextPhone) }) }),
      h("ul", { class: "pieces" }, tiles),
      !again && h("p", { class: "hint", say: "recover.passive" }),
      !again && flow.shown.length > 0 && h("div", { class: "weigh" },
        h("button", { type: "button", class: "primary", say: "recover.done", on: { click: done } }), h("p", { class: "hint", say: "recover.done_hint" })),
      trouble,
      h("p", { class: "other" }, h("button", { type: "button", class: "link", say: "recover.other", on: { click: context.begin } })),
    ],
  });
}

/** One piece of evidence. */
function pieceView(context, flow, kind, question) {
  const parts = { sms: byMessage, email: byMessage, totp: byApp, passkey: byPasskey, recovery_code: bySavedCode, question: byQuestion }[kind](context, flow, kind, question);
  return entrance({
    title: `recover.show_${kind}`,
    lead: kind === "question" ? () => question[currentLanguage()] : `recover.show_${kind}_hint`,
    parts: [...parts, h("p", { class: "other" },
      h("button", { type: "button", class: "link", say: "recover.back", on: { click: () => context.go(flow) } }))],
  });
}

function byMessage(context, flow, channel) {
  const parts = sentCode({
    // A text costs something: work comes with it from the first one on.
    guard: captcha({ accounts: context.accounts, action: "recover", flow: () => flow.id, always: channel === "sms" }),
    send: (asked) => context.recovery.send(flow, channel, asked),
    give: (value) => give(context, flow, channel, { kind: "code", value }),
    handle: (error, code) => misfit(context, flow, code)(error),
    lost: (error) => gone(context, flow, error) || fieldsOnly(error),
    sent: `recover.sent_${channel}`,
    submit: "register.confirm",
  });
  return channel === "sms" ? [...parts, noPhone(context, flow)] : parts;
}

/** "I no longer have this phone": what it does is said before it is done. */
function noPhone(context, flow) {
  const work = async () => {
    await context.recovery.phoneUnavailable(flow);
    await context.go(context.kept.keep({ ...flow, nextPhone: Date.now() + RELEASE_MS }));
  };
  const made = form({ rows: [h("p", { class: "hint", say: "recover.no_phone_hint" })], submit: "recover.no_phone_do", work, handle: (error) => gone(context, flow, error) });
  made.button.className = "quiet";
  return h("details", { class: "aside" }, h("summary", { say: "recover.no_phone" }), made.element);
}

function byApp(context, flow) {
  const code = codeField({ word: "totp.code", hint: "totp.code_hint" });
  const work = async () => {
    if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
    await give(context, flow, "totp", { kind: "totp", value: code.code() });
  };
  const made = form({ rows: [code.row], submit: "register.confirm", work, handle: misfit(context, flow, code) });
  submitWhenComplete(code, made);
  return [made.element];
}

function byPasskey(context, flow) {
  const work = async () => {
    const { options } = await context.recovery.options(flow);
    await give(context, flow, "passkey", { kind: "passkey", credential: await usePasskey(options) });
  };
  const handle = (error) => {
    if (error.code !== "code_invalid") return gone(context, flow, error) || fieldsOnly(error);
    made.tell("recover.misfit_passkey");
    return true;
  };
  const made = form({ rows: [], submit: "passkey.use", work, handle });
  return [made.element];
}

function bySavedCode(context, flow) {
  const code = field({ name: "recovery_code", word: "codes.code", hint: "codes.code_hint", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const work = async () => {
    require(code, "codes.missing");
    await give(context, flow, "recovery_code", { kind: "recovery_code", value: code.input.value.trim() });
  };
  return [form({ rows: [code.row], submit: "register.confirm", work, handle: misfit(context, flow, code) }).element];
}

function byQuestion(context, flow) {
  const answer = field({ name: "answer", word: "recover.answer", hint: "recover.answer_hint", autocomplete: "off" });
  const work = async () => {
    require(answer, "recover.answer_missing");
    await give(context, flow, "question", { kind: "question", value: answer.input.value.trim() });
  };
  return [form({ rows: [answer.row], submit: "register.confirm", work, handle: misfit(context, flow, answer) }).element];
}

/** `kind`: our word for the piece. A used saved code has a successor, which is to be kept before anything else. */
async function give(context, flow, kind, piece) {
  const answer = await context.recovery.show(flow, piece);
  const kept = context.kept.shown(flow, kind);
  const note = kind === "question" ? "recover.answered" : null;
  const next = () => context.go(kept, note);
  if (!answer?.recovery_code) return next();
  return context.show(entrance({
    title: "codes.title",
    parts: [
      h("p", { say: () => t("codes.new_one", { code: answer.recovery_code }) }),
      h("button", { type: "button", class: "primary", say: "codes.done", on: { click: next } }),
    ],
  }));
}

function misfit(context, flow, shown) {
  return (error) => {
    if (error.code === "code_invalid") {
      shown.fail("recover.misfit");
      shown.input.select();
      return true;
    }
    return gone(context, flow, error) || fieldsOnly(error);
  };
}

/** What no form can mend: the recovery waits, or is over. */
function gone(context, flow, error) {
  if (!["conflict", "flow_gone"].includes(error.code)) return false;
  context.go(flow).catch(() => context.begin());
  return true;
}
