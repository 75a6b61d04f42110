import { Receiving, Sending, decodeChunk, encodeChunk, fromHex, toHex } from "/core/transfer.js";
import { same } from "./check.js";

const ID = "00112233445566778899aabbccddeeff";
const sending = (size, offset = 0) => new Sending({ size, offset, chunkBytes: 10, window: 4 });
const drain = (upload) => {
  const parts = [];
  for (let part = upload.next(); part; part = upload.next()) parts.push([part.start, part.end]);
  return parts;
};

export const spec = {
  "a chunk read back is the chunk that was written": () => {
    const bytes = encodeChunk(ID, 2 ** 40 + 5, new Uint8Array([1, 2, 3]));
    const chunk = decodeChunk(bytes.buffer);
    same([chunk.transfer, chunk.offset, [...chunk.data]], [ID, 2 ** 40 + 5, [1, 2, 3]]);
  },
  "the header is sixteen bytes of id and a big-endian offset": () => {
    same(toHex(encodeChunk(ID, 258, new Uint8Array([255]))), `${ID}0000000000000102ff`);
  },
  "bytes without data are no chunk": () => {
    same([decodeChunk(new ArrayBuffer(24)), decodeChunk(new ArrayBuffer(0))], [null, null]);
  },
  "hex goes both ways": () => {
    same(toHex(fromHex("00ff10")), "00ff10");
  },
  "the window holds four chunks": () => {
    const upload = sending(100);
    same(drain(upload), [[0, 10], [10, 20], [20, 30], [30, 40]]);
    upload.acknowledge(10);
    same(drain(upload), [[40, 50]]);
  },
  "the last chunk is what is left": () => {
    const upload = sending(23);
    same(drain(upload), [[0, 10], [10, 20], [20, 23]]);
    upload.acknowledge(23);
    same([upload.done, upload.acknowledged], [true, 23]);
  },
  "an upload goes on where the server says": () => {
    same(drain(sending(25, 20)), [[20, 25]]);
  },
  "the same acknowledgement again means go back there, once for all that was behind": () => {
    const upload = sending(100);
    drain(upload);
    upload.acknowledge(10);
    upload.acknowledge(10);
    same(drain(upload), [[10, 20], [20, 30], [30, 40], [40, 50]]);
    upload.acknowledge(10);
    upload.acknowledge(10);
    same(drain(upload), []);
    upload.acknowledge(20);
    same(drain(upload), [[50, 60]]);
  },
  "an old acknowledgement changes nothing": () => {
    const upload = sending(100);
    drain(upload);
    upload.acknowledge(30);
    upload.acknowledge(10);
    same([upload.acknowledged, drain(upload)], [30, [[40, 50], [50, 60], [60, 70]]]);
  },
  "a download takes chunks in order and leaves others": () => {
    const download = new Receiving(6);
    same(
      [[2, 2], [0, 2], [0, 2], [2, 3], [5, 9], [5, 1]].map(([at, length]) => download.take(at, new Uint8Array(length).fill(at))),
      [false, true, false, true, false, true],
    );
    same([download.done, [...download.bytes()]], [true, [0, 0, 2, 2, 2, 5]]);
  },
};
