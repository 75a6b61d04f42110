import { Backoff, CAP_MS, GOOD_MS } from "/core/backoff.js";
import { same } from "./check.js";

const ALMOST_ONE = 0.999999;

export const spec = {
  "the longest wait doubles from half a second to thirty": () => {
    const backoff = new Backoff(() => ALMOST_ONE);
    const waits = Array.from({ length: 9 }, () => Math.round(backoff.closed(0)));
    same(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  },
  "the wait is drawn from the whole range": () => {
    same(new Backoff(() => 0).closed(0), 0);
    same(new Backoff(() => 0.5).closed(0), 250);
  },
  "the server's wish is honoured, even beyond the cap": () => {
    same(new Backoff(() => ALMOST_ONE).closed(0, 45_000), 45_000);
    same(new Backoff(() => 0).closed(0, 700), 700);
  },
  "thirty seconds of good connection begin anew": () => {
    const backoff = new Backoff(() => ALMOST_ONE);
    for (let turn = 0; turn < 5; turn += 1) backoff.closed(0);
    backoff.opened(1000);
    same(Math.round(backoff.closed(1000 + GOOD_MS)), 500);
  },
  "a moment less does not": () => {
    const backoff = new Backoff(() => ALMOST_ONE);
    for (let turn = 0; turn < 5; turn += 1) backoff.closed(0);
    backoff.opened(1000);
    same(Math.round(backoff.closed(999 + GOOD_MS)), 16_000);
  },
  "however often, never beyond the cap": () => {
    const backoff = new Backoff(() => ALMOST_ONE);
    for (let turn = 0; turn < 5000; turn += 1) if (backoff.closed(0) > CAP_MS) throw new Error("too long");
  },
};
