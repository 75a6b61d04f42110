import { Passing, TYPING_MS } from "/core/passing.js";
import { same } from "./check.js";

const person = (id) => ({ id, name: id.toUpperCase() });

export const spec = {
  "writing ends by itself": () => {
    const passing = new Passing();
    passing.writes(person("a"), 100);
    passing.writes(person("b"), 1100);
    same(passing.writing(1100), { names: ["A", "B"], ms: TYPING_MS - 1000 });
    same(passing.writing(100 + TYPING_MS).names, ["B"]);
    same(passing.writing(1100 + TYPING_MS), { names: [], ms: null });
  },
  "writing ends with what was written, or with going": () => {
    const passing = new Passing();
    passing.writes(person("a"), 0);
    same([passing.wrote("a"), passing.wrote("a"), passing.writing(1).names], [true, false, []]);
    passing.writes(person("a"), 0);
    passing.came("a", true);
    passing.gone("a");
    same([passing.writing(1).names, passing.here.size], [[], 0]);
  },
  "marks only go up, and reading is having received": () => {
    const passing = new Passing();
    same([passing.mark("a", { read: 5 }), passing.mark("a", { read: 3, received: 4 }), passing.mark("a", { received: 9 })], [true, false, true]);
    same(passing.seen(5, "me"), { read: 1, received: 1, others: 1 });
    same(passing.seen(9, "me"), { read: 0, received: 1, others: 1 });
  },
  "one's own marks do not count": () => {
    const passing = new Passing();
    passing.mark("me", { read: 9 });
    same(passing.seen(5, "me"), { read: 0, received: 0, others: 0 });
  },
  "who is here comes and goes": () => {
    const passing = new Passing();
    passing.came("a", true);
    passing.came("b", true);
    passing.came("a", false);
    same([...passing.here], ["b"]);
  },
};
