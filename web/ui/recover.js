/** Getting an account back: the beginning, and the view that a recovery's state asks for (docs/auth-api.md §9). */

import { Recovery } from "../net/recovery.js";
import { Recoveries } from "../state/recoveries.js";
import { captcha } from "./captcha.js";
import { fill, h } from "./dom.js";
import { entrance } from "./entrance.js";
import { evidenceView } from "./evidence.js";
import { field, fieldsOnly, form } from "./forms.js";
import { require } from "./login.js";
import { sentence } from "./problems.js";
import { completeView, endedView, waitingView } from "./recovered.js";

const LINK = /^[a-p]{64}$/;
const ENDED = new Set(["refused", "vetoed", "expired", "completed"]);

/** The first view. `link`: what stands behind `#/recover/`, the letters of a warning's link or nothing. */
export function recoverView({ accounts, memory, show, link = "" }) {
  const recovery = new Recovery(accounts);
  const kept = new Recoveries(memory);
  const context = { accounts, recovery, kept, show };
  context.begin = () => show(startView(context, LINK.test(link) ? link : null));
  context.go = (flow, note = null) => goOn(context, flow, note);
  return startView(context, LINK.test(link) ? link : null);
}

function startView(context, link) {
  const { accounts, recovery, kept } = context;
  const identifier = field({
    name: "identifier", word: "login.identifier", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
  });
  const goal = (value, checked) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "goal", value, checked }),
    h("span", {}, h("strong", { say: `recover.goal_${value}` }), h("span", { class: "hint", say: `recover.goal_${value}_hint` })));
  const goals = h("fieldset", {}, h("legend", { say: "recover.goal" }), goal("password", true), goal("mfa", false));
  const guard = captcha({ accounts, action: "recover", flow: () => identifier.input.value.trim(), always: true });
  const work = async () => {
    require(identifier, "login.identifier_missing");
    const wanted = { identifier: identifier.input.value.trim(), goal: goals.querySelector(":checked").value, link };
    const begun = await guard.send((asked) => recovery.start(wanted, asked));
    const flow = kept.keep({ id: begun.flow_id, secret: begun.flow_secret, name: wanted.identifier, goal: wanted.goal, shown: [] });
    await context.go(flow);
  };
  const made = form({ rows: [identifier.row, goals, guard.element], submit: "recover.begin", work, handle: fieldsOnly });
  made.element.addEventListener("input", () => guard.prepare());
  return entrance({
    title: "recover.title",
    lead: "recover.lead",
    parts: [
      begunBefore(context),
      link && h("p", { class: "note", say: "recover.linked" }),
      made.element,
      h("p", { class: "other" }, h("a", { href: "#/login", say: "login.again" })),
    ],
  });
}

/** What was begun here and is not over, to go on with. */
function begunBefore(context) {
  const flows = context.kept.all();
  if (flows.length === 0) return null;
  const trouble = h("p", { class: "trouble", role: "alert" });
  const go = (flow) => async () => {
    try {
      await context.go(flow);
    } catch (error) {
      fill(trouble, sentence(error));
    }
  };
  return h("section", { class: "begun" },
    h("h2", { say: "recover.begun" }),
    flows.map((flow) => h("button", { type: "button", class: "tile", on: { click: go(flow) } },
      h("strong", { say: ["recover.go_on", { name: flow.name }] }), h("span", { class: "hint", say: `recover.goal_${flow.goal}` }))),
    trouble);
}

/** Asks how a recovery stands and shows what is to be done. `note`: a sentence to show first. */
async function goOn(context, flow, note) {
  const { recovery, show } = context;
  let found;
  try {
    found = await recovery.state(flow);
  } catch (error) {
    if (error.code !== "flow_gone") throw error;
    found = { state: "gone" };
  }
  if (found.state === "approved") return show(completeView(context, flow, note));
  if (found.state === "gone" || ENDED.has(found.state)) return show(endedView(context, flow, found.state));
  const isWaiting = found.state === "holding" && Date.now() < found.not_before_ms;
  if (isWaiting) return show(waitingView(context, flow, found.not_before_ms, note));
  const question = found.question ? (await recovery.questions()).get(found.question) : null;
  return show(evidenceView(context, flow, { question, again: found.state === "holding", note }));
}
