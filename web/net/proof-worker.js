/**
 * The proof of work in a thread of its own, so that the page stays alive meanwhile.
 *
 * In: a challenge's `params`. Out: `{counter}` now and then, and at the end `{captcha}` or `{failed: true}`.
 */

import { MAX_COUNTER, captcha, fits, password, readChallenge } from "../core/proof.js";

const REPORT_EVERY = 20;

async function solve(params) {
  const { nonce, salt, prefix, iterations, bits } = readChallenge(params);
  const recipe = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  for (let counter = 0; counter < MAX_COUNTER; counter += 1) {
    const secret = await crypto.subtle.importKey("raw", password(nonce, counter), "PBKDF2", false, ["deriveBits"]);
    const key = new Uint8Array(await crypto.subtle.deriveBits(recipe, secret, bits));
    if (fits(key, prefix)) return captcha(params, counter, key);
    if (counter % REPORT_EVERY === 0) postMessage({ counter });
  }
  return null;
}

addEventListener("message", async (event) => {
  try {
    const solved = await solve(event.data);
    postMessage(solved ? { captcha: solved } : { failed: true });
  } catch {
    postMessage({ failed: true });
  }
});
