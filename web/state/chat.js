/**
 * The rooms as this page knows them: fed by the link, read by the views.
 *
 * Pushes come in through the cursor rule; a room's stretch of events is a RoomLog; what was read is kept in the browser and told to the
 * server, and at the first connection the page resumes at those marks, so that everything unread comes as pushes and is counted exactly.
 *
 * Events: `rooms` (the list or a mark changed), `log` (detail `{room, change}`: append, changed, prepend, grow, joined, reset, outbox),
 * `passing` (detail `{room, what}`: typing, marks, presence), `connected`, `members` (detail `{room}`), `invitations`, `put_out` (detail
 * `{room, change}`).
 */

import { GAP, RESTORED, TAKE, UNKNOWN } from "../core/cursor.js";
import { KINDS } from "../core/changes.js";
import { ADDED, RoomLog, THERE } from "../core/log.js";
import { Passing } from "../core/passing.js";
import { Deeds } from "./deeds.js";
import { Marks } from "./marks.js";
import { Reading } from "./reading.js";
import { Sender } from "./sender.js";
import { Visits } from "./visits.js";

const PAGE = 50;
const LIST_PAGE = 100;
/** More than this of one room is not kept; scrolling up reads it again. */
const KEEP_EVENTS = 1_000;
/** So much unread at the first connection is read at once, to be counted; of so many rooms. */
const COUNT_EVENTS = 50;
const COUNT_ROOMS = 10;
/** In larger rooms nobody is told who has read or received. */
export const SMALL_ROOM = 100;
const ENDS = ["left", "kicked", "banned"];

export class Chat extends EventTarget {
  #link;
  #cursors;
  #memory;
  #reading;
  #loading = new Map();
  #seenConnect = false;

