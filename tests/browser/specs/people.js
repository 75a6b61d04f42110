import { HUES, contact, deviceName, hue, inFours, initials, linkify, utf8Bytes } from "/core/people.js";
import { same } from "./check.js";

export const spec = {
  "initials of names and rooms": () => {
    same(["ana", "Ana María Gil", "bob_the.builder", "ñandú", "", "👩‍🚀 x"].map(initials), ["A", "AG", "BB", "Ñ", "?", "👩X"]);
  },
  "a colour is stable and within the palette": () => {
    same(hue("u1"), hue("u1"));
    for (let number = 0; number < 500; number += 1) if (!(hue(`u${number}`) < HUES)) throw new Error("no such hue");
  },
  "a contact is an address or a number": () => {
    same(contact(" ana@example.org "), { email: "ana@example.org" });
    same(contact("+34 600-000 000"), { phone: "+34600000000" });
    same(contact("0034 600 000 000"), { phone: "+34600000000" });
    same(["600000000", "ana", "a@b@c", "", "+1"].map(contact), [null, null, null, null, null]);
  },
  "groups of four": () => {
    same([inFours("ABCDEFGHIJ"), inFours("")], ["ABCD EFGH IJ", ""]);
  },
  "length as the server counts it": () => {
    same([utf8Bytes("ñ"), utf8Bytes("👩")], [2, 4]);
  },
  "links are http only, without the sentence's full stop": () => {
    same(linkify("see (https://a.example/x?y=1). ok"), [
      { text: "see (" }, { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" }, { text: "). ok" },
    ]);
    same(linkify("javascript:alert(1) data:text/html,x ftp://a"), [{ text: "javascript:alert(1) data:text/html,x ftp://a" }]);
    same(linkify("https://"), [{ text: "https://" }]);
  },
  "no letter of a text is lost": () => {
    const text = "a https://x.example/,b http://y.example c https://z.example/<d>";
    same(linkify(text).map((piece) => piece.text).join(""), text);
  },
  "a browser's own words become a device's name": () => {
    const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    same([firefox, chrome, "garita 0.1", "Mozilla/5.0"].map(deviceName), ["Firefox, Windows", "Chrome, Linux", "garita 0.1", "Mozilla/5.0"]);
  },
};
