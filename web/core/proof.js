/**
 * The proof of work (docs/auth-api.md §3), as steps: what to derive for a counter, and whether it fits.
 *
 * The derivation itself is WebCrypto's, in the worker; here is everything that can be right or wrong about it.
 */

import { fromHex, toHex } from "./transfer.js";

/** The server draws the counter below this. */
export const MAX_COUNTER = 1000;
const MOST_COST = 200_000;

/** The numbers of a challenge as bytes. Raises RangeError for a kind of work that we do not know. */
export function readChallenge(challenge) {
  const wanted = challenge.parameters;
  if (wanted.algorithm !== "PBKDF2/SHA-256") throw new RangeError("unknown algorithm");
  if (!(wanted.cost > 0 && wanted.cost <= MOST_COST)) throw new RangeError("unreasonable cost");
  return {
    nonce: fromHex(wanted.nonce),
    salt: fromHex(wanted.salt),
    prefix: fromHex(wanted.keyPrefix),
    iterations: wanted.cost,
    bits: 8 * wanted.keyLength,
  };
}

/** The password for a counter: the nonce and the counter as four bytes, big-endian. */
export function password(nonce, counter) {
  const bytes = new Uint8Array(nonce.length + 4);
  bytes.set(nonce);
  new DataView(bytes.buffer).setUint32(nonce.length, counter);
  return bytes;
}

export function fits(key, prefix) {
  return prefix.every((byte, at) => key[at] === byte);
}

/** The field `captcha` that a solved challenge becomes. */
export function captcha(challenge, counter, key) {
  return { challenge, solution: { counter, derivedKey: toHex(key) } };
}
