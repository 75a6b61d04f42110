import { Memory } from "/state/memory.js";
import { Recoveries } from "/state/recoveries.js";
import { same } from "./check.js";

function stand(kept = new Map()) {
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  return { recoveries: new Recoveries(new Memory(storage)), kept };
}

const flow = (id) => ({ id, secret: "s", name: "ana", goal: "password", shown: [] });

export const spec = {
  "what was begun is there at the next visit, newest first": () => {
    const { recoveries, kept } = stand();
    recoveries.keep(flow("f1"));
    recoveries.keep(flow("f2"));
    same(stand(kept).recoveries.all().map((one) => one.id), ["f2", "f1"]);
  },
  "a piece that was shown twice stands once, and its recovery stays one": () => {
    const { recoveries } = stand();
    const begun = recoveries.keep(flow("f1"));
    const shown = recoveries.shown(recoveries.shown(begun, "sms"), "sms");
    same([shown.shown, recoveries.all().length], [["sms"], 1]);
  },
  "no more are kept than the server lets live": () => {
    const { recoveries } = stand();
    for (let number = 1; number <= 6; number += 1) recoveries.keep(flow(`f${number}`));
    same(recoveries.all().map((one) => one.id), ["f6", "f5", "f4", "f3", "f2"]);
  },
  "with the last one nothing is left in the browser": () => {
    const { recoveries, kept } = stand();
    recoveries.keep(flow("f1"));
    recoveries.forget(flow("f1"));
    same(kept.size, 0);
  },
  "what somebody else wrote there does no harm": () => {
    const { recoveries } = stand(new Map([["garita.recoveries", '{"not":"a list"}']]));
    same(recoveries.all(), []);
  },
};
