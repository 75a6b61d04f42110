import { Cursors } from "/core/cursor.js";
import { Chat } from "/state/chat.js";
import { Memory } from "/state/memory.js";
import { same } from "./check.js";

const ME = { id: "me", username: "ana" };
const room = (id, more = {}) => ({
  id, kind: "public", title: id.toUpperCase(), topic: "", members: 1, epoch: "a", head: 0, role: "member", created: 1, ...more,
});
const message = (id, seq, user = "u2", more = {}) => ({
  op: "message", room: id, epoch: "a", seq, ts: seq, user: { id: user, name: user }, text: `${seq}`, mid: `m${seq}`, cmid: `c${seq}`, ...more,
});

/** Stands in for the link: answers from a table, counts the calls for a new connection. */
class FakeLink extends EventTarget {
  answers = {};
  asked = [];
  resumed = 0;
  told = [];
  open = true;

  async ask(op, fields = {}) {
    this.asked.push([op, fields]);
    const answer = this.answers[op];
    return typeof answer === "function" ? answer(fields) : (answer ?? {});
  }

  resume() {
    this.resumed += 1;
  }

  tell(op, fields) {
    if (this.open) this.told.push([op, fields]);
    return this.open;
  }

  say(push) {
    this.dispatchEvent(new CustomEvent("push", { detail: push }));
  }

  connect(rooms, me = { head: 0, recovered: true }) {
    this.dispatchEvent(new CustomEvent("connected", { detail: { rooms, me } }));
  }
}

function storage(content = {}) {
  const kept = new Map(Object.entries(content).map(([key, value]) => [`garita.${key}`, JSON.stringify(value)]));
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}

function stand({ kept = {}, rooms = [room("r1")] } = {}) {
  const link = new FakeLink();
  link.answers.rooms = { rooms };
  const memory = new Memory(storage(kept));
  const cursors = new Cursors();
  const chat = new Chat({ link, cursors, memory, user: ME, gatherMs: 20 });
  const changes = [];
  chat.addEventListener("log", ({ detail }) => changes.push(detail.change));
  return { link, memory, cursors, chat, changes };
}

