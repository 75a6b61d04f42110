/**
 * Fetched files of a sitting: each is fetched once, one after another, and held as a blob address until the store is closed.
 *
 * What is downloaded gets a neutral type, so that even opening its address could not make a document of it; only the bytes of a real
 * picture get the picture's type.
 */

import { DOWNLOAD_TYPE, pictureType } from "../core/media.js";
import { download } from "../net/files.js";

export class FileStore {
  #link;
  #bytes = new Map();
  #addresses = new Map();
  #followers = new Map();
  #line = Promise.resolve();
  #abort = new AbortController();

  constructor(link) {
    this.#link = link;
  }

  /** `heard(bytes)` while the file is on its way; gives the function that ends it. */
  follow(file, heard) {
    if (!this.#followers.has(file.id)) this.#followers.set(file.id, new Set());
    this.#followers.get(file.id).add(heard);
    return () => this.#followers.get(file.id)?.delete(heard);
  }

  /** A blob address to save the file from. */
  async address(file) {
    return this.#addressOf(file, await this.#fetch(file), DOWNLOAD_TYPE);
  }

  /** A blob address to show, or null where the bytes are no picture. */
  async picture(file) {
    const bytes = await this.#fetch(file);
    const type = pictureType(bytes);
    return type && this.#addressOf(file, bytes, type);
  }

  close() {
    this.#abort.abort(new DOMException("closed", "AbortError"));
    for (const address of this.#addresses.values()) URL.revokeObjectURL(address);
    this.#addresses.clear();
    this.#bytes.clear();
  }

  #addressOf(file, bytes, type) {
    const name = `${file.id} ${type}`;
    if (!this.#addresses.has(name)) this.#addresses.set(name, URL.createObjectURL(new Blob([bytes], { type })));
    return this.#addresses.get(name);
  }

  #fetch(file) {
    if (!this.#bytes.has(file.id)) {
      const work = this.#line.then(() => this.#download(file));
      this.#line = work.catch(() => {});
      this.#bytes.set(file.id, work);
      work.catch(() => this.#bytes.delete(file.id));
    }
    return this.#bytes.get(file.id);
  }

  #download(file) {
    const progress = (count) => {
      for (const heard of this.#followers.get(file.id) ?? []) heard(count);
    };
    return download(this.#link, file, { progress, signal: this.#abort.signal });
  }
}
