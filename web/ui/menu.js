/**
 * A small menu beside a button, by the pattern that screen readers know: arrows move, Enter chooses, Escape and Tab close, the focus
 * goes back to the button. It stands above everything, so that no scrolling part cuts it off.
 */

import { h } from "./dom.js";

const GAP_PX = 4;
const EDGE_PX = 8;

/**
 * `entries`: `{say, run}`, with `danger` for what cannot be undone; or `{row: [{text, label, pressed, run}]}` for several side by side.
 * `label`: what the menu is called. What is chosen runs after the menu is closed.
 */
export function openMenu(button, label, entries) {
  const close = (back) => {
    removeEventListener("pointerdown", outside, true);
    removeEventListener("scroll", away, true);
    removeEventListener("resize", away);
    element.remove();
    button.setAttribute("aria-expanded", "false");
    if (back) button.focus({ preventScroll: true });
  };
  const choose = (run) => () => {
    close(true);
    run();
  };
  const item = ({ say, danger, run }) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", class: danger ? "danger" : null, say, on: { click: choose(run) },
  });
  const small = ({ text, saying, pressed, run }) => h("button", {
    type: "button", role: "menuitemcheckbox", tabindex: "-1", class: "emoji", "aria-checked": String(pressed), saying: { "aria-label": saying },
    on: { click: choose(run) },
  }, text);
  const element = h("div", { role: "menu", class: "menu", popover: "manual", saying: { "aria-label": label } },
    entries.map((entry) => (entry.row ? h("div", { class: "menu-row", role: "none" }, entry.row.map(small)) : item(entry))));
  const items = [...element.querySelectorAll("button")];
  const outside = (event) => !element.contains(event.target) && !button.contains(event.target) && close(false);
  const away = (event) => event.target !== element && close(element.contains(document.activeElement));
  element.addEventListener("keydown", (event) => steer(event, items, close));
  element.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !element.contains(relatedTarget) && relatedTarget !== button && close(false));

  button.after(element);
  element.showPopover?.();
  place(element, button.getBoundingClientRect());
  button.setAttribute("aria-expanded", "true");
  items[0].focus({ preventScroll: true });
  addEventListener("pointerdown", outside, true);
  addEventListener("scroll", away, true);
  addEventListener("resize", away);
  return element;
}

/** A button that opens such a menu, or closes it; `entries()` is asked at each opening. */
export function menuButton(content, { say, label, entries, ...more }) {
  const button = h("button", {
    type: "button", "aria-haspopup": "menu", "aria-expanded": "false", saying: { "aria-label": say, title: say }, ...more,
    on: {
      click() {
        if (button.getAttribute("aria-expanded") === "false") openMenu(button, label ?? say, entries());
      },
    },
  }, content);
  return button;
}

function steer(event, items, close) {
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step) items[(at + step + items.length) % items.length].focus();
  else if (event.key === "Home") items[0].focus();
  else if (event.key === "End") items.at(-1).focus();
  else if (event.key === "Escape" || event.key === "Tab") close(true);
  else return;
  event.stopPropagation();
  if (event.key !== "Tab") event.preventDefault();
}

/** Below the button, above it where there is no room, and never over the edge. */
function place(element, anchor) {
  const { width, height } = element.getBoundingClientRect();
  const below = anchor.bottom + GAP_PX + height <= innerHeight - EDGE_PX;
  const top = below ? anchor.bottom + GAP_PX : Math.max(EDGE_PX, anchor.top - GAP_PX - height);
  const left = Math.min(Math.max(EDGE_PX, anchor.right - width), innerWidth - width - EDGE_PX);
  element.style.top = `${top}px`;
  element.style.left = `${left}px`;
}
