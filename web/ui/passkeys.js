/** One's passkeys: adding, naming, removing. */

import { deviceName } from "../core/people.js";
import { makePasskey, passkeyHost, passkeysKnown } from "../net/passkeys.js";
import { Card, entry, entryButton } from "./card.js";
import { h } from "./dom.js";
import { FieldTrouble, dialog, field, fieldsOnly, form } from "./forms.js";
import { remove, removalTold } from "./removal.js";
import { fullDate, t } from "./speech.js";

const LABEL_CHARS = 64;

export function passkeysCard(own) {
  const card = new Card("passkey.title");
  const again = async (said) => {
    await own.refresh();
    await card.draw();
    card.tell(said);
  };
  const add = own.guard(async () => {
    const asked = await own.change("POST", "/me/passkeys/options", {});
    if (!asked) return;
    const credential = await makePasskey(asked.options);
    const label = deviceName(navigator.userAgent).slice(0, LABEL_CHARS);
    if (await own.change("POST", "/me/passkeys", { credential, label })) await again("passkey.added");
  });
  const away = (one, name) => own.guard(async () => {
    const removal = await remove(own, { path: `/me/passkeys/${one.id}`, title: ["passkey.remove_long", { name }], lead: "passkey.remove_lead" });
    if (removal) await again(removalTold(removal));
  });
  const rename = (one) => own.guard(async () => (await nameAnew(own, one)) && again("passkey.named"));
  const keep = (id) => own.guard(async () => (await own.keep(id)) && again("removal.kept"));
  const item = (one, name = one.label || t("passkey.unnamed")) => entry(
    [h("strong", {}, name),
      h("p", { class: "hint", say: () => t("passkey.times", { added: fullDate(one.added_ms), used: one.used_ms ? fullDate(one.used_ms) : t("passkey.never") }) })],
    entryButton("passkey.name", ["passkey.name_long", { name }], rename(one)),
    entryButton("passkey.remove", ["passkey.remove_long", { name }], away(one, name)));
  const going = (change) => entry(
    [h("strong", { say: "passkey.unnamed" }), h("p", { class: "hint", say: () => t("passkey.removing", { date: fullDate(change.cancel_until_ms) }) })],
    entryButton("removal.keep", null, keep(change.id)));
  card.draw = async () => {
    const { passkeys, possible } = await own.read("/me/passkeys");
    const leaving = own.changes.filter((change) => change.factor === "passkey" && change.cancel_until_ms > Date.now());
    const elsewhere = passkeyHost();
    const usable = possible && !elsewhere && passkeysKnown();
    card.show(
      h("p", { say: "passkey.lead" }),
      passkeys.length || leaving.length
        ? h("ul", { class: "entries" }, passkeys.map((one) => item(one)), leaving.map(going))
        : h("p", { say: "passkey.none" }),
      !possible && h("p", { class: "hint", say: "passkey.impossible" }),
      possible && elsewhere && h("p", { class: "hint", say: () => t("passkey.elsewhere", { address: elsewhere }) }),
      usable && h("button", { type: "button", class: passkeys.length ? "quiet" : "primary", say: "passkey.add", on: { click: add } }));
  };
  return card;
}

function nameAnew(own, one) {
  return dialog({
    title: "passkey.name_title",
    content: (close) => {
      const label = field({ name: "label", word: "passkey.name_field", value: one.label, maxlength: LABEL_CHARS, autocomplete: "off" });
      const work = async () => {
        if (!label.input.value.trim()) throw new FieldTrouble(label, "passkey.name_missing");
        await own.send("PATCH", `/me/passkeys/${one.id}`, { label: label.input.value.trim() });
        close(true);
      };
      return [form({ rows: [label.row], submit: "settings.submit", work, handle: fieldsOnly }).element];
    },
  }).open();
}
