import { AccountError } from "/net/accounts.js";
import { Tokens } from "/net/tokens.js";
import { same } from "./check.js";

/** An accounts API that counts, a lock that queues, and a clock that stands. */
function stand({ failures = [] } = {}) {
  const calls = [];
  const accounts = {
    async refresh(audience) {
      calls.push(audience);
      const failure = failures.shift();
      if (failure) throw new AccountError(failure);
      return { access_token: `${audience}-${calls.length}`, audience, expires_in: 300 };
    },
  };
  let line = Promise.resolve();
  const locks = { request: (_, work) => (line = line.then(work, work)) };
  const clock = { now: 0 };
  return { calls, clock, tokens: new Tokens({ accounts, locks, now: () => clock.now }) };
}

export const spec = {
  "a token is drawn once and kept while it is good": async () => {
    const { tokens, calls, clock } = stand();
    same([await tokens.get("chat"), await tokens.get("chat")], ["chat-1", "chat-1"]);
    clock.now = 281_000;
    same([await tokens.get("chat"), calls.length], ["chat-2", 2]);
  },
  "two who ask at once cause one refresh": async () => {
    const { tokens, calls } = stand();
    same([await Promise.all([tokens.get("auth"), tokens.get("auth")]), calls.length], [["auth-1", "auth-1"], 1]);
  },
  "audiences are kept apart": async () => {
    const { tokens } = stand();
    same([await tokens.get("auth"), await tokens.get("chat")], ["auth-1", "chat-2"]);
  },
  "a lost answer is asked for once more": async () => {
    const { tokens, calls } = stand({ failures: ["offline"] });
    same([await tokens.get("auth"), calls.length], ["auth-2", 2]);
  },
  "an ended session is told at once": async () => {
    const { tokens, calls } = stand({ failures: ["session_ended"] });
    const code = await tokens.get("auth").catch((error) => error.code);
    same([code, calls.length], ["session_ended", 1]);
  },
  "a refused token is drawn anew, once": async () => {
    const { tokens } = stand();
    const seen = [];
    const work = async (token) => {
      seen.push(token);
      throw new AccountError("token_invalid");
    };
    const code = await tokens.use("auth", work).catch((error) => error.code);
    same([code, seen], ["token_invalid", ["auth-1", "auth-2"]]);
  },
};
