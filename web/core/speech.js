/**
 * Sentences in the reader's language: which catalogue, and how a sentence is filled.
 *
 * A catalogue maps a name to a sentence with `{places}`, or to `{one, other}` where a number decides.
 */

export const LANGUAGES = ["en", "es"];

/** The language to begin with: the one chosen before, else the first of the browser's that we speak, else English. */
export function pickLanguage(remembered, preferred) {
  if (LANGUAGES.includes(remembered)) return remembered;
  for (const tag of preferred) {
    const base = tag.toLowerCase().split("-", 1)[0];
    if (LANGUAGES.includes(base)) return base;
  }
  return "en";
}

/** A sentence. A name that a catalogue lacks gives the name itself: ugly on purpose, and a test keeps it from happening. */
export function phrase(catalogue, language, name, values = {}) {
  const entry = catalogue[name];
  if (entry === undefined) return name;
  const text = typeof entry === "string" ? entry : entry[plural(language, values.count)];
  return text.replaceAll(/\{(\w+)\}/g, (place, key) => (Object.hasOwn(values, key) ? String(values[key]) : place));
}

function plural(language, count) {
  return new Intl.PluralRules(language).select(count) === "one" ? "one" : "other";
}
