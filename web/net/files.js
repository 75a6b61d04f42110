/**
 * Files over the link: chunks within the window, gone on with after a lost connection, SHA-256 checked at both ends.
 *
 * The rules of the window are in `core/transfer.js`.
 */

import { Receiving, Sending, encodeChunk, toHex } from "../core/transfer.js";
import { announcedName, announcedType } from "../core/media.js";
import { ProtocolError } from "./link.js";

const TRIES = 8;
const SILENCE_MS = 30_000;

/** The SHA-256 of some bytes, as hex. */
export async function sha256(bytes) {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Sends a file (a Blob with a name) to a room and gives its file object. `progress(bytes)`: how many are acknowledged. */
export async function upload(link, { room, file, progress = () => {}, signal }) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const announcement = {
    cmid: crypto.randomUUID(),
    room,
    name: announcedName(file.name),
    size: bytes.length,
    sha256: await sha256(bytes),
    type: announcedType(file.type),
  };
  const finish = crypto.randomUUID();
  let ticket = null;
  try {
    for (let tries = 0; ; tries += 1) {
      ticket = await link.ask("upload", announcement, { signal });
      if (await pushChunks(link, bytes, ticket, progress, signal)) break;
      if (tries >= TRIES) throw new ProtocolError("lost");
    }
    return (await link.ask("upload_finish", { cmid: finish, upload: ticket.upload }, { signal })).file;
  } catch (error) {
    if (signal?.aborted && ticket) giveUp(link, ticket.upload);
    throw error;
  }
}

function giveUp(link, transfer) {
  // Nobody waits for the outcome: an upload that is not given up ends by itself after a day.
  link.request("upload_abort", { cmid: crypto.randomUUID(), upload: transfer }).catch(() => {});
}

/** Sends what the window allows and waits for acknowledgements. False where the connection was lost on the way. */
function pushChunks(link, bytes, ticket, progress, signal) {
  const sending = new Sending({
    size: bytes.length,
    offset: ticket.offset,
    chunkBytes: ticket.chunk_bytes,
    window: ticket.window,
  });
  const fill = () => {
    for (let part = sending.next(); part; part = sending.next()) {
      link.sendBytes(encodeChunk(ticket.upload, part.start, bytes.subarray(part.start, part.end)));
    }
    progress(sending.acknowledged);
  };
  const heard = (event) => {
    if (event.type !== "push" || event.detail.op !== "chunk_ack" || event.detail.transfer !== ticket.upload) return false;
    sending.acknowledge(event.detail.offset);
    fill();
    return true;
  };
  return follow(link, signal, fill, heard, () => sending.done);
}

/** Fetches a file and gives its bytes, whose SHA-256 is the announced one. `progress(bytes)`: how many have come. */
export async function download(link, file, { progress = () => {}, signal } = {}) {
  const receiving = new Receiving(file.size);
  for (let tries = 0; !receiving.done; tries += 1) {
    if (tries > TRIES) throw new ProtocolError("lost");
    await pullChunks(link, file, receiving, progress, signal);
  }
  const bytes = receiving.bytes();
  if ((await sha256(bytes)) !== file.sha256) throw new ProtocolError("file_damaged");
  return bytes;
}

async function pullChunks(link, file, receiving, progress, signal) {
  let transfer = null;
  const early = [];
  const take = (chunk) => {
    if (chunk.transfer !== transfer) return false;
    if (receiving.take(chunk.offset, chunk.data)) {
      link.tell("chunk_ack", { transfer, offset: receiving.offset });
      progress(receiving.offset);
    }
    return true;
  };
  // The first chunks come right behind the answer, before the code that waits for the answer runs on.
  const heard = (event) => {
    if (event.type !== "chunk") return false;
    if (transfer === null) return early.push(event.detail) > 0;
    return take(event.detail);
  };
  const start = async () => {
    transfer = (await link.ask("download", { file: file.id, offset: receiving.offset }, { signal })).transfer;
    early.forEach(take);
  };
  return follow(link, signal, start, heard, () => receiving.done);
}

/**
 * `start()`, then `heard(event)` for everything that comes, until `done()`: resolves to true, or to false where the connection was
 * lost or nothing was heard of the transfer for half a minute.
 */
function follow(link, signal, start, heard, done) {
  return new Promise((resolve, reject) => {
    let silence = null;
    const end = (work) => {
      clearTimeout(silence);
      for (const name of ["push", "chunk", "status"]) link.removeEventListener(name, listen);
      signal?.removeEventListener("abort", abort);
      work();
    };
    const abort = () => end(() => reject(signal.reason));
    const fail = (error) => end(() => (error.code === "lost" && error.temporary ? resolve(false) : reject(error)));
    const look = () => {
      clearTimeout(silence);
      silence = setTimeout(() => end(() => resolve(false)), SILENCE_MS);
      if (done()) end(() => resolve(true));
    };
    const listen = (event) => {
      if (event.type === "status") {
        if (event.detail.state !== "online") end(() => resolve(false));
        return;
      }
      try {
        if (heard(event)) look();
      } catch (error) {
        fail(error);
      }
    };
    for (const name of ["push", "chunk", "status"]) link.addEventListener(name, listen);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    else Promise.resolve().then(start).then(look, fail);
  });
}
