/**
 * The server wants to know that somebody sits here (docs/protocol.md §3): a picture or a clip, before anything can be written again.
 *
 * The dialog can be left; what is sent meanwhile stays in the room as refused, and goes out by itself when the challenge is over.
 */

import { Proof } from "../net/proof.js";
import { pictureField } from "./captcha.js";
import { dialog, fieldsOnly, form } from "./forms.js";
import { h } from "./dom.js";
import { bind } from "./speech.js";

const KINDS = ["image", "audio"];

export class Challenge {
  #session;
  #accounts;
  #link;
  #chat;
  #open = null;
  /** Stands above the room while the challenge does. */
  element;

  constructor({ session, accounts, link, chat }) {
    this.#session = session;
    this.#accounts = accounts;
    this.#link = link;
    this.#chat = chat;
    const text = h("span");
    bind(text, "text", "challenge.stands");
    this.element = h("div", { class: "status", role: "status", hidden: true }, text,
      h("button", { type: "button", class: "quiet small", say: "challenge.solve", on: { click: () => this.#show() } }));
    link.addEventListener("push", ({ detail }) => detail.op === "challenge" && this.#pushed(detail));
    link.addEventListener("connected", () => this.#over());
  }

  stop() {
    this.#open?.close();
  }

  #pushed({ until }) {
    if (until === null) return this.#over();
    this.element.hidden = false;
    return this.#show();
  }

  /** Whoever is still challenged after a new connection is told again. */
  #over() {
    this.element.hidden = true;
    this.#open?.close();
    this.#chat.sender.cleared();
  }

  async #show() {
    if (this.#open) return;
    this.#open = this.#dialog();
    await this.#open.open();
    this.#open = null;
  }

  #dialog() {
    const withToken = async (work) => work(await this.#session.chatToken(false));
    const accounts = {
      challenge: (action) => withToken((token) => this.#accounts.challenge(action, token)),
      ask: (fields) => withToken((token) => this.#accounts.ask(fields, token)),
    };
    const proof = () => new Proof(accounts, "chat", () => {}).take();
    const picture = pictureField({ accounts, action: "chat", proof });
    const work = async () => {
      const { id, answer } = picture.take().picture;
      const { clear } = await withToken((token) => this.#accounts.solve(id, answer, token));
      await this.#link.request("clear", { clear });
    };
    const handle = (error) => {
      if (error.code !== "code_invalid" && error.code !== "challenge_required") return fieldsOnly(error);
      picture.ask(KINDS, "", true);
      return true;
    };
    const made = form({ rows: [picture.element], submit: "challenge.submit", work, handle });
    return dialog({
      title: "challenge.title",
      content: () => {
        picture.ask(KINDS, "", false);
        return [h("p", { say: "challenge.lead" }), made.element];
      },
    });
  }
}
