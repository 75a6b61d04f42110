import { Cursors, GAP, REPEAT, RESTORED, TAKE, UNKNOWN } from "/core/cursor.js";
import { same } from "./check.js";

function at(seq) {
  const cursors = new Cursors();
  cursors.set("r1", "a", seq);
  return cursors;
}

const push = (seq, epoch = "a", room = "r1") => ({ op: "message", room, epoch, seq });

export const spec = {
  "the next push is taken and moves the cursor": () => {
    const cursors = at(4);
    same(cursors.judge(push(5)), TAKE);
    same(cursors.at("r1"), ["a", 5]);
  },
  "a push that was seen is a repeat and moves nothing": () => {
    const cursors = at(4);
    same([cursors.judge(push(4)), cursors.judge(push(1))], [REPEAT, REPEAT]);
    same(cursors.at("r1"), ["a", 4]);
  },
  "a later push shows a gap and moves nothing": () => {
    const cursors = at(4);
    same(cursors.judge(push(6)), GAP);
    same(cursors.at("r1"), ["a", 4]);
  },
  "another epoch means a restored store, and the cursor begins there": () => {
    const cursors = at(40);
    same(cursors.judge(push(3, "b")), RESTORED);
    same(cursors.at("r1"), ["b", 3]);
  },
  "a room that one is not in is unknown": () => {
    same(at(4).judge(push(5, "a", "r2")), UNKNOWN);
  },
  "one's own log has a cursor of its own": () => {
    const cursors = at(4);
    const notice = (seq) => ({ op: "notice", log: "@me", seq, room: { id: "r1" } });
    same([1, 1, 3, 2].map((seq) => cursors.judge(notice(seq))), [TAKE, REPEAT, GAP, TAKE]);
    same([cursors.me, cursors.at("r1")], [2, ["a", 4]]);
  },
  "resume holds every room and one's own log": () => {
    const cursors = at(4);
    cursors.setMe(7);
    cursors.set("r2", "b", 0);
    cursors.forget("r1");
    same(cursors.resume(), { r2: ["b", 0], "@me": 7 });
  },
  "resume never names more rooms than the protocol takes": () => {
    const cursors = new Cursors();
    for (let number = 0; number < 200; number += 1) cursors.set(`r${number}`, "a", number);
    same(Object.keys(cursors.resume()).length, 129);
  },
  "whatever order pushes come in, each is taken once": () => {
    const cursors = at(0);
    const taken = [];
    const order = [2, 1, 1, 3, 2, 5, 4, 3, 5, 5, 4];
    for (const seq of order) if (cursors.judge(push(seq)) === TAKE) taken.push(seq);
    same(taken, [1, 2, 3, 4]);
  },
};
