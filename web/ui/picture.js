/** A picture to read or a clip to hear, where the server asks for one after many wrong passwords. */

import { announce } from "./announce.js";
import { fill, h } from "./dom.js";
import { FieldTrouble, field } from "./forms.js";
import { t } from "./speech.js";

/**
 * A row that is hidden until `ask(flow)`. `take()` gives the field `picture`. `proof()` gives a solved proof of work, which a clip
 * wants first. The picture is of use once: after a refusal `ask` again.
 */
export function pictureField({ accounts, proof }) {
  const answer = field({ name: "picture", word: "picture.code", hint: "picture.hint", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const shown = h("div", { class: "picture" });
  const again = h("button", { type: "button", class: "quiet", say: "picture.new", on: { click: () => show("image") } });
  const listen = h("button", { type: "button", class: "quiet", say: "picture.listen", on: { click: () => show("audio") } });
  const element = h("div", { hidden: true }, shown, answer.row, h("div", { class: "actions" }, again, listen));
  let held = null;
  let flow = "";

  const show = async (kind) => {
    held = null;
    try {
      const captcha = kind === "audio" ? { captcha: await proof() } : {};
      held = await accounts.ask({ action: "login", kinds: [kind], flow, ...captcha });
    } catch (error) {
      answer.fail(`account.${error.code}`);
      return;
    }
    const media = kind === "image"
      ? h("img", { src: held.media_url, width: "280", height: "90", saying: { alt: "picture.alt" } })
      : h("audio", { src: held.media_url, controls: true, saying: { "aria-label": "picture.player" } });
    fill(shown, media);
    answer.input.value = "";
    answer.input.focus();
    announce(t(kind === "image" ? "picture.alt" : "picture.player"));
  };
  return {
    element,
    async ask(name) {
      const repeated = flow === name && !element.hidden;
      flow = name;
      element.hidden = false;
      await show("image");
      if (repeated) answer.fail("picture.again");
    },
    get wanted() {
      return !element.hidden;
    },
    take() {
      if (!answer.input.value.trim() || !held) throw new FieldTrouble(answer, "picture.missing");
      return { picture: { id: held.id, answer: answer.input.value } };
    },
  };
}
