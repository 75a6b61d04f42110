/** The later views of a recovery: the wait and what is to be known of it, the new password, and what was ended. */

import { h } from "./dom.js";
import { entrance } from "./entrance.js";
import { FieldTrouble, fieldsOnly, form, passwordField } from "./forms.js";
import { LEAST_PASSWORD, weakness } from "./register.js";
import { fullDate, t } from "./speech.js";

const LOOK_MS = 20_000;

/** Until when, why, what shortens it, and who was told. It looks again by itself when the time is over. */
export function waitingView(context, flow, until, note) {
  const look = () => context.go(flow);
  const points = ["recover.wait_why", "recover.wait_told", "recover.wait_shorter", "recover.wait_back"];
  const forget = () => {
    context.kept.forget(flow);
    context.begin();
  };
  const view = entrance({
    title: "recover.wait_title",
    lead: () => t("recover.wait_until", { name: flow.name, date: fullDate(until) }),
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      h("ul", { class: "facts" }, points.map((point) => h("li", { say: point }))),
      form({
        rows: [], submit: "recover.look", work: look,
        others: [h("button", { type: "button", class: "quiet", say: "recover.other", on: { click: context.begin } })],
      }).element,
      h("p", { class: "other" }, h("button", { type: "button", class: "link", say: "recover.forget", on: { click: forget } })),
    ],
  });
  lookLater(view, until, look);
  return view;
}

function lookLater(view, until, look) {
  const timer = setInterval(() => {
    const isOver = Date.now() >= until;
    if (isOver || !view.isConnected) clearInterval(timer);
    // Without the server the reader presses the button.
    if (isOver && view.isConnected) look().catch(() => {});
  }, Math.min(LOOK_MS, Math.max(1000, until - Date.now())));
}

/** The end: a new password, or the second factors off. */
export function completeView(context, flow, note) {
  const wantsPassword = flow.goal === "password";
  const password = wantsPassword && passwordField({ name: "password", word: "recover.new_password", hint: "register.password_hint", autocomplete: "new-password" });
  const work = async () => {
    if (password && [...password.input.value].length < LEAST_PASSWORD) throw new FieldTrouble(password, "weak.too_short");
    await context.recovery.complete(flow, password ? password.input.value : null);
    context.kept.forget(flow);
    context.show(doneView(flow));
  };
  const handle = (error) => {
    if (password && weakness(error, password)) return true;
    if (!["conflict", "flow_gone"].includes(error.code)) return fieldsOnly(error);
    context.go(flow).catch(() => context.begin());
    return true;
  };
  // For password managers, which keep a password by its name.
  const name = password && h("input", { name: "username", autocomplete: "username", value: flow.name, hidden: true, readOnly: true });
  return entrance({
    title: "recover.approved",
    lead: ["recover.approved_lead", { name: flow.name }],
    parts: [
      note && h("p", { class: "note", role: "status", say: note }),
      h("p", { say: wantsPassword ? "recover.ends_password" : "recover.ends_mfa" }),
      form({ rows: [name, password && password.row].filter(Boolean), submit: wantsPassword ? "recover.set_password" : "recover.turn_off", work, handle }).element,
    ],
  });
}

function doneView(flow) {
  const points = ["recover.ended_sessions", "recover.ended_devices", "recover.ended_young", "recover.ended_guard"];
  return entrance({
    title: "recover.done_title",
    lead: flow.goal === "password" ? "recover.done_password" : "recover.done_mfa",
    parts: [
      h("ul", { class: "facts" }, points.map((point) => h("li", { say: point }))),
      h("p", {}, h("a", { href: "#/login", class: "primary button", say: "login.title" })),
    ],
  });
}

/** Nothing more can be done with this one. */
export function endedView(context, flow, state) {
  context.kept.forget(flow);
  return entrance({
    title: "recover.over",
    lead: `recover.over_${state}`,
    parts: [
      h("button", { type: "button", class: "primary", say: "recover.again", on: { click: context.begin } }),
      h("p", { class: "other" }, h("a", { href: "#/login", say: "login.again" })),
    ],
  });
}