/** Marks are gathered for a moment before they are told. */
async function told(link, op) {
  for (let turn = 0; turn < 400 && !link.told.some(([said]) => said === op); turn += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  return link.told.filter(([said]) => said === op).map(([, fields]) => fields);
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

export const spec = {
  "a first visit has nothing unread": async () => {
    const { link, chat, cursors } = stand();
    link.connect({ r1: { epoch: "a", head: 40, recovered: false } });
    await settle();
    const found = chat.rooms.get("r1");
    same([found.unread, found.someUnread, cursors.at("r1"), found.title], [0, false, ["a", 40], "R1"]);
  },
  "a later visit resumes at what was read, and counts": async () => {
    const { link, chat, cursors } = stand({ kept: { "marks.me": { r1: ["a", 4] } } });
    same(cursors.resume().r1, ["a", 4]);
    link.connect({ r1: { epoch: "a", head: 7, recovered: true } });
    link.say(message("r1", 5));
    link.say(message("r1", 6, "me"));
    link.say(message("r1", 7));
    same(chat.rooms.get("r1").unread, 2);
    chat.read("r1");
    same([chat.rooms.get("r1").unread, cursors.at("r1")], [0, ["a", 7]]);
  },
  "what was read is kept for the next visit": async () => {
    const { link, chat, memory } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 5));
    chat.read("r1");
    same(memory.marks("me"), { r1: ["a", 5] });
  },
  "what the server knows of reading counts at a first visit": async () => {
    const { link, chat, memory } = stand({ rooms: [room("r1", { head: 40, read: 37 })] });
    link.answers.history = { epoch: "a", head: 40, more: true, events: [35, 36, 37, 38, 39, 40].map((seq) => message("r1", seq)) };
    link.connect({ r1: { epoch: "a", head: 40, recovered: false } });
    await settle();
    same([chat.rooms.get("r1").unread, chat.rooms.get("r1").someUnread, memory.marks("me").r1], [3, false, ["a", 37]]);
  },
  "another device reads on": async () => {
    const { link, chat, memory } = stand({ kept: { "marks.me": { r1: ["a", 4] } } });
    link.connect({ r1: { epoch: "a", head: 6, recovered: true } });
    link.say(message("r1", 5));
    link.say(message("r1", 6));
    link.say({ op: "read", room: "r1", user: { id: "me", name: "ana" }, read: 5, received: 6 });
    same([chat.rooms.get("r1").unread, memory.marks("me").r1], [1, ["a", 5]]);
    link.say({ op: "read", room: "r1", user: { id: "u2", name: "bob" }, read: 6, received: 6 });
    same([chat.rooms.get("r1").unread, chat.rooms.get("r1").passing.seen(6, "me").read], [1, 1]);
  },
  "reading and receiving are told once for many, as far as they have come": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    for (const seq of [5, 6, 7]) link.say(message("r1", seq));
    same(await told(link, "received"), [{ room: "r1", seq: 7 }]);
    link.say(message("r1", 8));
    chat.read("r1");
    same([await told(link, "read"), link.told.length], [[{ room: "r1", seq: 8 }], 2]);
  },
  "in a large room nobody is told what was received": async () => {
    const { link, chat } = stand({ rooms: [room("r1", { members: 5000 })] });
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    await settle();
    link.say(message("r1", 5));
    chat.read("r1");
    same([await told(link, "read"), link.told.length], [[{ room: "r1", seq: 5 }], 1]);
  },
  "marks wait for a connection": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 5));
    link.open = false;
    chat.read("r1");
    await new Promise((resolve) => setTimeout(resolve, 60));
    link.open = true;
    same(await told(link, "read"), [{ room: "r1", seq: 5 }]);
  },
  "marks that were refused for a moment are told again": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 5));
    chat.read("r1");
    await told(link, "read");
    link.told.length = 0;
    link.dispatchEvent(new CustomEvent("refused", { detail: { op: "error", code: "forbidden", temporary: false } }));
    await new Promise((resolve) => setTimeout(resolve, 60));
    same(link.told, []);
    link.dispatchEvent(new CustomEvent("refused", { detail: { op: "error", code: "rate_limited", temporary: true } }));
    same(await told(link, "read"), [{ room: "r1", seq: 5 }]);
  },
  "who was here is not known after a lost connection": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say({ op: "presence", room: "r1", user: { id: "u2", name: "bob" }, here: true });
    same([...chat.rooms.get("r1").passing.here], ["u2"]);
    link.connect({ r1: { epoch: "a", head: 4, recovered: true } });
    same([...chat.rooms.get("r1").passing.here], []);
  },
  "presence that is asked for replaces what was known, of all pages at once": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.answers.presence = ({ after }) => ({ here: [{ id: after ? "u7" : "u3", name: "x" }] });
    link.say({ op: "presence", room: "r1", user: { id: "u2", name: "bob" }, here: true });
    await chat.presence("r1", [null]);
    same([...chat.rooms.get("r1").passing.here], ["u2", "u3"]);
    await chat.presence("r1", [null, "u5"], true);
    same([...chat.rooms.get("r1").passing.here], ["u3", "u7"]);
  },
  "an edit changes the message and is no news to count": async () => {
    const { link, chat, changes } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 5));
    changes.length = 0;
    link.say({ op: "edited", room: "r1", epoch: "a", seq: 6, ts: 6, user: { id: "u2", name: "u2" }, mid: "m5", of: 5, text: "new" });
    const found = chat.rooms.get("r1");
    same([changes, found.unread, found.log.picture(found.log.at(5), "me").text], [["changed"], 1, "new"]);
  },
  "typing is told without moving a cursor, and ends with the message": async () => {
    const { link, chat, cursors } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    const passed = [];
    chat.addEventListener("passing", ({ detail }) => passed.push(detail.what));
    link.say({ op: "typing", room: "r1", user: { id: "u2", name: "bob" } });
    same([chat.rooms.get("r1").passing.writing(performance.now()).names, cursors.at("r1")], [["bob"], ["a", 4]]);
    link.say(message("r1", 5));
    same([chat.rooms.get("r1").passing.writing(performance.now()).names, passed], [[], ["typing", "typing"]]);
  },
  "a moderator puts one out": async () => {
    const { link, chat } = stand();
    const out = [];
    chat.addEventListener("put_out", ({ detail }) => out.push(detail.change));
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say({ op: "member", change: "banned", room: "r1", epoch: "a", seq: 5, ts: 1, user: { id: "me", name: "ana" }, by: { id: "u2", name: "bob" } });
    same([chat.rooms.size, out], [0, ["banned"]]);
  },
  "roles, names and topics change": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    await settle();
    link.say({ op: "member", change: "role", role: "moderator", room: "r1", epoch: "a", seq: 5, ts: 1, user: { id: "me", name: "ana" } });
    link.say({ op: "room", title: "New", topic: "t", room: "r1", epoch: "a", seq: 6, ts: 1, user: { id: "u2", name: "bob" } });
    const { role, title, topic, members } = chat.rooms.get("r1");
    same([role, title, topic, members], ["moderator", "New", "t", 1]);
  },
  "an old place is looked at beside what goes on, until the two meet": async () => {
    const { link, chat, changes } = stand();
    link.connect({ r1: { epoch: "a", head: 200, recovered: false } });
    const page = (from, to) => ({ epoch: "a", head: 200, more: from > 1, events: Array.from({ length: to - from + 1 }, (_, at) => message("r1", from + at)) });
    link.answers.history = ({ before, after }) => (after ? page(after + 1, after + 50) : page((before ?? 201) - 50, (before ?? 201) - 1));
    const found = chat.rooms.get("r1");
    await chat.visits.go(found, 80);
    same([found.visit.first, found.visit.last, found.log.first], [55, 104, 151]);
    link.say(message("r1", 201));
    same([found.visit.last, found.log.last], [104, 201]);
    changes.length = 0;
    await chat.visits.newer(found);
    same([found.visit, found.log.first, found.log.last, changes], [null, 55, 201, ["joined"]]);
  },
  "what was not sent when a tab closed is sent by the next visit, as it was": async () => {
    const kept = { "unsent.me": { c7: { cmid: "c7", room: "r1", text: "late", files: [], replyTo: null, compose: null, ts: 5 }, c8: { cmid: "c8", room: "gone", text: "x", files: [], ts: 6 } } };
    const { link, chat, memory } = stand({ kept });
    link.answers.send = { seq: 5 };
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    await settle();
    same(link.asked.filter(([op]) => op === "send").map(([, fields]) => fields), [{ cmid: "c7", room: "r1", text: "late" }]);
    same([memory.unsent("me"), chat.sender.waiting("gone")], [[], []]);
  },
  "a message is kept until it is acknowledged": async () => {
    const { link, chat, memory } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    let stored;
    link.answers.send = () => new Promise((resolve) => (stored = resolve));
    const cmid = chat.sender.send({ room: "r1", text: "hi" });
    await settle();
    same(memory.unsent("me").map((entry) => [entry.cmid, entry.text]), [[cmid, "hi"]]);
    stored({ seq: 5 });
    await settle();
    same(memory.unsent("me"), []);
  },
  "only so many unsent messages are kept": async () => {
    const { chat, memory } = stand();
    for (let number = 0; number < 120; number += 1) chat.sender.send({ room: "r1", text: String(number) });
    same([memory.unsent("me").length, chat.sender.waiting("r1").length], [100, 120]);
  },
  "too much was missed: unread, but nobody knows how many": async () => {
    const { link, chat } = stand({ kept: { "marks.me": { r1: ["a", 4] } } });
    link.connect({ r1: { epoch: "a", head: 4000, recovered: false } });
    same([chat.rooms.get("r1").unread, chat.rooms.get("r1").someUnread], [0, true]);
  },
  "a gap asks for a new connection and takes nothing": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 6));
    same([link.resumed, chat.rooms.get("r1").log.events.length], [1, 0]);
  },
  "a repeat is not shown twice": async () => {
    const { link, chat, changes } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    changes.length = 0;
    link.say(message("r1", 5));
    link.say(message("r1", 5));
    same([changes, chat.rooms.get("r1").log.events.length], [["append"], 1]);
  },
  "history that runs ahead of the pushes is not shown twice": async () => {
    const { link, chat, changes } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.answers.history = { epoch: "a", head: 6, more: false, events: [1, 2, 3, 4, 5, 6].map((seq) => message("r1", seq)) };
    await chat.older("r1");
    changes.length = 0;
    for (const seq of [5, 6, 7]) link.say(message("r1", seq));
    same([changes, chat.rooms.get("r1").log.events.map(({ seq }) => seq)], [["append"], [1, 2, 3, 4, 5, 6, 7]]);
  },
  "a restored store clears the room": async () => {
    const { link, chat, changes } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say(message("r1", 5));
    changes.length = 0;
    link.say(message("r1", 2, "u2", { epoch: "b" }));
    same([changes, chat.rooms.get("r1").log.events.map(({ seq }) => seq)], [["reset", "append"], [2]]);
  },
  "joining sets the cursor before anything else is asked": async () => {
    const { link, chat, cursors } = stand({ rooms: [] });
    link.connect({});
    link.answers.join = { room: "r9", epoch: "a", seq: 11 };
    link.answers.room = () => {
      link.say({ op: "member", change: "joined", room: "r9", epoch: "a", seq: 12, ts: 1, user: { id: "me", name: "ana" } });
      return { room: room("r9", { members: 3, head: 12 }) };
    };
    await chat.join("r9");
    same([link.resumed, cursors.at("r9"), chat.rooms.get("r9").members], [0, ["a", 12], 3]);
  },
  "members are counted once": async () => {
    const { link, chat } = stand({ rooms: [room("r1", { members: 2, head: 5 })] });
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    await settle();
    const came = (seq) => ({ op: "member", change: "joined", room: "r1", epoch: "a", seq, ts: 1, user: { id: `u${seq}`, name: "x" } });
    link.say(came(5));
    link.say(came(6));
    same(chat.rooms.get("r1").members, 3);
  },
  "an invitation is kept until it is answered": async () => {
    const kept = {};
    const { link, chat, memory } = stand({ kept });
    link.connect({ r1: { epoch: "a", head: 0, recovered: false } });
    link.say({ op: "notice", log: "@me", seq: 1, kind: "invited", room: room("r7"), by: { id: "u2", name: "bob" }, ts: 1 });
    same([[...chat.invitations.keys()], memory.own("me").seq], [["r7"], 1]);
    chat.dismiss("r7");
    same([chat.invitations.size, memory.own("me").invitations], [0, {}]);
  },
  "a direct message from somebody new comes up as unread": async () => {
    const { link, chat } = stand();
    link.connect({});
    link.answers.room = { room: room("r8", { kind: "direct", title: null, peer: { id: "u2", name: "bob" }, head: 2 }) };
    link.say({ op: "notice", log: "@me", seq: 1, kind: "direct", room: room("r8", { kind: "direct", head: 2 }), by: { id: "u2", name: "bob" }, ts: 1 });
    await settle();
    same([chat.rooms.get("r8").someUnread, chat.rooms.get("r8").peer.name], [true, "bob"]);
  },
  "being put out takes the room away": async () => {
    const { link, chat, memory } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.say({ op: "member", change: "left", room: "r1", epoch: "a", seq: 5, ts: 1, user: { id: "me", name: "ana" } });
    same([chat.rooms.size, memory.marks("me")], [0, {}]);
  },
  "one's own message stands as sending until its push": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    let stored;
    link.answers.send = () => new Promise((resolve) => (stored = resolve));
    const cmid = chat.sender.send({ room: "r1", text: "hi" });
    await settle();
    same(chat.sender.waiting("r1").map(({ state }) => state), ["sending"]);
    stored({ seq: 5 });
    await settle();
    same(chat.sender.waiting("r1").map(({ state }) => state), ["stored"]);
    link.say(message("r1", 5, "me", { cmid }));
    same(chat.sender.waiting("r1").length, 0);
  },
  "a message stored behind a skipped stretch does not stand as sending for ever": async () => {
    const { link, chat } = stand();
    link.connect({ r1: { epoch: "a", head: 4, recovered: false } });
    link.answers.send = { seq: 5 };
    chat.sender.send({ room: "r1", text: "hi" });
    await settle();
    link.connect({ r1: { epoch: "a", head: 900, recovered: false } });
    same(chat.sender.waiting("r1").length, 0);
  },
};
