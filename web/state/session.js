/**
 * Who is logged in on this page: begins with a login or registration, or with what the browser remembers; ends with a logout here,
 * in another tab, or by the server.
 *
 * Events: `begun`, `ended` (detail `{told}`: whether the person should hear that the session ended by itself), `profile`.
 */

/** How long a logout waits for requests that are on their way. */
const HOME_MS = 2_000;

export class Session extends EventTarget {
  #accounts;
  #tokens;
  #memory;
  #channel;
  #open = new Set();

  /** `channel`: a BroadcastChannel to the other tabs. */
  constructor({ accounts, tokens, memory, channel }) {
    super();
    this.#accounts = accounts;
    this.#tokens = tokens;
    this.#memory = memory;
    this.#channel = channel;
    /** What is remembered of the account: `{id, username, display_name}`; null when nobody is logged in. */
    this.account = memory.read("account");
    /** The whole `<user>` of the accounts API, once it was asked for. */
    this.profile = null;
    channel.addEventListener("message", (event) => this.#told(event.data));
  }

  /** `{user, tokens}` of a login or registration. */
  begin({ user, tokens }) {
    this.#tokens.forget();
    this.#tokens.accept(tokens);
    this.#remember(user);
    this.#channel.postMessage({ kind: "in" });
    this.dispatchEvent(new CustomEvent("begun"));
  }

  /** An access token for the chat; `anew`: the one held is not good any more. */
  async chatToken(anew) {
    if (anew) this.#tokens.discard("chat");
    return this.#guarded(() => this.#tokens.get("chat"));
  }

  /** `work(token)` with a token for the accounts API. */
  withToken(work) {
    const open = this.#guarded(() => this.#tokens.use("auth", work));
    const home = () => this.#open.delete(open);
    this.#open.add(open);
    open.then(home, home);
    return open;
  }

  async loadProfile() {
    const profile = await this.withToken((token) => this.#accounts.me(token));
    this.#remember(profile);
    this.dispatchEvent(new CustomEvent("profile"));
    return profile;
  }

  /** A fresh proof of who one is: `{method, password}` or `{method, code}`. The answer holds the successor of a used recovery code. */
  async stepUp(fields) {
    const answer = await this.withToken((token) => this.#accounts.stepUp(token, fields));
    this.#tokens.accept(answer);
    return answer;
  }

  /** The answer holds `ends_ms` where sessions are asked first; null otherwise. */
  async logout(scope) {
    // What is on its way comes home first: the end of the session would refuse it, and look like an end by itself.
    const late = new Promise((done) => setTimeout(done, HOME_MS));
    await Promise.race([Promise.allSettled(this.#open), late]);
    const answer = await this.withToken((token) => this.#accounts.logout(token, scope));
    if (scope !== "others") this.#leave({ told: false });
    return answer;
  }

  async #guarded(work) {
    try {
      return await work();
    } catch (error) {
      if (error.code === "session_ended") this.#leave({ told: true });
      throw error;
    }
  }

  #remember(user) {
    this.profile = user;
    this.account = { id: user.id, username: user.username, display_name: user.display_name };
    this.#memory.write("account", this.account);
  }

  #leave(detail) {
    if (!this.account) return;
    // Whoever logs out wants nothing left here; a session that ended by itself may go on after the next login.
    if (!detail.told) this.#memory.forgetUnsent(this.account.id);
    this.#channel.postMessage({ kind: "out" });
    this.#forget(detail);
  }

  #forget(detail) {
    this.#tokens.forget();
    this.#memory.forget("account");
    this.account = null;
    this.profile = null;
    this.dispatchEvent(new CustomEvent("ended", { detail }));
  }

  /** Another tab logged in or out: its cookie is ours too. */
  #told({ kind }) {
    if (kind === "out" && this.account) this.#forget({ told: false });
    else if (kind === "in") {
      const account = this.#memory.read("account");
      if (account && account.id !== this.account?.id) {
        this.#tokens.forget();
        this.account = account;
        this.profile = null;
        this.dispatchEvent(new CustomEvent("begun"));
      }
    }
  }
}
