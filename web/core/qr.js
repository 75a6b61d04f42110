/**
 * A QR code from a text (ISO/IEC 18004): byte mode, error correction level M, versions 1 to 20, the best of the eight masks.
 *
 * The way: the text's bits are cut into blocks, each block gets Reed-Solomon check bytes, all are interleaved and laid in a zigzag
 * over the squares that patterns leave free; a mask keeps the result free of shapes that would mislead a reader.
 * A square is true when it is dark.
 */

/** Check bytes per block and number of blocks at level M, by version (ISO/IEC 18004 table 9). */
const CHECK_BYTES = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const LEVEL_M = 0;

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** The rows of the code. Raises RangeError for a text that does not fit (over 660 bytes or so). */
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  const version = fittingVersion(bytes.length);
  const words = interleave(dataWords(bytes, version), version);
  const base = new Grid(version);
  base.drawPatterns();
  base.drawWords(words);
  const masked = MASKS.map((mask, number) => base.masked(mask, number));
  const costs = masked.map((grid) => penalty(grid.rows));
  return masked[costs.indexOf(Math.min(...costs))].rows;
}

function fittingVersion(length) {
  for (let version = 1; version <= CHECK_BYTES.length; version += 1) {
    if (4 + lengthBits(version) + 8 * length <= 8 * dataCapacity(version)) return version;
  }
  throw new RangeError("too long for a QR code");
}

function lengthBits(version) {
  return version < 10 ? 8 : 16;
}

/** All squares that carry data or check bits. */
function freeSquares(version) {
  let squares = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const lines = Math.floor(version / 7) + 2;
    squares -= (25 * lines - 10) * lines - 55;
  }
  return version >= 7 ? squares - 36 : squares;
}

function dataCapacity(version) {
  return Math.floor(freeSquares(version) / 8) - CHECK_BYTES[version - 1] * BLOCKS[version - 1];
}

/** Mode, length, text, terminator and padding, as bytes. */
function dataWords(bytes, version) {
  const bits = [];
  const put = (value, count) => {
    for (let at = count - 1; at >= 0; at -= 1) bits.push((value >>> at) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  const room = 8 * dataCapacity(version);
  put(0, Math.min(4, room - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  return Array.from({ length: room / 8 }, (_, at) => bits.slice(8 * at, 8 * at + 8).reduce((sum, bit) => 2 * sum + bit, 0));
}

/** Blocks with their check bytes, read across: first bytes of all, second bytes of all, and so on. */
function interleave(words, version) {
  const count = BLOCKS[version - 1];
  const checks = CHECK_BYTES[version - 1];
  const short = Math.floor(words.length / count);
  const firstLong = count - (words.length % count);
  const generator = generatorPolynomial(checks);
  const blocks = [];
  for (let number = 0, from = 0; number < count; number += 1) {
    const length = short + (number >= firstLong ? 1 : 0);
    const data = words.slice(from, from + length);
    blocks.push({ data, check: remainder(data, generator) });
    from += length;
  }
  const across = (part, length) => {
    const read = [];
    for (let at = 0; at < length; at += 1) for (const block of blocks) if (at < block[part].length) read.push(block[part][at]);
    return read;
  };
  return [...across("data", short + 1), ...across("check", checks)];
}

/** Multiplication in GF(2^8) with the polynomial 0x11d. */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> bit) & 1) * a;
  }
  return product;
}

/** The product of (x − 2^i) for i below `degree`; the leading 1 is left out. */
function generatorPolynomial(degree) {
  const factors = [...Array(degree - 1).fill(0), 1];
  let root = 1;
  for (let turn = 0; turn < degree; turn += 1) {
    for (let at = 0; at < degree; at += 1) factors[at] = multiply(factors[at], root) ^ (factors[at + 1] ?? 0);
    root = multiply(root, 2);
  }
  return factors;
}

function remainder(data, generator) {
  const rest = Array(generator.length).fill(0);
  for (const word of data) {
    const lead = word ^ rest.shift();
    rest.push(0);
    generator.forEach((factor, at) => {
      rest[at] ^= multiply(factor, lead);
    });
  }
  return rest;
}

