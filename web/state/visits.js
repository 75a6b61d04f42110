/**
 * Looking at an old place of a room: a second stretch of events around it, beside the one that goes up to now. It grows at both ends by
 * history; where it reaches the newer stretch the two become one, and the visit is over.
 */

import { RoomLog } from "../core/log.js";

const AROUND = 50;

export class Visits {
  #link;
  #loadNewest;
  #tell;

  /** `loadNewest(room)`: reads the newest page; `tell(room, detail)`: what is shown of the room is not what it was. */
  constructor({ link, loadNewest, tell }) {
    this.#link = link;
    this.#loadNewest = loadNewest;
    this.#tell = tell;
  }

  /** Go to the event `seq`. */
  async go(room, seq) {
    if (room.log.first === null) await this.#loadNewest(room);
    if (room.log.at(seq)) return this.end(room);
    if (room.visit?.at(seq)) return undefined;
    const page = await this.#page(room, { before: seq + AROUND / 2 });
    if (!page) return undefined;
    room.visit = new RoomLog();
    room.visit.prepend(page.events, page.more);
    this.#join(room);
    return this.#tell(room, { change: "reset" });
  }

  async older(room) {
    const { visit } = room;
    const page = await this.#page(room, { before: visit.first });
    if (!page || room.visit !== visit) return;
    const events = visit.prepend(page.events, page.more);
    this.#tell(room, events === null ? { change: "reset" } : { change: "prepend", events });
  }

  async newer(room) {
    const { visit } = room;
    if (!visit) return;
    const page = await this.#page(room, { after: visit.last });
    if (!page || room.visit !== visit) return;
    for (const event of page.events) visit.append(event);
    this.#join(room);
    this.#tell(room, room.visit ? { change: "grow", events: page.events } : { change: "joined" });
  }

  /** Back to now. */
  end(room) {
    if (!room.visit) return;
    room.visit = null;
    this.#tell(room, { change: "reset" });
  }

  /** What is held of the room does not hold any more. */
  drop(room) {
    room.visit = null;
  }

  async #page(room, fields) {
    const page = await this.#link.ask("history", { room: room.id, limit: AROUND, ...fields });
    return page.epoch === room.epoch && page.events.length > 0 ? page : null;
  }

  #join(room) {
    const { visit, log } = room;
    if (log.first === null || visit.last < log.first - 1) return;
    log.prepend(visit.events, !visit.complete);
    room.visit = null;
  }
}
