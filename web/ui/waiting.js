/** A message of one's own that the room does not have yet: on its way, or refused and waiting for a decision. */

import { FAILED, STORED } from "../core/outbox.js";
import { h, icon } from "./dom.js";
import { personMark } from "./marks.js";
import { textBody } from "./message.js";
import { protocolSentence } from "./problems.js";

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
