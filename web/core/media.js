/**
 * Which files may be shown in the page, and how a file is announced.
 *
 * Only four image kinds are ever shown, and only when their first bytes agree; everything else, above all SVG and HTML, is only
 * downloaded, because a document of ours could be made to run what it holds.
 */

export const DOWNLOAD_TYPE = "application/octet-stream";
/** Larger pictures are shown when somebody asks for them. */
export const SHOW_AT_ONCE_BYTES = 2 * 1024 * 1024;

const SIGNATURES = {
  "image/png": [[0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]]],
  "image/jpeg": [[0, [0xff, 0xd8, 0xff]]],
  "image/gif": [[0, [0x47, 0x49, 0x46, 0x38]]],
  "image/webp": [[0, [0x52, 0x49, 0x46, 0x46]], [8, [0x57, 0x45, 0x42, 0x50]]],
};
const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,63}$/;

/** Whether a file says of itself that it is a picture of a kind that we show. */
export function mayBeShown(type) {
  return Object.hasOwn(SIGNATURES, type);
}

/** The kind of picture that these bytes really are, or null. */
export function pictureType(bytes) {
  const fits = ([at, wanted]) => wanted.every((byte, index) => bytes[at + index] === byte);
  return Object.keys(SIGNATURES).find((type) => SIGNATURES[type].every(fits)) ?? null;
}

/** A media type as the protocol takes it: without parameters, and the neutral one where the browser knows none. */
export function announcedType(type) {
  const bare = type.split(";", 1)[0].trim().toLowerCase();
  return MEDIA_TYPE.test(bare) ? bare : DOWNLOAD_TYPE;
}

/** A file's name within the protocol's 255 characters, its ending kept; characters are code points, as the server counts. */
export function announcedName(name) {
  const letters = [...name.replaceAll("\u0000", "").toWellFormed()];
  if (letters.length === 0) return "file";
  if (letters.length <= 255) return letters.join("");
  const dot = letters.lastIndexOf(".");
  const ending = dot > 0 && letters.length - dot <= 16 ? letters.slice(dot) : [];
  return [...letters.slice(0, 255 - ending.length), ...ending].join("");
}
