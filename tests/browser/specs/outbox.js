import { FAILED, Outbox, SENDING, STORED, WAITING } from "/core/outbox.js";
import { same } from "./check.js";

function holding(...entries) {
  const outbox = new Outbox();
  for (const [cmid, room] of entries) outbox.add({ cmid, room, text: cmid });
  return outbox;
}

const states = (outbox, room) => outbox.of(room).map(({ cmid, state }) => `${cmid} ${state}`);

export const spec = {
  "one message of a room is on its way at a time": () => {
    const outbox = holding(["a", "r1"], ["b", "r1"], ["c", "r2"]);
    same([outbox.next("r1").cmid, outbox.next("r1"), outbox.next("r2").cmid], ["a", null, "c"]);
  },
  "the next goes when the one before is stored": () => {
    const outbox = holding(["a", "r1"], ["b", "r1"]);
    outbox.next("r1");
    outbox.stored("a");
    same([outbox.next("r1").cmid, states(outbox, "r1")], ["b", [`a ${STORED}`, `b ${SENDING}`]]);
  },
  "a stored one stays until its push comes": () => {
    const outbox = holding(["a", "r1"]);
    outbox.next("r1");
    outbox.stored("a");
    same([outbox.of("r1").length, outbox.remove("a").cmid, outbox.of("r1").length, outbox.remove("a")], [1, "a", 0, null]);
  },
  "a push that overtakes the answer is enough": () => {
    const outbox = holding(["a", "r1"], ["b", "r1"]);
    outbox.next("r1");
    outbox.remove("a");
    outbox.stored("a");
    same([outbox.next("r1").cmid], ["b"]);
  },
  "a refused one waits for a decision and holds up nobody": () => {
    const outbox = holding(["a", "r1"], ["b", "r1"]);
    outbox.next("r1");
    outbox.failed("a", "forbidden");
    same([outbox.next("r1").cmid, outbox.of("r1")[0].state, outbox.of("r1")[0].error], ["b", FAILED, "forbidden"]);
    outbox.again("a");
    same([outbox.of("r1")[0].state, outbox.of("r1")[0].error], [WAITING, null]);
  },
  "leaving a room takes its messages along": () => {
    const outbox = holding(["a", "r1"], ["b", "r2"]);
    outbox.removeRoom("r1");
    same(outbox.rooms(), ["r2"]);
  },
};
