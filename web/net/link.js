/**
 * One lasting link to the gateway over WebSockets that come and go (docs/protocol.md §2, §5).
 *
 * The link connects, resumes at the cursors, answers pings, renews its token, and comes back by the rules of `core/closing.js` and
 * `core/backoff.js`. Requests that were under way when a socket died are repeated on the next one with the same `cmid`, so
 * a caller of `ask` sees only the final answer. What rooms and messages mean is none of its business.
 *
 * Events: `status` (see `status`), `connected` (the answer to `connect`), `push` (what the server says by itself), `refused`
 * (an error that answers no request: something said in passing was not taken), `chunk`.
 */

import { Backoff } from "../core/backoff.js";
import { RETURN_WITH_NEW_TOKEN, STAY_AWAY, WAIT_TO_BE_SEEN, afterClose } from "../core/closing.js";
import { decodeChunk } from "../core/transfer.js";

const ANSWER_MS = 20_000;
const RENEW_BEFORE_MS = 60_000;
const ASK_MS = 60_000;
const NORMAL_END = 1000;

/** A refusal of the server by its `code` (docs/protocol.md §4), or `lost` where the connection ended first. */
export class ProtocolError extends Error {
  constructor(code, fields = {}) {
    super(fields.message ?? code);
    this.code = code;
    this.temporary = fields.temporary ?? false;
    this.retryAfterMs = fields.retry_after_ms ?? null;
  }
}

export class Link extends EventTarget {
  #url;
  #token;
  #cursors;
  #backoff;
  #socket = null;
  #ready = false;
  #nextId = 1;
  #pending = new Map();
  #waiters = new Set();
  #told = null;
  #retry = null;
  #renewal = null;
  #silence = null;
  #silenceMs = 60_000;
  #freshToken = false;
  #wantsNewToken = false;
  #running = false;
  #attempt = 0;

  /** `token(anew)`: resolves to an access token for the chat, a newly drawn one if `anew`; `status`: what the page shows. */
  constructor({ url, token, cursors, random = Math.random }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#cursors = cursors;
    this.#backoff = new Backoff(random);
    this.status = { state: "stopped", code: null };
    this.limits = null;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#open();
  }

  /** End for good: what waits is told `lost`. */
  stop() {
    this.#running = false;
    this.#dropSocket(NORMAL_END);
    this.#settleWaiters(new ProtocolError("lost"));
    this.#say("stopped");
  }

