/** What became of a message of one's own: on its way, refused and waiting for a decision, or how far it has come with the others. */

import { FAILED, STORED } from "../core/outbox.js";
import { h, icon } from "./dom.js";
import { personMark } from "./marks.js";
import { textBody } from "./message.js";
import { protocolSentence } from "./problems.js";
import { t } from "./speech.js";

/** `chat`: whose sender repeats it, or gives it up. */
export function waitingItem(entry, chat) {
  const failed = entry.state === FAILED;
  const word = failed ? () => protocolSentence(entry.error) : entry.state === STORED ? "sent" : "sending";
  const again = () => chat.sender.again(entry.cmid, entry.room);
  const drop = () => chat.sender.giveUp(entry.cmid);
  return h("li", { class: failed ? "message waiting failed" : "message waiting" },
    personMark({ id: chat.user.id, name: chat.user.username }),
    h("div", { class: "said" },
      entry.text && textBody(entry.text),
      entry.files.map((file) => h("p", { class: "hint" }, icon("file"), h("bdi", {}, file.name))),
      h("p", { class: "hint", role: failed ? "alert" : null, say: word }),
      failed && h("div", { class: "actions" },
        h("button", { type: "button", class: "quiet small", say: "again", on: { click: again } }),
        h("button", { type: "button", class: "quiet small", say: "discard", on: { click: drop } }))));
}

/** `read`, `received`: so many of the `others`. */
export function receiptText({ read, received, others, direct }) {
  if (others === 0) return "";
  if (direct || others === 1) return t(read ? "receipt.read" : received ? "receipt.received" : "receipt.stored");
  if (read === others) return t("receipt.read_all");
  if (read > 0) return t("receipt.read_by", { count: read, others });
  return received > 0 ? t("receipt.received_by", { count: received, others }) : t("receipt.stored");
}
