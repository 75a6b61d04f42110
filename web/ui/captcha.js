/**
 * What keeps robots out of a form: a proof of work behind it, and a picture or a clip where the server asks for one (docs/auth-api.md §3).
 *
 * `send(request)` makes the request with whatever is wanted just now. A refusal that asks for work is answered by itself; one that
 * asks for a picture shows it and leaves the form to its reader.
 */

import { Proof } from "../net/proof.js";
import { announce } from "./announce.js";
import { fill, h } from "./dom.js";
import { proofBar } from "./entrance.js";
import { FieldTrouble, Shown, field } from "./forms.js";
import { bind, t } from "./speech.js";

/** Requests for one press of a button: the second is the first's answer to a demand for work. */
const MOST_REQUESTS = 2;

/**
 * `action`: what the challenges are for; `flow()`: what a picture is bound to; `always`: whether the first request wants work.
 * `element` stands in the form, above its button; `prepare()` begins to work before it is pressed.
 */
export function captcha({ accounts, action, flow = () => "", always = false }) {
  const bar = proofBar();
  let awaited = false;
  let wanted = always;
  const onProgress = (share) => awaited && bar.show(share);
  const proof = new Proof(accounts, action, onProgress);
  const solved = async (work) => {
    awaited = true;
    try {
      return await work.take();
    } finally {
      awaited = false;
      bar.hide();
    }
  };
  // A clip wants work of its own, while the work for the form goes on.
  const picture = pictureField({ accounts, action, proof: () => solved(new Proof(accounts, action, onProgress)) });
  const fields = async () => {
    const seen = picture.take();
    return wanted ? { captcha: await solved(proof), ...seen } : seen;
  };
  const refused = async (error, given, demanded) => {
    if (error.code !== "challenge_required") {
      if (given.picture) await picture.renew();
      throw error;
    }
    wanted = true;
    proof.prepare(error.challenge);
    if (error.kinds.length === 0) {
      picture.hide();
      return;
    }
    // Usual work where dearer was wanted: then nobody has looked at the answer yet.
    if (given.picture && !demanded) return;
    await picture.ask(error.kinds, flow(), Boolean(given.picture));
    throw new Shown();
  };
  const send = async (request) => {
    for (let left = MOST_REQUESTS; ; left -= 1) {
      const { demanded } = proof;
      const given = await fields();
      try {
        const answer = await request(given);
        picture.hide();
        return answer;
      } catch (error) {
        await refused(error, given, demanded);
        if (left === 1) throw error;
      }
    }
  };
  return { element: h("div", { class: "captcha" }, picture.element, bar.element), prepare: () => wanted && proof.prepare(), send };
}

/** A picture to read or a clip to hear, hidden until `ask`. Each is good for one answer; `take()` gives the field `picture`. */
export function pictureField({ accounts, action, proof }) {
  const answer = field({ name: "picture", word: "picture.code", hint: "picture.hint", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const shown = h("div", { class: "riddle" });
  const another = h("button", { type: "button", class: "quiet small", say: "picture.new", on: { click: () => change(kind) } });
  const other = h("button", { type: "button", class: "quiet small", say: "picture.listen", on: { click: () => change(kind === "image" ? "audio" : "image") } });
  const element = h("div", { class: "riddle-row", role: "group", saying: { "aria-label": "picture.group" }, hidden: true },
    shown, h("div", { class: "actions" }, another, other), answer.row);
  let kind = "image";
  let held = null;
  let flow = "";

  const show = async (wanted) => {
    held = null;
    answer.input.value = "";
    const before = wanted === "audio" ? { captcha: await proof() } : {};
    const made = await accounts.ask({ action, kinds: [wanted], flow, ...before });
    held = made;
    kind = wanted;
    fill(shown, media(made, kind, () => answer.fail("picture.none")));
    bind(answer.hint, "text", kind === "image" ? "picture.hint" : "picture.hint_clip");
    bind(another, "text", kind === "image" ? "picture.new" : "picture.new_clip");
    bind(other, "text", kind === "image" ? "picture.listen" : "picture.look");
    answer.input.inputMode = kind === "image" ? "text" : "numeric";
  };
  const change = async (wanted) => {
    answer.fail(null);
    for (const button of [another, other]) button.disabled = true;
    try {
      await show(wanted);
      announce(t(kind === "image" ? "picture.alt" : "picture.player"));
    } catch (error) {
      answer.fail(error.code === "rate_limited" ? "picture.too_many" : `account.${error.code}`);
    } finally {
      for (const button of [another, other]) button.disabled = false;
    }
    (kind === "audio" && held ? shown.firstElementChild : answer.input).focus();
  };
  return {
    element,
    /** Shows one, of the last kind if it may be; `repeated`: because the last answer was wrong. */
    async ask(kinds, name, repeated) {
      flow = name;
      element.hidden = false;
      other.hidden = kinds.length < 2;
      await change(kinds.includes(kind) ? kind : kinds[0]);
      if (repeated && held) answer.fail("picture.again");
    },
    /** The one on show was used up by a request that failed for another reason. */
    async renew() {
      try {
        await show(kind);
      } catch {
        // Whoever has no picture is asked for one by the next refusal.
        element.hidden = true;
      }
    },
    hide() {
      element.hidden = true;
    },
    take() {
      if (element.hidden) return {};
      if (!answer.input.value.trim() || !held) throw new FieldTrouble(answer, kind === "image" ? "picture.missing" : "picture.missing_clip");
      return { picture: { id: held.id, answer: answer.input.value } };
    },
  };
}

function media(made, kind, failed) {
  if (kind === "image") return h("img", { src: made.media_url, width: "280", height: "90", saying: { alt: "picture.alt" }, on: { error: failed } });
  return h("audio", { src: made.media_url, controls: true, tabindex: "0", saying: { "aria-label": "picture.player" }, on: { error: failed } });
}
