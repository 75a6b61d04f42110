import { announcedName, announcedType, mayBeShown, pictureType } from "/core/media.js";
import { same } from "./check.js";

const bytes = (...start) => new Uint8Array([...start, ...Array(20).fill(0)]);
const text = (words) => new TextEncoder().encode(words);

export const spec = {
  "only four kinds of picture may be shown": () => {
    const kinds = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "text/html", "image/bmp", "toString", ""];
    same(kinds.filter(mayBeShown), kinds.slice(0, 4));
  },
  "the bytes decide": () => {
    same(pictureType(bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)), "image/png");
    same(pictureType(bytes(0xff, 0xd8, 0xff, 0xe0)), "image/jpeg");
    same(pictureType(text("GIF89a....")), "image/gif");
    same(pictureType(text("RIFF....WEBPVP8 ")), "image/webp");
  },
  "other bytes are no picture": () => {
    const others = [text("<svg xmlns='http://www.w3.org/2000/svg'/>"), text("<!doctype html>"), text("RIFF....WAVE"), text(""), bytes(0x89, 0x50)];
    same(others.map(pictureType), others.map(() => null));
  },
  "a media type is announced bare and in lower case": () => {
    same(announcedType("Text/Plain; charset=utf-8"), "text/plain");
    same(["", "nonsense", "a/b c", "text/<b>", `x/${"y".repeat(70)}`].map(announcedType), Array(5).fill("application/octet-stream"));
  },
  "a long name keeps its ending": () => {
    const name = announcedName(`${"ñ".repeat(400)}.jpeg`);
    same([[...name].length, name.endsWith("ñ.jpeg")], [255, true]);
  },
  "a name is never empty and never broken": () => {
    same([announcedName(""), announcedName("a\u0000b"), announcedName("\ud800x")], ["file", "ab", "\ufffdx"]);
  },
};
