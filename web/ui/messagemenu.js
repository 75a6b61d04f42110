/** What one can do to a message: the entries of its menu, and the dialogs behind two of them. */

import { alarm, announce } from "./announce.js";
import { h } from "./dom.js";
import { dialog, field, form } from "./forms.js";
import { quoted } from "./message.js";
import { sentence } from "./problems.js";
import { t } from "./speech.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "👀", "✅"];
const REASONS = ["spam", "abuse", "illegal", "other"];
const MODERATORS = ["moderator", "owner"];

/** `composer()`: where answers and new texts are written. Gives `files`, `react` and `entries` for MessageItem. */
export function messageDeeds({ chat, room, files, composer }) {
  const react = (event, emoji, on) => chat.deeds.react(room.id, event.mid, emoji, on).catch((error) => alarm(sentence(error)));
  // The button that began it goes with the message's text: the focus goes on to where one writes.
  const deleteThen = async (event, picture) => {
    if (await deleteMessage(chat, room, event, picture)) composer().focus();
  };
  const entries = (event, picture) => {
    const mine = event.user.id === chat.user.id;
    const speaks = room.role !== "muted";
    const pressed = (emoji) => picture.reactions.some((one) => one.emoji === emoji && one.mine);
    const row = EMOJI.map((text) => ({
      text, saying: ["reactions.put", { emoji: text }], pressed: pressed(text), run: () => react(event, text, !pressed(text)),
    }));
    return [
      speaks && { row },
      speaks && { say: "reply.begin", run: () => composer().answer(event, picture) },
      mine && speaks && picture.text && { say: "edit.begin", run: () => composer().edit(event, picture) },
      !mine && { say: "report.begin", run: () => reportMessage(chat, room, event, picture) },
      (mine || MODERATORS.includes(room.role)) && { say: "delete.begin", danger: true, run: () => deleteThen(event, picture) },
    ].filter(Boolean);
  };
  return { files, react, entries };
}

function deleteMessage(chat, room, event, picture) {
  const note = event.user.id === chat.user.id ? null : noteField();
  return dialog({
    title: "delete.title",
    content: (close) => [
      h("blockquote", { class: "quote" }, quoted(event, picture)),
      h("p", { say: "delete.lead" }),
      form({
        rows: [note?.row ?? []].flat(), submit: "delete.submit", others: [cancel(close)],
        work: async () => close(await chat.deeds.remove(room.id, event.mid, note?.input.value.trim())),
      }).element,
    ],
  }).open();
}

function reportMessage(chat, room, event, picture) {
  const note = noteField("report.note_hint");
  const choice = (reason, at) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "reason", value: reason, checked: at === 0 }), h("span", { say: `report.${reason}` }));
  const reasons = h("fieldset", {}, h("legend", { say: "report.reason" }), REASONS.map(choice));
  return dialog({
    title: "report.title",
    content: (close) => [
      h("blockquote", { class: "quote" }, quoted(event, picture)),
      form({
        rows: [reasons, note.row], submit: "report.submit", others: [cancel(close)],
        work: async () => {
          await chat.deeds.report(room.id, event.mid, reasons.querySelector(":checked").value, note.input.value.trim());
          announce(t("report.done"));
          close(true);
        },
      }).element,
    ],
  }).open();
}

/** A few words for the room's audit trail. */
export function noteField(hint = "note.hint") {
  return field({ name: "note", word: "note", hint, maxlength: 512, autocomplete: "off" });
}

export function cancel(close) {
  return h("button", { type: "button", class: "quiet", say: "cancel", on: { click: () => close() } });
}
