/** A code that is sent first and typed then: two forms, of which the second comes when the first was sent. */

import { FieldTrouble, codeField, form, submitWhenComplete } from "./forms.js";
import { bind } from "./speech.js";
import { h } from "./dom.js";

/**
 * `guard`: of the sending; `send(asked)` and `give(code)` make the requests; `handle(error, field)` for the code, `lost(error)` for
 * the sending; `sent`: the sentence when a code is on its way. Gives elements.
 */
export function sentCode({ guard, send, give, handle, lost, sent, submit, others = [] }) {
  const code = codeField({ word: "register.code", hint: "code.sent_hint" });
  const note = h("p", { class: "note", role: "status", hidden: true, say: sent });
  const sending = form({
    rows: [guard.element], submit: "code.send", handle: lost, others,
    work: async () => {
      await guard.send(send);
      note.hidden = false;
      bind(sending.button, "text", "code.send_again");
      sending.button.className = "quiet";
      typing.element.hidden = false;
      code.input.focus();
    },
  });
  const typing = form({
    rows: [code.row], submit, handle: (error) => handle(error, code),
    work: async () => {
      if (code.code().length !== 6) throw new FieldTrouble(code, "code.six");
      await give(code.code());
    },
  });
  typing.element.hidden = true;
  submitWhenComplete(code, typing);
  guard.prepare();
  return [note, typing.element, sending.element];
}
