import { CODES, RETURN, RETURN_WITH_NEW_TOKEN, STAY_AWAY, WAIT_TO_BE_SEEN, afterClose, closeWord } from "/core/closing.js";
import { en } from "/words/catalogue.js";
import { same } from "./check.js";

export const spec = {
  "44xx means come back": () => {
    same([4401, 4402, 4408, 4409, 4410, 4413, 4414].map((code) => afterClose(code)), Array(7).fill(RETURN));
  },
  "a connect that came too late is tried again": () => {
    same(afterClose(4502), RETURN);
  },
  "an ended token means come back with another": () => {
    same(afterClose(4403), RETURN_WITH_NEW_TOKEN);
  },
  "a bad token is tried once more with a new one, and only once": () => {
    same([afterClose(4500), afterClose(4500, true)], [RETURN_WITH_NEW_TOKEN, STAY_AWAY]);
  },
  "45xx means stay away": () => {
    const codes = [4501, 4503, 4504, 4505, 4506, 4507, 4508, 4599];
    same(codes.map((code) => afterClose(code)), codes.map(() => STAY_AWAY));
  },
  "a page that lost its place waits until it is seen": () => {
    same(afterClose(4411), WAIT_TO_BE_SEEN);
  },
  "a close without a code of ours means come back": () => {
    same([1000, 1001, 1002, 1005, 1006, 1007, 1009, 1011, 1012, 3000].map((code) => afterClose(code)), Array(10).fill(RETURN));
  },
  "every code that is told has its sentence": () => {
    const words = CODES.map(closeWord).filter(Boolean);
    same(words.filter((word) => !en[word]), []);
  },
};
