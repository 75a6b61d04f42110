/** A file in a message: its name, its size, a way to fetch it, and, for a real picture, the picture. */

import { SHOW_AT_ONCE_BYTES, mayBeShown } from "../core/media.js";
import { announce } from "./announce.js";
import { h, icon } from "./dom.js";
import { dialog } from "./forms.js";
import { sentence } from "./problems.js";
import { bind, sizeText, t } from "./speech.js";

/** `files`: the room's FileStore. */
export function fileCard(file, files) {
  const bar = h("progress", { max: file.size, value: 0, hidden: true, saying: { "aria-label": ["file.fetching", { name: file.name }] } });
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const place = h("div", { class: "shown" });
  const card = h("div", { class: "file", "data-file": file.id });

  const fetch = async (button, work) => {
    button.disabled = true;
    trouble.hidden = true;
    const unfollow = files.follow(file, (bytes) => {
      bar.hidden = false;
      bar.value = bytes;
    });
    try {
      await work();
    } catch (error) {
      bind(trouble, "text", () => sentence(error));
      trouble.hidden = false;
    } finally {
      unfollow();
      bar.hidden = true;
      button.disabled = false;
    }
  };
  const save = h("button", {
    type: "button", class: "icon-button", saying: { "aria-label": ["file.save_long", { name: file.name }], title: "file.save" },
    on: {
      click: () => fetch(save, async () => {
        keep(file, await files.address(file));
        announce(t("file.saved", { name: file.name }));
      }),
    },
  }, icon("download"));
  const show = mayBeShown(file.type) && h("button", {
    type: "button", class: "quiet small", say: "file.show",
    on: { click: () => fetch(show, () => draw()) },
  });
  const draw = async () => {
    const address = await files.picture(file);
    if (address === null) bind(place, "text", "file.no_picture");
    else place.replaceChildren(picture(file, address));
    show.hidden = true;
  };

  card.append(
    h("div", { class: "about" }, icon("file"),
      h("div", {}, h("bdi", { class: "file-name" }, file.name), h("p", { class: "hint", say: () => sizeText(file.size) })),
      show || "", save),
    bar, trouble, place);
  if (show && file.size <= SHOW_AT_ONCE_BYTES) fetch(show, draw);
  return card;
}

function picture(file, address) {
  const image = () => h("img", { src: address, alt: file.name });
  return h("button", {
    type: "button", class: "picture", saying: { "aria-label": ["file.larger", { name: file.name }] },
    on: { click: () => dialog({ title: () => file.name, wide: true, content: () => [h("div", { class: "large" }, image())] }).open() },
  }, image());
}

/** Hands the bytes to the browser's own downloads. */
function keep(file, address) {
  const anchor = h("a", { href: address, download: file.name });
  anchor.click();
}
