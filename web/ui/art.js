/** The sentry box: as a mark, and as the picture beside the entrance. Colours come from the style sheet. */

import { s } from "./dom.js";

/** The mark of Garita. */
export function logo() {
  return s("svg", { viewBox: "0 0 32 32", class: "logo", "aria-hidden": "true", focusable: "false" },
    s("circle", { cx: 16, cy: 2.7, r: 1.7 }),
    s("path", { d: "M7 11.3C7 7 11 5.2 16 5.2s9 1.8 9 6.1z" }),
    s("rect", { x: 5.5, y: 12.1, width: 21, height: 2.2, rx: 1.1 }),
    s("path", { "fill-rule": "evenodd", d: "M8 15.1h16v8.8H8zM14.4 22h3.2v-3.4a1.6 1.6 0 0 0-3.2 0z" }),
    s("rect", { x: 6.2, y: 24.7, width: 19.6, height: 2, rx: 1 }),
    s("path", { d: "M9 27.5h14l-4.6 3.4a4 4 0 0 1-4.8 0z" }));
}

/** A sentry box on its wall above the sea. */
export function scene() {
  const stars = [[70, 92], [402, 64], [356, 176], [120, 214], [438, 246], [48, 306], [214, 58]];
  const waves = [[30, 396, 70], [330, 408, 96], [110, 418, 54], [392, 390, 56], [14, 432, 40]];
  return s("svg", { viewBox: "0 0 480 640", class: "scene", preserveAspectRatio: "xMidYMax slice", "aria-hidden": "true", focusable: "false" },
    s("rect", { class: "sky", width: 480, height: 640 }),
    s("circle", { class: "light", cx: 352, cy: 330, r: 62 }),
    ...stars.map(([cx, cy]) => s("circle", { class: "star", cx, cy, r: 2 })),
    s("rect", { class: "sea", y: 378, width: 480, height: 262 }),
    ...waves.map(([x, y, width]) => s("rect", { class: "wave", x, y, width, height: 3, rx: 1.5 })),
    s("path", { class: "wall", d: "M0 640V470h40v-22h44v22h40v-22h32v28h168v-28h32v22h40v-22h44v22h40v170z" }),
    s("path", { class: "joint", d: "M0 520h480M0 572h480M60 476v44M400 476v44M120 520v52M340 520v52M40 572v68M240 572v68M440 572v68" }),
    s("circle", { class: "stone", cx: 240, cy: 158, r: 10 }),
    s("path", { class: "stone", d: "M166 248c0-54 34-78 74-80 40 2 74 26 74 80z" }),
    s("path", { class: "shade", d: "M240 168c40 2 74 26 74 80h-40c0-40-12-68-34-80z" }),
    s("rect", { class: "stone", x: 154, y: 248, width: 172, height: 18, rx: 5 }),
    s("rect", { class: "stone", x: 172, y: 266, width: 136, height: 150 }),
    s("rect", { class: "shade", x: 270, y: 266, width: 38, height: 150 }),
    s("path", { class: "window", d: "M226 378v-54a14 14 0 0 1 28 0v54z" }),
    s("rect", { class: "stone", x: 158, y: 416, width: 164, height: 18, rx: 5 }),
    s("path", { class: "stone", d: "M168 434h144l-46 98q-26 26-52 0z" }),
    s("path", { class: "shade", d: "M312 434l-46 98q-13 13-26 13 22-40 34-111z" }));
}
