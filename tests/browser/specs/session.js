import { AccountError } from "/net/accounts.js";
import { Memory } from "/state/memory.js";
import { Session } from "/state/session.js";
import { same } from "./check.js";

function storage() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}

/** Somebody who is logged in and has an unsent message. `use(audience, work)` stands in for the tokens. */
function stand(use) {
  const memory = new Memory(storage());
  memory.write("account", { id: "u1", username: "ana" });
  memory.keepUnsent("u1", { cmid: "c1", room: "r1", text: "hi", ts: 1 });
  memory.keepUnsent("u2", { cmid: "c2", room: "r1", text: "hi", ts: 1 });
  const channel = new EventTarget();
  channel.told = [];
  channel.postMessage = (message) => channel.told.push(message.kind);
  const tokens = { forget() {}, discard() {}, accept() {}, use, get: () => use("chat", () => "t") };
  const session = new Session({ accounts: { logout: async () => {} }, tokens, memory, channel });
  return { session, memory, channel };
}

export const spec = {
  "logging out takes one's unsent messages away, not those of others": async () => {
    const { session, memory, channel } = stand((_, work) => work("t"));
    await session.logout("this");
    same([memory.unsent("u1"), memory.unsent("u2").length, channel.told, session.account], [[], 1, ["out"], null]);
  },
  "a session that ended by itself keeps them for the next login": async () => {
    const { session, memory } = stand(() => { throw new AccountError("session_ended"); });
    await session.chatToken(false).catch(() => {});
    same([memory.unsent("u1").length, session.account], [1, null]);
  },
  "what is on its way comes home before a logout": async () => {
    const order = [];
    const { session } = stand((_, work) => work("t"));
    session.withToken(() => new Promise((done) => setTimeout(done, 20))).then(() => order.push("home"));
    await session.logout("this");
    order.push("out");
    same(order, ["home", "out"]);
  },
  "logging out elsewhere keeps this page as it is": async () => {
    const { session, memory } = stand((_, work) => work("t"));
    await session.logout("others");
    same([memory.unsent("u1").length, session.account.id], [1, "u1"]);
  },
};
