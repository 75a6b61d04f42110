/**
 * The bookkeeping of a file on its way (docs/protocol.md §2.3): which chunk comes next, and what has arrived.
 *
 * A chunk is a transfer id (16 bytes), an offset (u64, big-endian) and 1 to 65 536 bytes. At most `window` chunks are on their way
 * unacknowledged, so neither side ever holds more than that for the other.
 */

export const HEADER_BYTES = 24;

/** The bytes of one chunk as they go over the socket. */
export function encodeChunk(transfer, offset, data) {
  const chunk = new Uint8Array(HEADER_BYTES + data.length);
  chunk.set(fromHex(transfer));
  new DataView(chunk.buffer).setBigUint64(16, BigInt(offset));
  chunk.set(data, HEADER_BYTES);
  return chunk;
}

/** `{transfer, offset, data}` of a chunk, or null for bytes that are none. */
export function decodeChunk(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length <= HEADER_BYTES) return null;
  const offset = Number(new DataView(buffer).getBigUint64(16));
  return { transfer: toHex(bytes.subarray(0, 16)), offset, data: bytes.subarray(HEADER_BYTES) };
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** An upload: says which part to send next and moves on by acknowledgements. */
export class Sending {
  #size;
  #chunkBytes;
  #window;
  #sent;
  #acknowledged;
  #repeatsToIgnore = 0;

  constructor({ size, offset, chunkBytes, window }) {
    this.#size = size;
    this.#chunkBytes = chunkBytes;
    this.#window = window;
    this.#sent = offset;
    this.#acknowledged = offset;
  }

  get acknowledged() {
    return this.#acknowledged;
  }

  get done() {
    return this.#acknowledged >= this.#size;
  }

  /** `{start, end}` of the next chunk, or null while the window is full or everything is sent. */
  next() {
    if (this.#sent >= this.#size) return null;
    if (this.#sent - this.#acknowledged >= this.#window * this.#chunkBytes) return null;
    const start = this.#sent;
    this.#sent = Math.min(start + this.#chunkBytes, this.#size);
    return { start, end: this.#sent };
  }

  /**
   * The receiver has all bytes before `offset`.
   *
   * The same offset twice says that a chunk came at the wrong place: go on from there. The chunks that were behind the lost one
   * are answered alike, and those answers are not further losses.
   */
  acknowledge(offset) {
    if (offset > this.#acknowledged) {
      this.#acknowledged = Math.min(offset, this.#size);
      this.#sent = Math.max(this.#sent, this.#acknowledged);
      this.#repeatsToIgnore = 0;
    } else if (offset === this.#acknowledged && this.#repeatsToIgnore > 0) {
      this.#repeatsToIgnore -= 1;
    } else if (offset === this.#acknowledged) {
      this.#repeatsToIgnore = Math.max(0, Math.ceil((this.#sent - offset) / this.#chunkBytes) - 1);
      this.#sent = offset;
    }
  }
}

/** A download: takes chunks that come in order and leaves others alone. */
export class Receiving {
  #size;
  #parts = [];
  #offset = 0;

  constructor(size) {
    this.#size = size;
  }

  get offset() {
    return this.#offset;
  }

  get done() {
    return this.#offset >= this.#size;
  }

  /** Whether the chunk was the next one; bytes beyond the announced size are not taken. */
  take(offset, data) {
    if (offset !== this.#offset || offset + data.length > this.#size) return false;
    this.#parts.push(data);
    this.#offset += data.length;
    return true;
  }

  /** Everything that arrived, in one piece. */
  bytes() {
    const whole = new Uint8Array(this.#offset);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}
