/**
 * One's own account, in parts: `#/account` is the profile, `#/account/signin` and so on the others. What waits for an answer stands
 * above each of them. The cards of a part are modules of their own.
 */

import { h, icon } from "./dom.js";
import { OwnAccount } from "./own.js";
import { codesCard } from "./codes.js";
import { contactsCard } from "./contacts.js";
import { devicesCard } from "./devices.js";
import { eventsCard } from "./securityevents.js";
import { leavingCard } from "./leaving.js";
import { passkeysCard } from "./passkeys.js";
import { passwordCard } from "./password.js";
import { pendingCard } from "./pending.js";
import { profileCard } from "./profile.js";
import { questionCard } from "./question.js";
import { sessionsCard } from "./sessions.js";
import { totpCard } from "./totp.js";

const PARTS = {
  profile: { word: "account.profile", cards: [profileCard, leavingCard] },
  signin: { word: "account.signin", cards: [passwordCard, totpCard, passkeysCard, codesCard, questionCard] },
  contacts: { word: "account.contacts", cards: [contactsCard("emails"), contactsCard("phones")] },
  devices: { word: "account.devices", cards: [devicesCard, sessionsCard] },
  events: { word: "account.events", cards: [eventsCard] },
};

/** The part of that name, the profile where there is none, to stand in the main part of the shell. */
export function accountView(context, name) {
  const part = Object.hasOwn(PARTS, name) ? name : "profile";
  const own = new OwnAccount(context);
  const waiting = pendingCard(own);
  const cards = PARTS[part].cards.map((make) => make(own));
  const drawAll = () => Promise.all(cards.map((card) => card.draw()));
  const retry = h("button", { type: "button", class: "quiet", say: "again", hidden: true });
  const load = own.guard(async () => {
    retry.hidden = true;
    try {
      await own.refresh();
      await drawAll();
    } catch (error) {
      retry.hidden = false;
      throw error;
    }
  });
  own.addEventListener("refreshed", () => waiting.draw());
  own.addEventListener("answered", () => {
    context.looked();
    own.guard(drawAll)();
  });
  retry.addEventListener("click", load);
  load();
  return h("div", { class: "page" },
    h("header", { class: "bar" },
      h("a", { href: "#/", class: "icon-button back", saying: { "aria-label": "rooms.back" } }, icon("back")),
      h("h1", { tabindex: "-1", say: PARTS[part].word })),
    h("nav", { class: "parts", saying: { "aria-label": "account.title" } }, h("ul", {}, Object.entries(PARTS).map(([other, { word }]) => h("li", {},
      h("a", { href: other === "profile" ? "#/account" : `#/account/${other}`, "aria-current": other === part ? "page" : null, say: word }))))),
    h("div", { class: "cards" }, own.trouble, retry, waiting.element, cards.map((card) => card.element)));
}
