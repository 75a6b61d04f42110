/** A copy of what is stored of the account, and the account's end. */

import { DOWNLOAD_TYPE } from "../core/media.js";
import { AccountError } from "../net/accounts.js";
import { Card } from "./card.js";
import { h } from "./dom.js";
import { dialog, form } from "./forms.js";
import { fullDate, t } from "./speech.js";

const ASK_AGAIN_MS = 1_000;
/** An account with very much in it takes some seconds. */
const ASKS = 60;

export function leavingCard(own) {
  const card = new Card("leave.data");
  const fetchCopy = own.guard(async () => {
    const copy = await copyOf(own);
    if (!copy) return;
    save(copy, `garita-${own.profile.username}.json`);
    card.tell("leave.copied");
  });
  const end = own.guard(async () => {
    const told = await endAccount(own);
    if (!told) return;
    await own.refresh();
    card.draw();
    card.tell(() => t("leave.ending", { date: fullDate(told.deletes_ms) }));
  });
  card.draw = () => {
    const going = own.changes.find((change) => change.kind === "deletion");
    card.show(
      h("p", { say: "leave.copy_lead" }),
      h("button", { type: "button", class: "quiet", say: "leave.copy", on: { click: fetchCopy } }),
      h("p", { say: going ? () => t("leave.ending", { date: fullDate(going.effective_ms) }) : "leave.end_lead" }),
      !going && h("button", { type: "button", class: "quiet", say: "leave.end", on: { click: end } }));
  };
  return card;
}

/** The copy that was made today, or a new one; null where the fresh proof was not given. */
async function copyOf(own) {
  const ready = (answer) => answer?.account !== undefined;
  const ask = () => own.change("GET", "/me/export");
  let answer = await ask().catch((error) => {
    if (error.code !== "not_found") throw error;
    return own.change("POST", "/me/export", {});
  });
  for (let asked = 0; answer && !ready(answer); asked += 1) {
    if (asked === ASKS) throw new AccountError("overloaded");
    await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
    answer = await ask();
  }
  return answer;
}

function save(copy, name) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(copy, null, 2)], { type: DOWNLOAD_TYPE }));
  h("a", { href: address, download: name }).click();
  // The browser reads it on its own time.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function endAccount(own) {
  return dialog({
    title: "leave.end_title",
    content: (close) => {
      const work = async () => {
        const told = await own.change("DELETE", "/me");
        if (told) close(told);
      };
      return [h("p", { say: "leave.end_what" }), form({
        rows: [], submit: "leave.end", work,
        others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: () => close() } })],
      }).element];
    },
  }).open();
}