  constructor({ link, cursors, memory, user, gatherMs }) {
    super();
    this.#link = link;
    this.#cursors = cursors;
    this.#memory = memory;
    this.user = user;
    this.rooms = new Map();
    this.ready = false;
    const own = memory.own(user.id);
    this.invitations = new Map(Object.entries(own.invitations));
    cursors.setMe(own.seq);
    for (const [room, [epoch, seq]] of Object.entries(memory.marks(user.id))) cursors.set(room, epoch, seq);
    this.deeds = new Deeds(link);
    this.marks = new Marks(link, gatherMs);
    this.#reading = new Reading({ memory, user: user.id, marks: this.marks, changed: () => this.#tell("rooms") });
    this.visits = new Visits({ link, loadNewest: (room) => this.#loadOlder(room), tell: (room, detail) => this.#tell("log", { room: room.id, ...detail }) });
    this.sender = new Sender({
      link,
      memory,
      user: user.id,
      changed: (room) => this.#tell("log", { room, change: "outbox" }),
      seen: (room) => cursors.at(room)?.[1] ?? 0,
    });
    link.addEventListener("connected", (event) => this.#connected(event.detail));
    link.addEventListener("push", (event) => this.#pushed(event.detail));
  }

  /** The newest page of a room, if nothing is loaded, or the page before the first event. Safe to call at any time. */
  older(id) {
    const room = this.rooms.get(id);
    if (!room || (room.visit ?? room.log).complete) return Promise.resolve();
    if (!this.#loading.has(id)) {
      const work = room.visit ? this.visits.older(room) : this.#loadOlder(room);
      this.#loading.set(id, work.finally(() => this.#loading.delete(id)));
    }
    return this.#loading.get(id);
  }

  /** Everything up to now is read. */
  read(id) {
    const room = this.rooms.get(id);
    if (room) this.#reading.all(room);
  }

  /** Another tab of this browser has read on. */
  marksChanged() {
    this.#reading.inOtherTabs(this.rooms.values());
  }

  async create(fields) {
    const { room, epoch, seq } = await this.#link.ask("create_room", { cmid: crypto.randomUUID(), ...fields });
    this.#startNew(room.id, epoch, seq);
    this.#describe(room);
    this.#tell("rooms");
    return room.id;
  }

  async join(id) {
    const { epoch, seq } = await this.#link.ask("join", { cmid: crypto.randomUUID(), room: id });
    // The push of one's own joining follows right behind the answer, so the cursor has to stand before anything else is asked.
    this.#startNew(id, epoch, seq);
    this.#forgetInvitation(id);
    const { room } = await this.#link.ask("room", { room: id });
    this.#describe(room);
    this.#tell("rooms");
    return id;
  }

  async leave(id) {
    await this.#link.ask("leave", { cmid: crypto.randomUUID(), room: id });
    this.#remove(id);
  }

  async invite(id, name) {
    return (await this.#link.ask("invite", { cmid: crypto.randomUUID(), room: id, user: name })).user;
  }

  publicRooms(after) {
    return this.#link.ask("rooms", { scope: "public", limit: PAGE, ...(after ? { after } : {}) });
  }

  /** A page of members; their marks are kept. */
  async members(id, after) {
    const page = await this.deeds.members(id, after);
    const passing = this.rooms.get(id)?.passing;
    for (const member of page.members) passing?.mark(member.id, member);
    this.#tell("passing", { room: id, what: "marks" });
    return page;
  }

  /** Who is here, of the pages of members that begin after these; what was known of others stays only where `anew` is false. */
  async presence(id, pages, anew = false) {
    const found = await Promise.all(pages.map((after) => this.deeds.presence(id, after)));
    const passing = this.rooms.get(id)?.passing;
    if (anew) passing?.here.clear();
    for (const { here } of found) for (const person of here) passing?.came(person.id, true);
    this.#tell("passing", { room: id, what: "presence" });
  }

  stop() {
    this.marks.stop();
  }

  /** Say no to an invitation: only here, the server is not told. */
  dismiss(id) {
    this.#forgetInvitation(id);
  }

  #connected(answer) {
    const first = !this.#seenConnect;
    this.#seenConnect = true;
    if (!answer.me.recovered) this.#cursors.setMe(answer.me.head);
    for (const id of [...this.rooms.keys()]) if (!answer.rooms[id]) this.#remove(id);
    for (const [id, { epoch, head, recovered }] of Object.entries(answer.rooms)) {
      const room = this.rooms.get(id) ?? this.#blank(id, epoch);
      room.passing.here.clear();
      if (recovered) continue;
      this.#startAt(room, epoch, head, first);
    }
    this.#forgetStrangers(answer.rooms);
    this.sender.keepOnly(this.rooms);
    this.sender.wake();
    this.#refreshRooms();
    this.#tell("connected");
  }

  /** A room that begins at its head: what lies before is read by history when somebody looks. */
  #startAt(room, epoch, head, first) {
    this.#cursors.set(room.id, epoch, head);
    room.log.clear();
    this.visits.drop(room);
    this.sender.restart(room.id);
    Object.assign(room, { epoch, head });
    this.#reading.start(room, head, first);
    this.#tell("log", { room: room.id, change: "reset" });
  }

  /** Marks of rooms that one is no longer in would only make `resume` long. */
  #forgetStrangers(rooms) {
    for (const id of Object.keys(this.#memory.marks(this.user.id))) {
      if (rooms[id]) continue;
      this.#cursors.forget(id);
      this.#memory.unmark(this.user.id, id);
    }
  }

  async #refreshRooms() {
    try {
      for (let after; ; ) {
        const page = await this.#link.ask("rooms", { scope: "mine", limit: LIST_PAGE, ...(after ? { after } : {}) });
        for (const described of page.rooms) this.#describe(described);
        after = page.next;
        if (!after) break;
      }
      this.ready = true;
      this.#tell("rooms");
      await this.#countUnread();
    } catch {
      // The link was lost meanwhile: the next `connected` asks again.
    }
  }

  /** Rooms of which only that something is unread is known, where little is. */
  async #countUnread() {
    const short = [...this.rooms.values()].filter(({ someUnread, log, head, read }) => someUnread && log.first === null && head - read <= COUNT_EVENTS);
    for (const { id } of short.slice(0, COUNT_ROOMS)) await this.older(id);
  }

  #blank(id, epoch) {
    const at = this.#cursors.at(id);
    const room = {
      id, epoch, head: at?.[1] ?? 0, kind: null, title: null, topic: "", members: 0, role: null, peer: null, created: 0, countedTo: 0,
      log: new RoomLog(), visit: null, passing: new Passing(), read: at?.[1] ?? 0, unread: 0, someUnread: false, readUnknown: false,
    };
    this.rooms.set(id, room);
    return room;
  }

