import { Changes } from "/core/changes.js";
import { RoomLog } from "/core/log.js";
import { same } from "./check.js";

const message = (seq, more = {}) => ({ op: "message", seq, mid: `m${seq}`, text: "one", user: { id: "u1", name: "ana" }, ...more });
const edited = (seq, of, text) => ({ op: "edited", seq, of, text, ts: seq * 10 });
const deleted = (seq, of, more = {}) => ({ op: "deleted", seq, of, ...more });
const reaction = (seq, of, user, emoji, on) => ({ op: "reaction", seq, of, emoji, on, user: { id: user, name: user } });

function picture(first, ...changes) {
  const known = new Changes();
  for (const change of changes) known.add(change);
  return known.picture(first, "me");
}

export const spec = {
  "the last edit counts, in whatever order the pages came": () => {
    const now = picture(message(1), edited(5, 1, "three"), edited(3, 1, "two"));
    same([now.text, now.edited], ["three", 50]);
  },
  "history shows an edited message as it is": () => {
    const now = picture(message(1, { text: "two", edited: 30 }));
    same([now.text, now.edited, now.deleted], ["two", 30, false]);
  },
  "an edit that has no text any more says nothing": () => {
    const now = picture(message(1, { text: "two", edited: 30 }), { ...edited(2, 1, ""), void: true });
    same([now.text, now.edited], ["two", 30]);
  },
  "a deletion is final": () => {
    const now = picture(message(1), deleted(3, 1, { by_moderator: true }), edited(2, 1, "two"), reaction(4, 1, "u2", "x"));
    same(now, { text: "", files: [], edited: null, deleted: true, byModerator: true, reactions: [] });
    same(picture(message(1, { deleted: true, text: "" })).deleted, true);
  },
  "reactions are counted by person, and can be taken back": () => {
    const now = picture(message(1), reaction(2, 1, "u2", "x"), reaction(3, 1, "me", "x"), reaction(4, 1, "u2", "y"), reaction(6, 1, "u2", "y", false), reaction(5, 1, "u2", "x"));
    same(now.reactions, [{ emoji: "x", count: 2, mine: true, names: ["u2", "me"] }]);
  },
  "changes of other messages do not matter, and a repeat is nothing new": () => {
    const known = new Changes();
    same([known.add(edited(3, 2, "x")), known.add(edited(3, 2, "x")), known.add(message(4))], [true, false, false]);
    same(known.picture(message(1), "me").text, "one");
  },
  "a stretch of events knows what became of its messages": () => {
    const log = new RoomLog();
    for (const event of [message(4), edited(5, 4, "two"), reaction(6, 2, "me", "x")]) log.append(event);
    log.prepend([message(2), edited(3, 2, "old")], true);
    same([log.picture(log.at(4), "me").text, log.picture(log.at(2), "me").reactions.length, log.message("m2").seq], ["two", 1, 2]);
    log.trim(2);
    same([log.at(4), log.picture(message(4), "me").text], [undefined, "two"]);
  },
};
