/**
 * Passkeys: what the browser does between the server's options and the server's verdict (docs/auth-api.md §6).
 *
 * A passkey belongs to a host name. A page that was opened by an address has none: `passkeyHost` says where to go instead.
 */

import { AccountError } from "./accounts.js";

/** Whether this browser can make and use passkeys here. */
export function passkeysKnown() {
  return Boolean(globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON && navigator.credentials);
}

/** The address under which passkeys work, where this page was opened by one under which they do not; null otherwise. */
export function passkeyHost(place = location) {
  return place.hostname === "127.0.0.1" || place.hostname === "[::1]" ? `${place.protocol}//localhost:${place.port}/` : null;
}

/** Makes a passkey by the server's options; gives the JSON to send back. */
export function makePasskey(options) {
  return asked(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
}

/** Uses a passkey by the server's options; gives the JSON to send back. */
export function usePasskey(options) {
  return asked(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
}

async function asked(work) {
  try {
    return (await work()).toJSON();
  } catch (cause) {
    // Who left the browser's dialog and who has no such passkey look alike on purpose.
    const code = { InvalidStateError: "passkey_known", SecurityError: "passkey_host" }[cause.name] ?? "passkey_left";
    throw new AccountError(code, { cause });
  }
}