  #describe(described) {
    const room = this.rooms.get(described.id);
    if (!room) return;
    const { kind, title, topic, members, role, peer, created, head } = described;
    Object.assign(room, { kind, title, topic, members, role, peer: peer ?? null, created, countedTo: head });
    if (described.read !== undefined) this.#reading.elsewhere(room, described.read);
  }

  /** A room that one has just come into: its cursor begins at `seq`. A room that is known already goes on as it is. */
  #startNew(id, epoch, seq) {
    if (this.rooms.has(id)) return;
    this.#cursors.set(id, epoch, seq);
    this.#blank(id, epoch);
    this.#memory.mark(this.user.id, id, epoch, seq);
  }

  #remove(id) {
    this.rooms.delete(id);
    this.#cursors.forget(id);
    this.#memory.unmark(this.user.id, id);
    this.marks.forget(id);
    this.sender.removeRoom(id);
    this.#tell("rooms");
  }

  #pushed(push) {
    if (push.op === "notice") this.#noticed(push);
    else if (["typing", "read", "presence"].includes(push.op)) this.#passed(push);
    else if (push.seq !== undefined && push.room) this.#happened(push);
  }

  /** Said in passing: no cursor moves. */
  #passed(push) {
    const room = this.rooms.get(push.room);
    if (!room) return;
    const { passing } = room;
    const mine = push.user.id === this.user.id;
    if (push.op === "typing" && !mine) passing.writes(push.user, performance.now());
    else if (push.op === "presence") passing.came(push.user.id, push.here);
    else if (push.op === "read") {
      passing.mark(push.user.id, push);
      if (mine) this.#reading.elsewhere(room, push.read);
    }
    this.#tell("passing", { room: room.id, what: { typing: "typing", presence: "presence", read: "marks" }[push.op] });
  }

  #happened(push) {
    const verdict = this.#cursors.judge(push);
    const room = this.rooms.get(push.room);
    if (verdict === GAP) return this.#link.resume();
    if (verdict === UNKNOWN || !room) return undefined;
    if (verdict === RESTORED) {
      room.log.clear();
      this.visits.drop(room);
      Object.assign(room, { epoch: push.epoch, read: push.seq, unread: 0, someUnread: true });
      this.#tell("log", { room: room.id, change: "reset" });
    }
    return verdict === TAKE || verdict === RESTORED ? this.#take(room, push) : undefined;
  }

  #take(room, push) {
    const place = room.log.append(push);
    room.visit?.note(push);
    room.head = push.seq;
    const mine = push.user?.id === this.user.id;
    if (push.cmid && mine) this.sender.arrived(push.cmid);
    if (push.op === "message") this.#said(room, push, mine);
    else if (push.op === "member") this.#memberChanged(room, push, mine);
    else if (push.op === "room" && push.seq > room.countedTo) Object.assign(room, { title: push.title, topic: push.topic });
    this.#reading.count(room);
    if (place !== THERE) this.#tellAppended(room, push, place);
    this.#tell("rooms");
  }

  #said(room, push, mine) {
    if (room.passing.wrote(push.user?.id)) this.#tell("passing", { room: room.id, what: "typing" });
    if (!mine && room.members <= SMALL_ROOM) this.marks.tell("received", room.id, push.seq);
    if (mine && room.unread === 0 && !room.someUnread) this.#reading.own(room, push.seq);
  }

  #tellAppended(room, event, place) {
    const long = room.log.events.length > KEEP_EVENTS * 1.5;
    if (long) room.log.trim(KEEP_EVENTS);
    const change = KINDS.includes(event.op) ? "changed" : "append";
    this.#tell("log", { room: room.id, change: long || place !== ADDED ? "reset" : change, event });
  }

  #memberChanged(room, push, mine) {
    const { change, user } = push;
    const ended = ENDS.includes(change);
    if (ended) room.passing.gone(user.id);
    if (mine && ended) {
      this.#remove(room.id);
      if (change !== "left") this.#tell("put_out", { room, change });
      return;
    }
    // A description that is newer than the event has counted it.
    if (push.seq > room.countedTo) {
      const step = change === "joined" ? 1 : change === "left" || change === "kicked" ? -1 : 0;
      room.members = Math.max(0, room.members + step);
      if (mine && change === "role") room.role = push.role;
      // Who is banned may or may not have been a member.
      if (change === "banned") this.#describeAnew(room.id);
    }
    this.#tell("members", { room: room.id });
  }

  async #describeAnew(id) {
    try {
      this.#describe((await this.#link.ask("room", { room: id })).room);
      this.#tell("rooms");
    } catch {
      // One has left again meanwhile, or the link was lost: the next list of rooms tells.
    }
  }

  #noticed(notice) {
    const verdict = this.#cursors.judge(notice);
    if (verdict === GAP) return this.#link.resume();
    if (verdict !== TAKE) return undefined;
    const { kind, room, by, ts } = notice;
    if (kind === "invited" && !this.rooms.has(room.id)) this.invitations.set(room.id, { room, by: by ?? null, ts });
    else if (kind === "joined" || kind === "direct") {
      this.invitations.delete(room.id);
      if (!this.rooms.has(room.id)) this.#cameIn(room);
    }
    this.#keepOwn();
    this.#tell("invitations", { notice });
    return undefined;
  }

  /** In a room by another device, or by somebody who wrote to us: its description lacks our own role. */
  async #cameIn(described) {
    this.#startNew(described.id, described.epoch, described.head);
    this.#describe({ ...described, role: null });
    const room = this.rooms.get(described.id);
    if (described.kind === "direct") Object.assign(room, { read: 0, someUnread: described.head > 0 });
    this.#tell("rooms");
    await this.#describeAnew(described.id);
  }

  #forgetInvitation(id) {
    if (!this.invitations.delete(id)) return;
    this.#keepOwn();
    this.#tell("invitations", {});
  }

  #keepOwn() {
    const invitations = Object.fromEntries(this.invitations);
    this.#memory.write(`own.${this.user.id}`, { seq: this.#cursors.me, invitations });
  }

  async #loadOlder(room) {
    const before = room.log.first;
    const answer = await this.#link.ask("history", {
      room: room.id, limit: PAGE, ...(before === null ? {} : { before }),
    });
    if (this.rooms.get(room.id) !== room || answer.epoch !== room.epoch) return;
    const older = room.log.prepend(answer.events, answer.more);
    if (older === null) room.log.clear();
    this.#reading.count(room);
    if (!room.visit) this.#tell("log", { room: room.id, change: before === null || older === null ? "reset" : "prepend", events: older });
    this.#tell("rooms");
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
