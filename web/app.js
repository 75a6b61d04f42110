/**
 * The one place where the page's parts meet: who is logged in decides between the entrance and the chat, the address after `#`
 * decides what is shown of it.
 */

import { Cursors } from "./core/cursor.js";
import { Accounts } from "./net/accounts.js";
import { Link } from "./net/link.js";
import { Tokens } from "./net/tokens.js";
import { Chat } from "./state/chat.js";
import { FileStore } from "./state/filestore.js";
import { Memory, browserStorage } from "./state/memory.js";
import { Session } from "./state/session.js";
import { entrance } from "./ui/entrance.js";
import { loginView } from "./ui/login.js";
import { recoverView } from "./ui/recover.js";
import { registerView } from "./ui/register.js";
import { Shell } from "./ui/shell.js";
import { bind, startSpeech } from "./ui/speech.js";

class App {
  #place = document.getElementById("app");
  #memory = new Memory(browserStorage());
  #accounts = new Accounts();
  #session;
  #open = null;
  #note = null;

  constructor() {
    startSpeech(this.#memory, navigator.languages);
    bind(document.querySelector(".skip"), "text", "skip");
  }

  start() {
    if (!globalThis.isSecureContext || !navigator.locks) {
      this.#show(entrance({ title: "unsafe.title", lead: "unsafe.lead", parts: [] }));
      return;
    }
    const now = () => performance.now();
    const tokens = new Tokens({ accounts: this.#accounts, locks: navigator.locks, now });
    const channel = new BroadcastChannel("garita");
    this.#session = new Session({ accounts: this.#accounts, tokens, memory: this.#memory, channel });
    this.#session.addEventListener("begun", () => this.#begun());
    this.#session.addEventListener("ended", ({ detail }) => this.#ended(detail.told));
    this.#listen();
    if (this.#session.account) this.#openChat();
    this.#route();
  }

  #listen() {
    addEventListener("hashchange", () => this.#route());
    addEventListener("focus", () => this.#open?.shell.seen());
    addEventListener("online", () => this.#open?.link.hurry());
    addEventListener("storage", () => this.#open?.chat.marksChanged());
    addEventListener("garita-language", () => this.#open?.shell.redraw());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.#open?.link.hurry();
      this.#open?.shell.seen();
    });
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("main")?.focus();
    });
  }

  #route() {
    const where = location.hash.replace(/^#\/?/, "");
    const [, isRecovery, link] = /^(recover)(?:\/(.*))?$/.exec(where) ?? [];
    if (isRecovery) {
      // Also for somebody who is logged in: without the second factor nothing of the account can be changed.
      if (link) history.replaceState(null, "", "#/recover");
      this.#show(recoverView({ accounts: this.#accounts, memory: this.#memory, show: (view) => this.#show(view), link }));
      return;
    }
    if (this.#open) {
      if (!this.#open.shell.element.isConnected) this.#place.replaceChildren(this.#open.shell.element);
      if (["login", "register"].includes(where)) this.#go("");
      else this.#open.shell.show(where);
      return;
    }
    const done = (answer) => this.#session.begin(answer);
    const show = (view) => this.#show(view);
    const common = { accounts: this.#accounts, done, show };
    const note = this.#note;
    this.#note = null;
    this.#show(where === "register" ? registerView(common) : loginView({ ...common, note }));
  }

  #go(where) {
    if (location.hash.replace(/^#\/?/, "") === where) this.#route();
    else location.hash = `#/${where}`;
  }

  #show(view) {
    this.#place.replaceChildren(view);
    (view.querySelector("input:not(.trap)") ?? view.querySelector("h1"))?.focus();
  }

  #begun() {
    this.#close();
    this.#openChat({ loggedIn: true });
    this.#go(location.hash.startsWith("#/room/") ? location.hash.slice(2) : "");
  }

  #ended(told) {
    this.#close();
    this.#note = told ? "session.ended" : null;
    document.title = "Garita";
    this.#go("login");
  }

  #openChat({ loggedIn = false } = {}) {
    const session = this.#session;
    const cursors = new Cursors();
    const link = new Link({ url: socketAddress(), token: (anew) => session.chatToken(anew), cursors });
    const chat = new Chat({ link, cursors, memory: this.#memory, user: session.account });
    const files = new FileStore(link);
    const context = { accounts: this.#accounts, session, memory: this.#memory, link, chat, files, loggedIn, go: (where) => this.#go(where) };
    const shell = new Shell(context);
    this.#open = { link, chat, files, shell };
    this.#place.replaceChildren(shell.element);
    link.start();
    chat.addEventListener("connected", () => this.#loadProfile(), { once: true });
  }

  /** For the offer of a second factor; the account's page asks again. */
  async #loadProfile() {
    if (this.#session.profile?.totp !== undefined) return;
    try {
      await this.#session.loadProfile();
    } catch {
      // Without it only that offer is missing.
    }
  }

  #close() {
    if (!this.#open) return;
    const { link, chat, files, shell } = this.#open;
    this.#open = null;
    shell.stop();
    chat.stop();
    link.stop();
    files.close();
  }
}

function socketAddress() {
  const address = new URL("/v1/socket", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

new App().start();
