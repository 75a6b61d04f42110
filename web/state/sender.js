/**
 * Sends what is in the outbox: per room one message after another, each repeated with its `cmid` until the server has answered.
 *
 * What is not acknowledged is kept in the browser too, exactly as it was asked for, so that a closed tab loses nothing: the next visit
 * repeats it with the same `cmid`, and the server stores it once however many tabs do so.
 */

import { FAILED, Outbox, STORED } from "../core/outbox.js";
import { ProtocolError } from "../net/link.js";

export class Sender {
  #link;
  #changed;
  #seen;
  #memory;
  #user;
  #outbox = new Outbox();

  /** `changed(room)`: what waits in this room is not what it was; `seen(room)`: the `seq` up to which pushes came. */
  constructor({ link, memory, user, changed, seen }) {
    this.#link = link;
    this.#memory = memory;
    this.#user = user;
    this.#changed = changed;
    this.#seen = seen;
    for (const entry of memory.unsent(user)) this.#outbox.add(entry);
  }

  waiting(room) {
    return this.#outbox.of(room);
  }

  send({ room, text, files = [], replyTo = null, compose = null }) {
    const entry = { cmid: crypto.randomUUID(), room, text, files, replyTo, compose, ts: Date.now() };
    this.#memory.keepUnsent(this.#user, entry);
    this.#outbox.add(entry);
    this.#changed(room);
    this.#go(room);
    return entry.cmid;
  }

  again(cmid, room) {
    this.#outbox.again(cmid);
    this.#changed(room);
    this.#go(room);
  }

  giveUp(cmid) {
    this.#memory.dropUnsent(this.#user, cmid);
    const entry = this.#outbox.remove(cmid);
    if (entry) this.#changed(entry.room);
    return entry;
  }

  /** Our own message came back as the room's push. */
  arrived(cmid) {
    this.#memory.dropUnsent(this.#user, cmid);
    this.#outbox.remove(cmid);
  }

  /** Pushes of this room begin anew at its head: what is stored already will not be pushed any more. */
  restart(room) {
    for (const entry of this.#outbox.of(room)) if (entry.state === STORED) this.#outbox.remove(entry.cmid);
  }

  removeRoom(room) {
    for (const { cmid } of this.#outbox.of(room)) this.#memory.dropUnsent(this.#user, cmid);
    this.#outbox.removeRoom(room);
  }

  /** One is in these rooms only: what was to be said elsewhere cannot be. */
  keepOnly(rooms) {
    for (const room of this.#outbox.rooms()) if (!rooms.has(room)) this.removeRoom(room);
  }

  /** A challenge is over: what it held up goes out now. */
  cleared() {
    for (const room of this.#outbox.rooms()) {
      const held = this.#outbox.of(room).filter(({ state, error }) => state === FAILED && error === "challenge_required");
      for (const { cmid } of held) this.#outbox.again(cmid);
      if (held.length) this.#changed(room);
      this.#go(room);
    }
  }

  /** The link stands again; requests under way are repeated by the link itself. */
  wake() {
    for (const room of this.#outbox.rooms()) this.#go(room);
  }

  async #go(room) {
    for (let entry = this.#outbox.next(room); entry; entry = this.#outbox.next(room)) {
      try {
        const answer = await this.#link.ask("send", request(entry), { patience: Infinity });
        this.#memory.dropUnsent(this.#user, entry.cmid);
        // A resume that began behind the message brings no push of it: history shows it.
        if (answer.seq <= this.#seen(room)) this.#outbox.remove(entry.cmid);
        else this.#outbox.stored(entry.cmid);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#outbox.failed(entry.cmid, error.code);
      }
      this.#changed(room);
    }
  }
}

function request({ cmid, room, text, files, replyTo, compose }) {
  return {
    cmid, room, text,
    ...(files.length ? { files: files.map((file) => file.id) } : {}),
    ...(replyTo ? { reply_to: replyTo } : {}),
    ...(compose ? { compose } : {}),
  };
}
