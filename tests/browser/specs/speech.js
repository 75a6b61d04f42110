import { phrase, pickLanguage } from "/core/speech.js";
import { en, es } from "/words/catalogue.js";
import { same } from "./check.js";

const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g) ?? [])].sort();

export const spec = {
  "what was chosen wins, then the browser's languages, then English": () => {
    same(pickLanguage("es", ["en-GB"]), "es");
    same(pickLanguage(null, ["fr-FR", "es-MX", "en"]), "es");
    same(pickLanguage("xx", ["fr"]), "en");
    same(pickLanguage(null, []), "en");
  },
  "a sentence is filled, and only with its own values": () => {
    same(phrase({ a: "Hello {name}, {other}" }, "en", "a", { name: "{other}" }), "Hello {other}, {other}");
    same(phrase({ a: "{toString}" }, "en", "a", {}), "{toString}");
  },
  "numbers choose their form": () => {
    const count = (number) => phrase(en, "en", "members.count", { count: number });
    same([count(0), count(1), count(2)], ["0 members", "1 member", "2 members"]);
    same(phrase(es, "es", "members.count", { count: 1_000_000 }), "1000000 miembros");
  },
  "both languages have the same sentences": () => {
    same(Object.keys(es), Object.keys(en));
  },
  "and the same places in them": () => {
    const different = Object.keys(en).filter((name) => JSON.stringify(places(en[name])) !== JSON.stringify(places(es[name])));
    same(different, []);
  },
  "no sentence was forgotten in translation": () => {
    const alike = Object.keys(en).filter((name) => typeof en[name] === "string" && en[name] === es[name]);
    same(alike, []);
  },
};
