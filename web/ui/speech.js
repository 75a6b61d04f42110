/**
 * The page's language, and elements that keep speaking it.
 *
 * An element's text or attribute is bound to a sentence; a change of language says every bound sentence anew in place, so that no
 * form loses what was typed and no focus moves.
 */

import { LANGUAGES, phrase, pickLanguage } from "../core/speech.js";
import { en, es } from "../words/catalogue.js";

const CATALOGUES = { en, es };
const bound = new WeakMap();
let language = "en";
let memory = null;

/** Choose the language of this visit. */
export function startSpeech(kept, preferred) {
  memory = kept;
  apply(pickLanguage(kept.read("language"), preferred));
}

export function currentLanguage() {
  return language;
}

export { LANGUAGES };

/** A sentence in the present language. */
export function t(name, values) {
  return phrase(CATALOGUES[language], language, name, values);
}

/** Whether there is such a sentence. */
export function hasWord(name) {
  return Object.hasOwn(en, name);
}

export function setLanguage(chosen) {
  memory?.write("language", chosen);
  apply(chosen);
  dispatchEvent(new CustomEvent("garita-language"));
}

/** `what`: a name, `[name, values]`, or a function that gives the text. `place`: "text" or an attribute's name. */
export function bind(element, place, what) {
  if (!bound.has(element)) bound.set(element, new Map());
  bound.get(element).set(place, what);
  element.setAttribute("data-speaks", "");
  speak(element, place, what);
}

function apply(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-speaks]")) {
    for (const [place, what] of bound.get(element) ?? []) speak(element, place, what);
  }
}

function speak(element, place, what) {
  const text = typeof what === "function" ? what() : t(...[what].flat());
  if (place === "text") element.textContent = text;
  else element.setAttribute(place, text);
}

/** How dates and numbers are written: as in the reader's own region where it speaks this language. */
function locale() {
  return navigator.languages.find((tag) => tag.toLowerCase().split("-", 1)[0] === language) ?? language;
}

export function timeOfDay(ms) {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(ms);
}

export function dayName(ms, now = Date.now()) {
  const days = Math.round((startOfDay(now) - startOfDay(ms)) / 86_400_000);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase(language) + word.slice(1);
  }
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long", ...year }).format(ms);
}

export function fullDate(ms) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

export function startOfDay(ms) {
  return new Date(ms).setHours(0, 0, 0, 0);
}

export function sizeText(bytes) {
  const [unit, by] = bytes < 1024 ? ["byte", 1] : bytes < 1024 ** 2 ? ["kilobyte", 1024] : ["megabyte", 1024 ** 2];
  const digits = { maximumFractionDigits: bytes / by < 10 ? 1 : 0 };
  const style = { style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short" };
  return new Intl.NumberFormat(locale(), { ...style, ...digits }).format(bytes / by);
}
