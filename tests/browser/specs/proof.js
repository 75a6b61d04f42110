import { captcha, fits, password, readChallenge } from "/core/proof.js";
import { toHex } from "/core/transfer.js";
import { refuses, same } from "./check.js";

const PARAMETERS = { algorithm: "PBKDF2/SHA-256", cost: 5000, keyLength: 32, keyPrefix: "00ff", nonce: "0a0b", salt: "0c" };
const challenge = (changed = {}) => ({ parameters: { ...PARAMETERS, ...changed }, signature: "s" });

export const spec = {
  "a challenge becomes bytes": () => {
    const read = readChallenge(challenge());
    same([toHex(read.nonce), toHex(read.salt), toHex(read.prefix), read.iterations, read.bits], ["0a0b", "0c", "00ff", 5000, 256]);
  },
  "unknown or endless work is refused": () => {
    refuses(RangeError, () => readChallenge(challenge({ algorithm: "MD5" })));
    refuses(RangeError, () => readChallenge(challenge({ cost: 10 ** 9 })));
    refuses(RangeError, () => readChallenge(challenge({ cost: 0 })));
  },
  "the counter is four bytes behind the nonce": () => {
    same(toHex(password(new Uint8Array([10, 11]), 258)), "0a0b00000102");
  },
  "a key fits by its first bytes": () => {
    const prefix = new Uint8Array([0, 255]);
    same([fits(new Uint8Array([0, 255, 7]), prefix), fits(new Uint8Array([0, 254, 7]), prefix)], [true, false]);
  },
  "the answer holds the challenge as it came": () => {
    const given = challenge();
    same(captcha(given, 7, new Uint8Array([1, 2])), { challenge: given, solution: { counter: 7, derivedKey: "0102" } });
  },
};
