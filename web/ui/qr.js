/** A QR code as a drawing, dark on white in both colour schemes, because many readers take no inverted ones. */

import { encode } from "../core/qr.js";
import { s } from "./dom.js";
import { bind } from "./speech.js";

/** The quiet frame that a reader needs around the code, in squares. */
const FRAME = 4;

/** `word`: the sentence that names the picture. */
export function qrCode(text, word) {
  const rows = encode(text);
  const size = rows.length + 2 * FRAME;
  const dark = rows.flatMap((row, y) => row.map((is, x) => (is ? `M${x + FRAME} ${y + FRAME}h1v1h-1z` : ""))).join("");
  const drawing = s("svg", { viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "shape-rendering": "crispEdges" },
    s("rect", { width: size, height: size, fill: "#fff" }), s("path", { d: dark, fill: "#000" }));
  bind(drawing, "aria-label", word);
  return drawing;
}
