/**
 * The accounts API (docs/auth-api.md) in browser mode: the refresh token lives in a cookie that no script can read.
 *
 * Every request of the page to `/v1/auth` goes through `Accounts.call`, which turns a refusal into an AccountError.
 */

const BASE = "/v1/auth";
const DEADLINE_MS = 20_000;

/** A refusal by its `code` (docs/auth-api.md §2); `offline` where no answer came at all. */
export class AccountError extends Error {
  constructor(code, fields = {}) {
    super(code);
    this.code = code;
    this.reasons = fields.reasons ?? [];
    this.challenge = fields.challenge ?? null;
    this.kinds = fields.kinds ?? [];
    this.methods = fields.methods ?? [];
    this.retryAfter = fields.retry_after ?? null;
    this.until = fields.until_ms ?? null;
    this.reason = fields.reason ?? "";
    this.appeal = fields.appeal ?? "";
    this.requestId = fields.request_id ?? null;
  }

  /** Whether the same request may well succeed a little later. */
  get temporary() {
    return ["offline", "internal", "overloaded", "busy", "rate_limited"].includes(this.code);
  }
}

export class Accounts {
  #fetch;

  constructor(fetcher = (...words) => globalThis.fetch(...words)) {
    this.#fetch = fetcher;
  }

  /** One request; gives the answer's object, or null for an empty one. */
  async call(method, path, { body, token, headers: more = {} } = {}) {
    const headers = { "X-Garita-Web": "1", ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    let response;
    let text;
    try {
      response = await this.#fetch(BASE + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      text = await response.text();
    } catch (cause) {
      throw new AccountError("offline", { cause });
    }
    const answer = parse(text);
    if (response.ok) return answer;
    // A proxy in between may answer for a service that is away, in a form of its own.
    if (!answer?.code) throw new AccountError(response.status >= 500 ? "overloaded" : "internal");
    throw new AccountError(answer.code, answer);
  }

  challenge(action, token) {
    return this.call("POST", "/challenges", { token, body: { action, kinds: ["pow"] } });
  }

  /** A clear for the gateway, where the answer to a challenge of the chat is right. */
  solve(id, answer, token) {
    return this.call("POST", `/challenges/${id}/solve`, { token, body: { answer } });
  }

  register(fields) {
    return this.call("POST", "/registrations", { body: fields });
  }

  verify(flow, secret, code) {
    return this.call("POST", `/registrations/${flow}/verify`, { body: { flow_secret: secret, code } });
  }

  complete(flow, fields) {
    return this.call("POST", `/registrations/${flow}/complete`, { body: fields });
  }

  login(fields) {
    return this.call("POST", "/login", { body: fields });
  }

  /** A challenge of any kind. */
  ask(fields, token) {
    return this.call("POST", "/challenges", { token, body: fields });
  }

  loginSecond(ticket, fields) {
    return this.call("POST", "/login/mfa", { body: { mfa_ticket: ticket, ...fields } });
  }

  /** A text with a code for a ticket. `asked`: what the guard of the form adds. */
  sendLoginText(ticket, asked) {
    return this.call("POST", "/login/mfa/send", { body: { mfa_ticket: ticket, ...asked } });
  }

  /** The options of a login by passkey, or of one for a ticket. */
  passkeyLogin(ticket = null) {
    return this.call("POST", "/passkeys/login/options", { body: ticket ? { mfa_ticket: ticket } : {} });
  }

  loginByPasskey(flow, credential) {
    return this.call("POST", "/passkeys/login/verify", { body: { flow_id: flow, credential } });
  }

  refresh(audience) {
    return this.call("POST", "/token/refresh", { body: { audience } });
  }

  logout(token, scope) {
    return this.call("POST", "/logout", { token, body: { scope } });
  }

  me(token) {
    return this.call("GET", "/me", { token });
  }

  stepUpOptions(token) {
    return this.call("POST", "/step-up/options", { token, body: {} });
  }

  /** Has a code sent to contacts that count, for the step-up of this session. */
  sendStepUp(token, channel, asked = {}) {
    return this.call("POST", "/step-up/send", { token, body: { channel, ...asked } });
  }

  stepUp(token, fields) {
    return this.call("POST", "/step-up", { token, body: fields });
  }
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
