import { Composition } from "/core/compose.js";
import { same } from "./check.js";

function typed(...events) {
  const composition = new Composition();
  for (const [kind, at] of events) composition.note(kind, at);
  return composition;
}

export const spec = {
  "nothing typed gives nothing": () => {
    same(new Composition().summary(5000), null);
  },
  "even typing has no variation": () => {
    const keys = [0, 100, 200, 300].map((at) => ["insertText", 1000 + at]);
    same(typed(...keys).summary(1500), { ms: 500, keys: 4, fixes: 0, paste: false, ikcv: 0 });
  },
  "variation is deviation over mean": () => {
    const record = typed(["insertText", 0], ["insertText", 100], ["insertText", 400]).summary(400);
    same(record.ikcv, 0.5);
  },
  "deletions are fixes": () => {
    const record = typed(["insertText", 0], ["deleteContentBackward", 10], ["deleteWordForward", 20], ["historyUndo", 30]).summary(30);
    same([record.keys, record.fixes], [4, 3]);
  },
  "a paste is told and is no key": () => {
    same(typed(["insertFromPaste", 50]).summary(60), { ms: 10, keys: 0, fixes: 0, paste: true, ikcv: 0 });
  },
  "a pause for thinking does not count as rhythm": () => {
    const record = typed(["insertText", 0], ["insertText", 100], ["insertText", 60_000], ["insertText", 60_100]).summary(60_100);
    same(record.ikcv, 0);
  },
  "no value leaves the protocol's bounds": () => {
    const record = typed(["insertText", 0]).summary(10 ** 12);
    same([record.ms, record.ikcv], [86_400_000, 0]);
  },
};
