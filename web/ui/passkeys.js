/** One's passkeys and recovery codes, on the account's page. */

import { deviceName } from "../core/people.js";
import { makePasskey, passkeyHost, passkeysKnown } from "../net/passkeys.js";
import { announce } from "./announce.js";
import { fill, h } from "./dom.js";
import { copyButton } from "./forms.js";
import { fullDate, t } from "./speech.js";
import { withStepUp } from "./stepup.js";

export async function drawPasskeys(section, context, note = null) {
  const { accounts, session, guard } = context;
  const { passkeys, possible } = await session.withToken((token) => accounts.passkeys(token));
  const elsewhere = passkeyHost();
  const usable = possible && !elsewhere && passkeysKnown();
  const again = async (said) => {
    await session.loadProfile();
    await drawPasskeys(section, context, said);
    section.querySelector("h2").focus();
  };
  const add = guard(async () => {
    const made = await withStepUp(session, accounts, async () => {
      const { options } = await session.withToken((token) => accounts.passkeyOptions(token));
      const credential = await makePasskey(options);
      return session.withToken((token) => accounts.addPasskey(token, { credential, label: deviceName(navigator.userAgent).slice(0, 64) }));
    });
    if (!made) return;
    announce(t("passkey.added"));
    await again("passkey.added");
  });
  const remove = (id) => guard(async () => {
    const gone = await withStepUp(session, accounts, () => session.withToken((token) => accounts.removePasskey(token, id)));
    if (gone) await again(() => t("passkey.removing", { date: fullDate(gone.cancel_until_ms) }));
  });
  const item = (one, name = one.label || t("passkey.unnamed")) => h("li", {},
    h("div", {}, h("strong", {}, name),
      h("p", { class: "hint", say: () => t("passkey.times", { added: fullDate(one.added_ms), used: one.used_ms ? fullDate(one.used_ms) : t("passkey.never") }) })),
    h("button", {
      type: "button", class: "quiet", say: "passkey.remove", saying: { "aria-label": ["passkey.remove_long", { name }] }, on: { click: remove(one.id) },
    }));
  fill(section,
    h("h2", { id: "passkeys-title", tabindex: "-1", say: "passkey.title" }),
    h("p", { say: "passkey.lead" }),
    note && h("p", { class: "note", role: "status", say: note }),
    passkeys.length ? h("ul", { class: "sessions" }, passkeys.map((one) => item(one))) : h("p", { say: "passkey.none" }),
    !possible && h("p", { class: "hint", say: "passkey.impossible" }),
    possible && elsewhere && h("p", { class: "hint", say: () => t("passkey.elsewhere", { address: elsewhere }) }),
    usable && h("button", { type: "button", class: "primary", say: "passkey.add", on: { click: add } }));
}

export function drawCodes(section, context, codes = null) {
  const { accounts, session, guard } = context;
  const make = guard(async () => {
    const made = await withStepUp(session, accounts, () => session.withToken((token) => accounts.makeCodes(token)));
    if (!made) return;
    await session.loadProfile();
    drawCodes(section, context, made.codes);
    section.querySelector("h2").focus();
  });
  const count = session.profile.recovery_codes;
  fill(section,
    h("h2", { id: "codes-title", tabindex: "-1", say: "codes.title" }),
    h("p", { say: "codes.lead" }),
    codes && h("p", { class: "note", say: "codes.now" }),
    codes && h("ol", { class: "codes" }, codes.map((code) => h("li", {}, h("code", {}, code)))),
    h("div", { class: "actions" },
      !codes && count > 0 && h("span", { say: () => t("codes.left", { count }) }),
      codes && copyButton(() => codes.join("\n")),
      h("button", { type: "button", class: "quiet", say: "codes.make", on: { click: make } })));
}
