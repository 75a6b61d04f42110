/** Small things about names and texts that the page shows: a person's mark, a contact's kind, groups of four. */

export const HUES = 8;

/** One or two letters for a person's or room's mark. */
export function initials(name) {
  const words = name.normalize("NFC").split(/[\s._-]+/u).filter(Boolean);
  if (words.length === 0) return "?";
  const letters = words.length === 1 ? [...words[0]].slice(0, 1) : [[...words[0]][0], [...words.at(-1)][0]];
  return letters.join("").toLocaleUpperCase();
}

/** A number below HUES that stays the same for an id, for the colour of its mark. */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  return sum % HUES;
}

/** What somebody typed as contact, as the field of `POST /registrations`: `{email}` or `{phone}`, or null. */
export function contact(text) {
  const bare = text.trim();
  if (/^[^\s@]+@[^\s@]+$/.test(bare)) return { email: bare };
  const digits = bare.replaceAll(/[\s().-]/g, "").replace(/^00/, "+");
  return /^\+\d{6,15}$/.test(digits) ? { phone: digits } : null;
}

export function inFours(text) {
  return text.match(/.{1,4}/g)?.join(" ") ?? "";
}

/** The length of a text as the server measures it. */
export function utf8Bytes(text) {
  return new TextEncoder().encode(text).length;
}

/** A text cut into links and the rest: `[{text, href?}]`. Only http and https become links. */
export function linkify(text) {
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"']+/gu)) {
    const href = found[0].replace(/[.,;:!?)\]}]+$/u, "");
    if (!URL.canParse(href)) continue;
    if (found.index > from) pieces.push({ text: text.slice(from, found.index) });
    pieces.push({ text: href, href });
    from = found.index + href.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

const BROWSERS = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]];
const SYSTEMS = [["Windows", "Windows"], ["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Mac OS X", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]];

/** A device's label for people: "Firefox, Windows" for what a browser says of itself, anything else as it is. */
export function deviceName(label) {
  if (!label.startsWith("Mozilla/")) return label;
  const find = (list) => list.find(([sign]) => label.includes(sign))?.[1];
  return [find(BROWSERS), find(SYSTEMS)].filter(Boolean).join(", ") || label;
}
