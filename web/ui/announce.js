/** What a screen reader says: news politely, trouble at once. The two places stand in index.html from the start. */

let clear = null;

export function announce(text) {
  put("news", text);
}

export function alarm(text) {
  put("trouble", text);
}

function put(id, text) {
  const place = document.getElementById(id);
  // The same sentence twice in a row is spoken twice only if the place was empty in between.
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
  clearTimeout(clear);
  clear = setTimeout(() => {
    for (const name of ["news", "trouble"]) document.getElementById(name).textContent = "";
  }, 10_000);
}
