import { Cursors } from "/core/cursor.js";
import { AccountError } from "/net/accounts.js";
import { Link } from "/net/link.js";
import { same } from "./check.js";

const WELCOME = { session: "s", connection: "c", expires: Date.now() + 300_000, ping_interval_ms: 25_000, limits: {}, rooms: {}, me: { head: 0, recovered: true } };

/** Stands in for the browser's WebSocket: keeps what was sent, says what the test lets it say. */
class Socket extends EventTarget {
  static all = [];

  constructor(url, protocol) {
    super();
    Object.assign(this, { url, protocol, sent: [], open: true });
    Socket.all.push(this);
    queueMicrotask(() => this.open && this.dispatchEvent(new Event("open")));
  }

  send(data) {
    this.sent.push(JSON.parse(data));
  }

  close() {
    this.open = false;
  }

  say(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  ends(code) {
    this.open = false;
    this.dispatchEvent(new CloseEvent("close", { code }));
  }

  answer(fields) {
    this.say({ op: "ok", id: this.sent.at(-1).id, ...fields });
  }

  get last() {
    const { id, ...frame } = this.sent.at(-1);
    return frame;
  }
}

/** Until the work that is due has run. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function until(holds) {
  for (let turn = 0; turn < 500; turn += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never: ${holds}`);
}

/** A link with its fake sockets; `connected` answers the introduction. */
async function stand({ token = async () => "token" } = {}) {
  Socket.all = [];
  globalThis.WebSocket = Socket;
  const cursors = new Cursors();
  const asked = [];
  const link = new Link({
    url: "ws://here/v1/socket", cursors, random: () => 0,
    token: (anew) => {
      asked.push(anew);
      return token(anew);
    },
  });
  const states = [];
  link.addEventListener("status", ({ detail }) => states.push(detail.state));
  link.start();
  await until(() => Socket.all[0]?.sent.length === 1 || link.status.state === "ended");
  return { link, cursors, asked, states };
}

async function connected(number = 0) {
  await until(() => Socket.all[number]?.sent.length >= 1);
  Socket.all[number].answer(WELCOME);
  await settle();
  return Socket.all[number];
}

export const spec = {
  "it introduces itself with token, version and cursors": async () => {
    const { link } = await stand();
    same(Socket.all[0].protocol, "garita.v1");
    same(Socket.all[0].last, { op: "connect", v: 1, token: "token", client: "garita-web", resume: { "@me": 0 } });
    link.stop();
  },
  "a ping is answered": async () => {
    const { link } = await stand();
    const socket = await connected();
    socket.say({ op: "ping" });
    same(socket.sent.at(-1), { op: "pong" });
    link.stop();
  },
  "what was asked before the connection stands is sent when it does": async () => {
    const { link } = await stand();
    const answer = link.ask("rooms", { scope: "mine" });
    await settle();
    same(Socket.all[0].sent.length, 1);
    const socket = await connected();
    socket.answer({ rooms: [] });
    same((await answer).rooms, []);
    link.stop();
  },
  "a request that was lost is repeated as it was on the next connection": async () => {
    const { link, cursors } = await stand();
    const first = await connected();
    cursors.set("r1", "a", 7);
    const answer = link.ask("send", { cmid: "c1", room: "r1", text: "hi" });
    await settle();
    first.ends(1006);
    const second = await connected(1);
    await until(() => second.sent.length === 2);
    same(second.sent[0].resume, { r1: ["a", 7], "@me": 0 });
    same(second.last, { op: "send", cmid: "c1", room: "r1", text: "hi" });
    second.answer({ seq: 8 });
    same((await answer).seq, 8);
    link.stop();
  },
  "a temporary refusal is tried again, a final one is told": async () => {
    const { link } = await stand();
    const socket = await connected();
    const answer = link.ask("send", { cmid: "c1" });
    await settle();
    socket.say({ op: "error", id: socket.sent.at(-1).id, code: "busy", temporary: true, retry_after_ms: 1, outcome: "unknown" });
    await until(() => socket.sent.length === 3);
    same(socket.last, { op: "send", cmid: "c1" });
    socket.say({ op: "error", id: socket.sent.at(-1).id, code: "forbidden", temporary: false });
    same(await answer.catch((error) => error.code), "forbidden");
    link.stop();
  },
  "an ended token is drawn anew": async () => {
    const { link, asked } = await stand();
    (await connected()).ends(4403);
    await connected(1);
    same([asked, link.status.state], [[false, true], "online"]);
    link.stop();
  },
  "a bad token is tried once more with a new one, then not again": async () => {
    const { link, asked } = await stand();
    Socket.all[0].ends(4500);
    await until(() => Socket.all[1]?.sent.length === 1);
    Socket.all[1].ends(4500);
    await settle();
    same([asked, link.status.state, link.status.code], [[false, true], "ended", 4500]);
  },
  "a ban ends the link, with what was told": async () => {
    const { link } = await stand();
    const socket = await connected();
    const waiting = link.ask("rooms");
    await settle();
    socket.say({ op: "disconnect", code: 4503, reason: "flood", reconnect: false, after_ms: 0, until: 99, appeal: "a1" });
    socket.ends(4503);
    same(await waiting.catch((error) => error.code), "lost");
    same(link.status, { state: "ended", code: 4503, until: 99, reason: "flood", appeal: "a1" });
    same(Socket.all.length, 1);
  },
  "an ended session ends the link": async () => {
    const { link } = await stand({ token: async () => { throw new AccountError("session_ended"); } });
    same([link.status.state, link.status.code], ["ended", 4403]);
  },
  "the accounts being away is no end": async () => {
    let calls = 0;
    const token = async () => {
      calls += 1;
      if (calls < 3) throw new AccountError("offline");
      return "late";
    };
    const { link, states } = await stand({ token });
    same([Socket.all[0].last.token, states.includes("waiting")], ["late", true]);
    link.stop();
  },
  "a refusal of what was said in passing is told, and what cannot be said is not": async () => {
    const { link } = await stand();
    same(link.tell("typing", { room: "r1" }), false);
    const socket = await connected();
    const refused = [];
    link.addEventListener("refused", ({ detail }) => refused.push(detail.code));
    same([link.tell("typing", { room: "r1" }), socket.sent.at(-1)], [true, { op: "typing", room: "r1" }]);
    socket.say({ op: "error", code: "forbidden", message: "", temporary: false });
    same([refused, link.status.state], [["forbidden"], "online"]);
    link.stop();
  },
  "a missed push leads to a new connection at the cursor": async () => {
    const { link, cursors } = await stand();
    const first = await connected();
    cursors.set("r1", "a", 3);
    link.resume();
    const second = await connected(1);
    same([first.open, second.sent[0].resume], [false, { r1: ["a", 3], "@me": 0 }]);
    link.stop();
  },
  "what an old socket still says is not heard": async () => {
    const { link } = await stand();
    const first = await connected();
    const heard = [];
    link.addEventListener("push", ({ detail }) => heard.push(detail.op));
    link.resume();
    await connected(1);
    first.say({ op: "message", room: "r1", seq: 1 });
    Socket.all[1].say({ op: "member", room: "r1", seq: 1 });
    same(heard, ["member"]);
    link.stop();
  },
  "stopping tells whoever waits": async () => {
    const { link } = await stand();
    const waiting = link.ask("rooms", {}, { patience: Infinity });
    link.stop();
    same([await waiting.catch((error) => error.code), link.status.state], ["lost", "stopped"]);
  },
};
