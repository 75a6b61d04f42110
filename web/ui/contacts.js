/** Addresses and numbers of the account: adding one with its code, what each is good for, removing, and keeping what is being removed. */

import { captcha } from "./captcha.js";
import { contact as contactOf } from "../core/people.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { FieldTrouble, codeField, dialog, field, fieldsOnly, form, submitWhenComplete } from "./forms.js";
import { refusedAsNew } from "./own.js";
import { remove, removalTold } from "./removal.js";
import { fullDate, t } from "./speech.js";

/** A number that was not confirmed for so long is asked after: at two years it counts for less. */
const CONFIRM_AGAIN_MS = 365 * 86_400_000;

/** `kind`: `emails` or `phones`. */
export function contactsCard(kind) {
  return (own) => {
    const card = new Card(`contact.${kind}`);
    const again = async (said) => {
      await own.refresh();
      await card.draw();
      card.tell(said);
    };
    const prove = (known) => own.guard(async () => {
      const proved = await proveContact(own, kind, known);
      if (proved) await again(() => t(proved.state === "probation" ? "contact.added" : "contact.proved", { value: proved.value, date: proved.matures_ms ? fullDate(proved.matures_ms) : "" }));
      else await card.draw();
    });
    const away = (one) => own.guard(async () => {
      const removal = await remove(own, { path: `/me/${kind}/${one.id}`, title: ["contact.remove_long", { value: one.value }], lead: "contact.remove_lead" });
      if (removal) await again(removalTold(removal));
    });
    const keep = (one) => own.guard(async () => (await own.keep(one.id)) && again("removal.kept"));
    const disown = (one) => own.guard(async () => {
      const answer = await own.change("POST", `/me/${kind}/${one.id}/not-mine`, {}).catch(refusedAsNew);
      if (answer) await again("contact.disowned");
    });
    const item = (one) => entry(
      [h("strong", {}, h("bdi", {}, one.value)), h("span", { class: `chip ${stateOf(one)}`, say: `contact.state_${stateOf(one)}` }),
        one.suspect ? h("p", { class: "trouble", say: "contact.suspect" })
          : h("p", { class: "hint", say: () => meaning(kind, one, own.removalOf({ id: one.id })) }),
        one.asked && h("p", { class: "trouble", say: "contact.asked" })],
      one.state === "pending" && entryButton("contact.type_code", ["contact.type_code_long", { value: one.value }], prove(one.value)),
      wantsProof(one) && entryButton("contact.still_mine", ["contact.still_mine_long", { value: one.value }], prove(one.value)),
      one.asked && entryButton("contact.not_mine", ["contact.not_mine_long", { value: one.value }], disown(one)),
      one.state === "retiring" && own.removalOf({ id: one.id })?.cancel_until_ms > Date.now()
        && entryButton("removal.keep", ["removal.keep_long", { name: one.value }], keep(one)),
      ["probation", "mature"].includes(one.state) && entryButton("contact.remove", ["contact.remove_long", { value: one.value }], away(one)));
    card.draw = async () => {
      const { contacts } = await own.read(`/me/${kind}`);
      card.show(
        h("p", { say: `contact.${kind}_lead` }),
        contacts.length ? h("ul", { class: "entries" }, contacts.map(item)) : h("p", { class: "hint", say: `contact.${kind}_none` }),
        h("button", { type: "button", class: contacts.length ? "quiet" : "primary", say: `contact.${kind}_add`, on: { click: prove(null) } }));
    };
    return card;
  };
}

/** What is in doubt counts for nothing, however old it is. */
function stateOf(one) {
  return one.suspect && one.state === "mature" ? "suspect" : one.state;
}

function wantsProof(one) {
  return one.state === "mature" && (one.asked || one.suspect || Date.now() - one.confirmed_ms > CONFIRM_AGAIN_MS);
}

/** What a contact is good for, and since when. */
function meaning(kind, one, removal) {
  if (one.state === "pending") return t("contact.means_pending");
  if (one.state === "probation") return t("contact.means_probation", { date: fullDate(one.matures_ms) });
  if (one.state === "mature") return t(`contact.means_${kind}`, { date: fullDate(one.proved_ms), confirmed: fullDate(one.confirmed_ms) });
  const until = removal?.cancel_until_ms > Date.now() ? t("contact.means_keep", { date: fullDate(removal.cancel_until_ms) }) : "";
  return `${t("contact.means_retiring", { date: fullDate(one.effective_ms) })} ${until}`.trim();
}

/** Adds a contact, or proves one that is there (`known`): the code is sent and typed. The `<contact>`, or null. */
function proveContact(own, kind, known) {
  return dialog({
    title: known ? "contact.prove_title" : `contact.${kind}_add`,
    content: (close) => {
      const element = h("div", {});
      const address = field({
        name: "contact", word: `contact.${kind}_field`, hint: `contact.${kind}_hint`, type: kind === "emails" ? "email" : "tel",
        autocomplete: kind === "emails" ? "email" : "tel", autocapitalize: "none", spellcheck: "false", value: known ?? "", readOnly: Boolean(known),
      });
      // Numbers want work from a device that does not count yet, and further texts a picture.
      const guard = captcha({ accounts: own.accounts, action: "contact", flow: () => contactOf(address.input.value)?.phone ?? "" });
      const work = async () => {
        const wanted = contactOf(address.input.value);
        if (!wanted || !(kind === "emails" ? wanted.email : wanted.phone)) throw new FieldTrouble(address, `contact.${kind}_bad`);
        const sent = await guard.send((asked) => own.change("POST", `/me/${kind}`, { ...wanted, ...asked }));
        if (sent) element.replaceChildren(...codeStep(own, { kind, id: sent.id, value: address.input.value.trim(), close }));
        element.querySelector("input").focus();
      };
      const handle = (error) => {
        if (error.code !== "invalid_request") return fieldsOnly(error);
        address.fail(`contact.${kind}_bad`);
        return true;
      };
      element.append(form({ rows: [address.row, guard.element], submit: "contact.send", work, handle }).element);
      return [element];
    },
  }).open();
}

function codeStep(own, { kind, id, value, close }) {
  const code = codeField({ word: "register.code" });
  const work = async () => {
    if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
    close(await own.send("POST", `/me/${kind}/${id}/verify`, { code: code.code() }));
  };
  const handle = (error) => {
    if (error.code !== "code_invalid") return fieldsOnly(error);
    code.fail("account.code_invalid");
    code.input.select();
    return true;
  };
  const made = form({ rows: [code.row], submit: "register.confirm", work, handle });
  submitWhenComplete(code, made);
  return [h("p", { say: ["contact.code_lead", { to: value }] }), made.element];
}
