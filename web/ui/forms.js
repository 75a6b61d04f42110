/**
 * Forms: labelled fields with a hint and an error each, one sentence for the whole form, one submission at a time.
 */

import { announce } from "./announce.js";
import { fill, h, newId } from "./dom.js";
import { sentence } from "./problems.js";
import { bind, t } from "./speech.js";

/** A labelled input. `fail(what)` shows an error (a name, [name, values] or a function); `fail(null)` takes it away. */
export function field({ name, word, type = "text", hint = null, area = false, ...attributes }) {
  const id = newId(name);
  const hintLine = hint && h("p", { class: "hint", id: `${id}-hint`, say: hint });
  const trouble = h("p", { class: "trouble", id: `${id}-trouble`, hidden: true });
  const describedBy = [hint ? `${id}-hint` : null, `${id}-trouble`].filter(Boolean).join(" ");
  const common = { id, name, "aria-describedby": describedBy, ...attributes };
  const input = area ? h("textarea", common) : h("input", { type, ...common });
  const fail = (what) => {
    trouble.hidden = what === null;
    input.toggleAttribute("aria-invalid", what !== null);
    if (what === null) trouble.textContent = "";
    else bind(trouble, "text", what);
  };
  input.addEventListener("input", () => fail(null));
  const row = h("div", { class: "field" }, h("label", { for: id, say: word }), input, hintLine, trouble);
  return { row, input, hint: hintLine, fail };
}

/** A password with a switch to show it. */
export function passwordField(options) {
  const made = field({ type: "password", ...options });
  const toggle = h("button", {
    type: "button", class: "reveal", "aria-pressed": "false", say: "password.show", saying: { "aria-label": "password.show_long" },
    on: {
      click() {
        const shown = made.input.type === "text";
        made.input.type = shown ? "password" : "text";
        toggle.setAttribute("aria-pressed", String(!shown));
        bind(toggle, "text", shown ? "password.show" : "password.hide");
        made.input.focus();
      },
    },
  });
  const around = h("div", { class: "with-button" });
  made.input.replaceWith(around);
  around.append(made.input, toggle);
  return made;
}

/** A field for a six-digit code; `submit` is called when the sixth digit is there. */
export function codeField(options) {
  const made = field({
    name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, spellcheck: "false", class: "code", ...options,
  });
  made.code = () => made.input.value.replaceAll(/\D/g, "");
  return made;
}

/**
 * A form whose `work()` runs at most once at a time. An error that `work` throws becomes the form's sentence, unless
 * `handle(error)` says that it was shown elsewhere (returns true).
 */
export function form({ rows, submit, work, handle = () => false, others = [], attributes = {} }) {
  const trouble = h("div", { class: "trouble box", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary", say: submit });
  let busy = false;
  const run = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute("aria-busy", "true");
    trouble.hidden = true;
    try {
      await work();
    } catch (error) {
      if (!handle(error)) tell(() => sentence(error));
      focusTrouble(element);
    } finally {
      busy = false;
      button.removeAttribute("aria-busy");
    }
  };
  const tell = (what) => {
    bind(trouble, "text", what);
    trouble.hidden = false;
  };
  const element = h("form", { novalidate: true, on: { submit: run }, ...attributes }, rows, trouble, h("div", { class: "actions" }, button, others));
  return { element, button, tell, quiet: () => { trouble.hidden = true; } };
}

function focusTrouble(element) {
  element.querySelector("[aria-invalid]")?.focus();
}

/** Thrown by `work` where the form shows already what is to be done. */
export class Shown extends Error {}

/** An error of a field, to be thrown by `work` and shown by `handle`. */
export class FieldTrouble extends Shown {
  constructor(shown, what) {
    super("field");
    shown.fail(what);
  }
}

/** `handle` of forms whose only special errors are those that are shown already. */
export function fieldsOnly(error) {
  return error instanceof Shown;
}

/** The sixth digit sends the form: what is typed from a telephone should not need another key. */
export function submitWhenComplete(code, made) {
  code.input.addEventListener("input", (event) => {
    if (code.code().length === 6 && event.inputType !== "deleteContentBackward") made.element.requestSubmit();
  });
}

/** A button that copies a text and says so. */
export function copyButton(text) {
  const button = h("button", {
    type: "button", class: "quiet", say: "copy",
    on: {
      async click() {
        await navigator.clipboard.writeText(text());
        bind(button, "text", "copied");
        announce(t("copied"));
        setTimeout(() => bind(button, "text", "copy"), 2000);
      },
    },
  });
  return button;
}

/** A dialog with a title; the promise of `open()` resolves with what `close(value)` was given, or null. */
export function dialog({ title, content, wide = false }) {
  const heading = newId("title");
  let answer = null;
  const element = h("dialog", { "aria-labelledby": heading, class: wide ? "wide" : null });
  const close = (value = null) => {
    answer = value;
    element.close();
  };
  const body = h("div", { class: "dialog-body" });
  fill(element,
    h("header", {},
      h("h2", { id: heading, say: title }),
      h("button", { type: "button", class: "icon-button close", saying: { "aria-label": "close" }, on: { click: () => close() } }, "×")),
    body);
  fill(body, content(close));
  element.addEventListener("click", (event) => {
    if (event.target === element) close();
  });
  return {
    element,
    close,
    open() {
      const before = document.activeElement;
      document.body.append(element);
      element.showModal();
      element.querySelector("[autofocus], .dialog-body input, .dialog-body button")?.focus();
      return new Promise((resolve) => {
        element.addEventListener("close", () => {
          element.remove();
          before?.focus?.();
          resolve(answer);
        }, { once: true });
      });
    },
  };
}
