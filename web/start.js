/**
 * Brings the page up, and tries again when a part of it did not come: a train's tunnel, a new network, a server that was asked
 * too much. It imports nothing itself, so it can always say what is wrong.
 */

const KEY = "garita.tries";
const WAITS_MS = [500, 2_000, 5_000, 15_000];
const WORDS = {
  en: "The page could not be loaded whole. Trying again…",
  es: "La página no se pudo cargar entera. Se intenta otra vez…",
};

function tell() {
  const note = document.createElement("p");
  note.className = "nothing";
  note.setAttribute("role", "alert");
  note.textContent = navigator.language.toLowerCase().startsWith("es") ? WORDS.es : WORDS.en;
  document.getElementById("app").replaceChildren(note);
}

function tries(count) {
  try {
    if (count === undefined) return Number(sessionStorage.getItem(KEY)) || 0;
    sessionStorage.setItem(KEY, String(count));
  } catch {
    // Without storage it is the longest wait each time.
  }
  return WAITS_MS.length - 1;
}

try {
  await import("./app.js");
  tries(0);
} catch (error) {
  tell();
  const count = tries();
  tries(count + 1);
  setTimeout(() => location.reload(), WAITS_MS[Math.min(count, WAITS_MS.length - 1)]);
  throw error;
}