/** The squares, and which of them are patterns. */
class Grid {
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    this.rows = Array.from({ length: this.size }, () => Array(this.size).fill(false));
    this.fixed = Array.from({ length: this.size }, () => Array(this.size).fill(false));
  }

  #set(x, y, dark) {
    this.rows[y][x] = dark;
    this.fixed[y][x] = true;
  }

  drawPatterns() {
    const last = this.size - 1;
    for (let at = 0; at < this.size; at += 1) {
      this.#set(6, at, at % 2 === 0);
      this.#set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) this.#drawRings(x, y, 4);
    const places = this.#alignment();
    for (const x of places) {
      for (const y of places) {
        const corner = (x === 6 && y === 6) || (x === 6 && y === last - 6) || (x === last - 6 && y === 6);
        if (!corner) this.#drawRings(x, y, 2);
      }
    }
    this.#drawFormat(0);
    this.#drawVersion();
  }

  /** A finder (radius 4, with its light frame) or an alignment pattern (radius 2). */
  #drawRings(cx, cy, radius) {
    for (let y = Math.max(0, cy - radius); y <= Math.min(this.size - 1, cy + radius); y += 1) {
      for (let x = Math.max(0, cx - radius); x <= Math.min(this.size - 1, cx + radius); x += 1) {
        const ring = Math.max(Math.abs(x - cx), Math.abs(y - cy));
        this.#set(x, y, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
      }
    }
  }

  #alignment() {
    if (this.version === 1) return [];
    const lines = Math.floor(this.version / 7) + 2;
    const step = Math.ceil((4 * this.version + 4) / (2 * lines - 2)) * 2;
    const places = Array.from({ length: lines - 1 }, (_, at) => this.size - 7 - at * step);
    return [6, ...places.reverse()];
  }

  /** Level and mask, protected by a BCH code, beside all three finders. */
  #drawFormat(mask) {
    const data = (LEVEL_M << 3) | mask;
    const bits = ((data << 10) | bch(data, 10, 0x537)) ^ 0x5412;
    const bit = (at) => ((bits >>> at) & 1) === 1;
    const last = this.size - 1;
    for (let at = 0; at < 8; at += 1) {
      const along = at < 6 ? at : at + 1;
      this.#set(8, along, bit(at));
      this.#set(last - at, 8, bit(at));
    }
    this.#set(7, 8, bit(8));
    for (let at = 9; at < 15; at += 1) this.#set(14 - at, 8, bit(at));
    for (let at = 8; at < 15; at += 1) this.#set(8, last - 14 + at, bit(at));
    this.#set(8, last - 7, true);
  }

  #drawVersion() {
    if (this.version < 7) return;
    const bits = (this.version << 12) | bch(this.version, 12, 0x1f25);
    for (let at = 0; at < 18; at += 1) {
      const dark = ((bits >>> at) & 1) === 1;
      const far = this.size - 11 + (at % 3);
      const near = Math.floor(at / 3);
      this.#set(far, near, dark);
      this.#set(near, far, dark);
    }
  }

  /** Two columns at a time from the right, up and down in turn, past the upright timing line. */
  drawWords(words) {
    let bit = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const upward = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step += 1) {
        const y = upward ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y][x] || bit >= 8 * words.length) continue;
          this.rows[y][x] = ((words[bit >>> 3] >>> (7 - (bit & 7))) & 1) === 1;
          bit += 1;
        }
      }
    }
  }

  masked(mask, number) {
    const copy = new Grid(this.version);
    copy.fixed = this.fixed;
    copy.rows = this.rows.map((row, y) => row.map((dark, x) => (this.fixed[y][x] ? dark : dark !== mask(x, y))));
    copy.#drawFormat(number);
    return copy;
  }
}

function bch(data, bits, generator) {
  let rest = data;
  for (let turn = 0; turn < bits; turn += 1) rest = (rest << 1) ^ ((rest >>> (bits - 1)) * generator);
  return rest;
}

/** How misleading a code looks (ISO/IEC 18004 §7.8.3): runs, blocks, shapes like a finder, and too much of one colour. */
function penalty(rows) {
  const columns = rows.map((_, x) => rows.map((row) => row[x]));
  let cost = 0;
  for (const line of [...rows, ...columns]) {
    const text = line.map((dark) => (dark ? "1" : "0")).join("");
    for (const [run] of text.matchAll(/1{5,}|0{5,}/g)) cost += run.length - 2;
    cost += 40 * (text.match(/(?=10111010000|00001011101)/g)?.length ?? 0);
  }
  for (let y = 1; y < rows.length; y += 1) {
    for (let x = 1; x < rows.length; x += 1) {
      const dark = rows[y][x];
      if (rows[y - 1][x] === dark && rows[y][x - 1] === dark && rows[y - 1][x - 1] === dark) cost += 3;
    }
  }
  const share = rows.flat().filter(Boolean).length / rows.length ** 2;
  return cost + 10 * Math.floor(Math.abs(share - 0.5) * 20);
}
