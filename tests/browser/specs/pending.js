import { AccountError } from "/net/accounts.js";
import { Alerts } from "/ui/alerts.js";
import { pendingCard } from "/ui/pending.js";
import { same } from "./check.js";

const DAY_MS = 86_400_000;

/** An account of which nothing waits, but what is said otherwise. `sent`: what was asked of the server. `refuse`: the code of the refusals. */
function stand({ refuse = null, ...known } = {}) {
  const sent = [];
  const answer = (...words) => {
    sent.push(words.slice(0, 3));
    return refuse ? Promise.reject(new AccountError(refuse)) : Promise.resolve({});
  };
  const trouble = [];
  const own = Object.assign(new EventTarget(), {
    changes: [], recoveries: [], sessions: [], oneContact: false, ...known, send: answer, change: answer,
    keep: (id) => answer("DELETE", `/me/pending-changes/${id}`),
    refresh: async () => card.draw(),
    guard: (work) => () => work().catch((error) => trouble.push(error.code)),
  });
  for (const id of ["news", "trouble"]) if (!document.getElementById(id)) document.body.append(Object.assign(document.createElement("div"), { id }));
  const card = pendingCard(own);
  document.body.append(card.element);
  card.draw();
  const press = async (name) => {
    [...card.element.querySelectorAll("button")].find((button) => button.textContent === name).click();
    await new Promise((done) => setTimeout(done));
  };
  return { card, sent, press, trouble, text: () => card.element.textContent };
}

const ASKED = { id: "s1", device_label: "a phone", current: false, asked: { by_device_label: "a stranger", asked_ms: 1, ends_ms: Date.now() + DAY_MS } };
const RECOVERY = { id: "r1", goal: "mfa", started_ms: 1, not_before_ms: Date.now() + DAY_MS };

export const spec = {
  "nothing that waits is nothing to see": () => {
    same(stand().card.element.hidden, true);
  },
  "a session that is asked is kept or ended by its owner's answer": async () => {
    const kept = stand({ sessions: [{ id: "s0", current: true }, ASKED] });
    same([kept.text().includes("your session on a phone"), kept.text().includes("Asked for by a stranger")], [true, true]);
    await kept.press("It was not me: keep it");
    const ended = stand({ sessions: [ASKED] });
    await ended.press("It was me: end it now");
    same([kept.sent, ended.sent], [[["POST", "/sessions/s1/answer", { was_me: false }]], [["POST", "/sessions/s1/answer", { was_me: true }]]]);
    same([kept.text().includes("The session stays"), document.activeElement.textContent], [true, "Please look at this"]);
  },
  "a device that is too new to answer is told so": async () => {
    const { press, trouble } = stand({ refuse: "step_up_required", sessions: [ASKED] });
    await press("It was not me: keep it");
    same(trouble, ["device_new"]);
  },
  "a recovery that waits is objected to": async () => {
    const { sent, press, text } = stand({ recoveries: [RECOVERY] });
    same(text().includes("two-step login off"), true);
    await press("It was not me: object");
    same(sent, [["POST", "/recoveries/r1/veto", {}]]);
  },
  "a removal is taken back while it can be": async () => {
    const removal = { id: "c1", kind: "removal", factor: "phone", effective_ms: Date.now() + 37 * DAY_MS, cancel_until_ms: Date.now() + DAY_MS };
    const over = { ...removal, id: "c2", cancel_until_ms: Date.now() - 1 };
    const { card, sent, press } = stand({ changes: [removal, over] });
    same(card.element.querySelectorAll("li").length, 1);
    await press("Keep it");
    same(sent, [["DELETE", "/me/pending-changes/c1"]]);
  },
  "one address alone is told, with what can be done": () => {
    const { card } = stand({ oneContact: true });
    same(card.element.querySelector("a").getAttribute("href"), "#/account/signin");
    const waiting = stand({ oneContact: true, changes: [{ id: "t1", kind: "probation", factor: "totp", effective_ms: Date.now() + DAY_MS }] });
    same([waiting.card.element.querySelector("a"), waiting.text().includes("begins to count")], [null, true]);
  },
  "above every view stands what must be answered; the one address only after a login, until it is put away": () => {
    const seen = (loggedIn, what) => {
      const alerts = new Alerts({ loggedIn });
      alerts.show(what);
      return alerts;
    };
    const calm = { asked: false, recovered: false, one: true };
    const link = (alerts) => alerts.element.querySelector("a")?.getAttribute("href") ?? null;
    same([seen(false, { ...calm, unconfirmed: true }), seen(true, { ...calm, unconfirmed: true })].map(link), [null, "#/account/devices"]);
    same([seen(false, calm), seen(true, calm), seen(false, { ...calm, asked: true }), seen(true, { ...calm, recovered: true })].map(link), [null, "#/account/signin", "#/account", "#/account"]);
    const after = seen(true, calm);
    after.element.querySelector("button").click();
    after.show(calm);
    same(link(after), null);
  },
};
