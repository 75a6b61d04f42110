/**
 * Elements from plain calls. Text only ever becomes text: there is no way in here to make markup from a string.
 */

import { bind } from "./speech.js";

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "indeterminate", "max", "readOnly", "required"]);

/**
 * `h("button", {class: "quiet", say: "leave.title", on: {click}}, …children)`.
 *
 * `say`: a sentence bound as the text; `saying`: sentences bound to attributes; `on`: listeners; everything else an attribute, or a
 * property where PROPERTIES has it. Children that are null or false are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) put(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function put(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === "say") bind(element, "text", value);
  else if (name === "saying") for (const [place, what] of Object.entries(value)) bind(element, place, what);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false) element.setAttribute(name, value);
}

/** An element of a drawing. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const ICONS = {
  attach: "M20 11.5 12.2 19.3a5 5 0 0 1-7.1-7.1l8-8a3.4 3.4 0 0 1 4.8 4.8l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.3-7.3",
  back: "M15 5l-7 7 7 7",
  bubble: "M4 5h16v11h-8l-5 4v-4H4z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  door: "M13 4H6v16h7M10 12h10m-3.5-3.5L20 12l-3.5 3.5",
  down: "M12 5v14m-6-6 6 6 6-6",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  gear: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM12 3v2.6M12 18.4V21M3 12h2.6M18.4 12H21M5.6 5.6l1.9 1.9M16.5 16.5l1.9 1.9M18.4 5.6l-1.9 1.9M7.5 16.5l-1.9 1.9",
  hash: "M9 4 7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  invite: "M10 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 20c0-3.6 2.9-6 6.5-6 1.3 0 2.5.3 3.5.9M18 14v6m-3-3h6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.4c2.1.9 3.5 2.9 3.5 5.6",
  plus: "M12 5v14M5 12h14",
  reply: "M9 6 4 11l5 5M4 11h9a6 6 0 0 1 6 6v1",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21",
  seek: "M4 6h16M4 11h6M4 16h5M15.5 18.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM18 17.5l2.5 2.5",
  send: "M4 12 20 4l-5 16-4-7z",
  shield: "M12 3l7 3v5.5c0 4.4-3 8-7 9.5-4-1.5-7-5.1-7-9.5V6z",
};

/** A small drawing beside or instead of words; the words stand in the element around it. */
export function icon(name) {
  const path = s("path", { d: ICONS[name] });
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, path);
}

/** A button that shows a drawing only; its name is spoken and shown as a tip. */
export function iconButton(name, word, click, more = {}) {
  return h("button", { type: "button", class: "icon-button", saying: { "aria-label": word, title: word }, on: { click }, ...more }, icon(name));
}

/** Put an element's children anew, without touching the ones that stay. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let numbers = 0;

/** An id for a label to point at. */
export function newId(word) {
  numbers += 1;
  return `${word}-${numbers}`;
}