  /** Somebody looks, or the network is back: do not wait any longer. */
  hurry() {
    if (!this.#running || this.#socket || !["waiting", "unseen"].includes(this.status.state)) return;
    this.#open();
  }

  /** Something was missed: a new connection resumes at the cursors; with backoff, should it be missed again and again. */
  resume() {
    if (!this.#socket) return;
    this.#dropSocket(4000);
    this.#comeBack(0);
  }

  /** One request on the present connection. Raises ProtocolError. */
  request(op, fields = {}) {
    if (!this.#ready && op !== "connect") return Promise.reject(new ProtocolError("lost", { temporary: true }));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(id), ANSWER_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ op, id, ...fields }));
    });
  }

  /**
   * A request that is repeated, with the same fields, until it is answered for good: safe because reading is, and because a change
   * carries its `cmid` in `fields`. `patience` in milliseconds; Infinity for what must not be given up.
   */
  async ask(op, fields = {}, { patience = ASK_MS, signal } = {}) {
    const end = performance.now() + patience;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#online(end, signal);
        return await this.request(op, fields);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ProtocolError) || !error.temporary || !this.#running) throw error;
        const wait = error.retryAfterMs ?? (error.code === "lost" ? 0 : Math.min(250 * 2 ** attempt, 8000));
        if (performance.now() + wait >= end) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** An operation that gets no answer. False where no connection stands to say it on. */
  tell(op, fields = {}) {
    if (this.#ready) this.#socket.send(JSON.stringify({ op, ...fields }));
    return this.#ready;
  }

  sendBytes(bytes) {
    if (!this.#ready) throw new ProtocolError("lost", { temporary: true });
    this.#socket.send(bytes);
  }

  async #open() {
    clearTimeout(this.#retry);
    const attempt = ++this.#attempt;
    this.#say("connecting");
    let token;
    this.#freshToken = this.#wantsNewToken;
    try {
      token = await this.#token(this.#wantsNewToken);
      this.#wantsNewToken = false;
    } catch (error) {
      if (this.#running && attempt === this.#attempt) this.#tokenRefused(error);
      return;
    }
    if (!this.#running || attempt !== this.#attempt) return;
    this.#listen(new WebSocket(this.#url, "garita.v1"), token);
  }

  #tokenRefused(error) {
    if (error.temporary) this.#comeBack((error.retryAfter ?? 0) * 1000);
    else this.#end(error.code === "banned" ? 4503 : 4403, { until: error.until, reason: error.reason, appeal: error.appeal });
  }

  #listen(socket, token) {
    this.#socket = socket;
    this.#told = null;
    socket.binaryType = "arraybuffer";
    const mine = (work) => (event) => {
      if (this.#socket === socket) work(event);
    };
    socket.addEventListener("open", mine(() => this.#introduce(token)));
    socket.addEventListener("message", mine((event) => this.#hear(event.data)));
    socket.addEventListener("close", mine((event) => this.#closed(event.code)));
  }

  async #introduce(token) {
    const socket = this.#socket;
    this.#watchSilence();
    try {
      await this.request("connect", { v: 1, token, client: "garita-web", resume: this.#cursors.resume() });
    } catch (error) {
      // A temporary refusal of `connect` leaves a socket that is of no use; every other one is closed by the server.
      if (this.#socket === socket) this.#refusedAtDoor(error);
    }
  }

  #refusedAtDoor(error) {
    this.#dropSocket(NORMAL_END);
    if (error.code === "token_expired" || error.code === "unauthenticated") this.#wantsNewToken = true;
    if (this.#running) this.#comeBack(error.retryAfterMs ?? 0);
  }

  /** The answer to `connect` is taken in the turn it comes in: the missed events follow right behind it. */
  #welcome(answer) {
    this.#ready = true;
    this.limits = answer.limits;
    this.#backoff.opened(performance.now());
    this.#silenceMs = 2 * answer.ping_interval_ms + 10_000;
    this.#planRenewal(answer.expires);
    this.dispatchEvent(new CustomEvent("connected", { detail: answer }));
    this.#say("online");
    this.#settleWaiters(null);
  }

  #hear(data) {
    this.#watchSilence();
    if (typeof data !== "string") {
      const chunk = decodeChunk(data);
      if (chunk) this.dispatchEvent(new CustomEvent("chunk", { detail: chunk }));
      return;
    }
    const frame = JSON.parse(data);
    if (frame.op === "ok" || frame.op === "error") this.#answered(frame);
    else if (frame.op === "ping") this.tell("pong");
    else if (frame.op === "disconnect") this.#told = frame;
    else this.dispatchEvent(new CustomEvent("push", { detail: frame }));
  }

  #answered(frame) {
    const pending = this.#pending.get(frame.id);
    if (!pending && frame.id === undefined && frame.op === "error") this.dispatchEvent(new CustomEvent("refused", { detail: frame }));
    if (!pending) return;
    this.#pending.delete(frame.id);
    clearTimeout(pending.timer);
    if (frame.op === "error") return pending.reject(new ProtocolError(frame.code, frame));
    if (!this.#ready) this.#welcome(frame);
    return pending.resolve(frame);
  }

  #expire(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(new ProtocolError("lost", { temporary: true }));
  }

  #closed(code) {
    const told = this.#told;
    const wasReady = this.#ready;
    this.#dropSocket(null);
    if (!this.#running) return;
    const meaning = told?.code ?? code;
    const next = afterClose(meaning, this.#freshToken && !wasReady);
    if (next === STAY_AWAY) this.#end(meaning, told ?? {});
    else if (next === WAIT_TO_BE_SEEN && document.hidden) this.#say("unseen", meaning);
    else {
      if (next === RETURN_WITH_NEW_TOKEN) this.#wantsNewToken = true;
      this.#comeBack(told?.after_ms ?? 0, meaning);
    }
  }

  #comeBack(afterMs, code = null) {
    const wait = this.#backoff.closed(performance.now(), afterMs);
    this.#say("waiting", code, { attempt: this.#backoff.attempt });
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #end(code, { until = null, reason = "", appeal = "" }) {
    this.#running = false;
    this.#settleWaiters(new ProtocolError("lost"));
    this.#say("ended", code, { until, reason, appeal });
  }

  #dropSocket(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#attempt += 1;
    clearTimeout(this.#retry);
    clearTimeout(this.#renewal);
    clearTimeout(this.#silence);
    if (socket && code !== null) socket.close(code);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(new ProtocolError("lost", { temporary: true }));
    }
  }

  /** The server pings; a link that hears nothing for two intervals is dead, whatever the system says. */
  #watchSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#closedBySilence(), this.#silenceMs);
  }

  #closedBySilence() {
    this.#dropSocket(4000);
    if (this.#running) this.#comeBack(0);
  }

  #planRenewal(expires) {
    clearTimeout(this.#renewal);
    const wait = Math.max(expires - Date.now() - RENEW_BEFORE_MS, 5_000);
    this.#renewal = setTimeout(() => this.#renew(), wait);
  }

  async #renew() {
    const socket = this.#socket;
    try {
      const token = await this.#token(true);
      if (this.#socket !== socket || !this.#ready) return;
      this.#planRenewal((await this.request("renew", { token })).expires);
    } catch (error) {
      if (this.#socket !== socket) return;
      if (error.code === "session_ended") this.#sessionEnded();
      else this.#renewal = setTimeout(() => this.#renew(), 5_000);
    }
  }

  #sessionEnded() {
    this.#dropSocket(NORMAL_END);
    this.#end(4403, {});
  }

  /** Resolves when requests can be sent; raises `lost` when that does not come about before `end`. */
  #online(end, signal) {
    signal?.throwIfAborted();
    if (this.#ready) return Promise.resolve();
    if (!this.#running) return Promise.reject(new ProtocolError("lost"));
    return new Promise((resolve, reject) => {
      const waiter = { settle: null };
      const left = end - performance.now();
      const give = () => waiter.settle(new ProtocolError("lost"));
      const timer = Number.isFinite(left) ? setTimeout(give, Math.max(left, 0)) : null;
      const abort = () => waiter.settle(signal.reason);
      waiter.settle = (error) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#waiters.delete(waiter);
        if (error) reject(error);
        else resolve();
      };
      signal?.addEventListener("abort", abort);
      this.#waiters.add(waiter);
    });
  }

  #settleWaiters(error) {
    for (const waiter of [...this.#waiters]) waiter.settle(error);
  }

  #say(state, code = null, more = {}) {
    this.status = { state, code, ...more };
    this.dispatchEvent(new CustomEvent("status", { detail: this.status }));
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort);
  });
}
