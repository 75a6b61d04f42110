import { ADDED, HOLE, RoomLog, THERE } from "/core/log.js";
import { same } from "./check.js";

const event = (seq, op = "message", user = "u1") => ({ op, seq, user: { id: user } });
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => event(from + at));
const seqs = (log) => log.events.map(({ seq }) => seq);

function holding(from, to) {
  const log = new RoomLog();
  for (const one of range(from, to)) log.append(one);
  return log;
}

export const spec = {
  "pushes grow the end": () => {
    same(seqs(holding(5, 7)), [5, 6, 7]);
  },
  "an event that history brought before is there already": () => {
    const log = holding(5, 7);
    same([log.append(event(6)), log.append(event(7)), log.append(event(8))], [THERE, THERE, ADDED]);
    same(seqs(log), [5, 6, 7, 8]);
  },
  "a hole begins the stretch anew": () => {
    const log = holding(1, 3);
    same([log.append(event(9)), seqs(log), log.complete], [HOLE, [9], false]);
  },
  "history grows the beginning": () => {
    const log = holding(5, 6);
    same(log.prepend(range(2, 4), true).length, 3);
    same([seqs(log), log.complete], [[2, 3, 4, 5, 6], false]);
  },
  "history that overlaps is cut": () => {
    const log = holding(5, 6);
    log.prepend(range(3, 6), true);
    same(seqs(log), [3, 4, 5, 6]);
  },
  "history that would leave a hole is refused": () => {
    const log = holding(8, 9);
    same([log.prepend(range(2, 4), true), seqs(log)], [null, [8, 9]]);
  },
  "the first page of an empty log is taken whole": () => {
    const log = new RoomLog();
    log.prepend(range(40, 42), true);
    same([seqs(log), log.complete], [[40, 41, 42], false]);
  },
  "complete is what begins at one, or what the server says": () => {
    const log = holding(4, 5);
    log.prepend([], false);
    same([log.complete, holding(1, 2).complete, new RoomLog().complete], [true, true, false]);
  },
  "trimming keeps the newest and forgets that it was complete": () => {
    const log = holding(1, 10);
    same([log.trim(4), seqs(log), log.complete, log.trim(4)], [6, [7, 8, 9, 10], false, 0]);
  },
  "unread are the messages of others": () => {
    const log = new RoomLog();
    [event(1), event(2, "message", "me"), event(3, "member"), event(4), event(5)].forEach((one) => log.append(one));
    same([log.unreadAfter(0, "me"), log.unreadAfter(1, "me"), log.unreadAfter(5, "me")], [3, 2, 0]);
  },
};
