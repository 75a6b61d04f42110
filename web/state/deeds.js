/** What one does to messages and to people in a room: each a single request, repeated with its `cmid` until it is answered. */

const LIST_PAGE = 100;
const FOUND_PAGE = 20;

export class Deeds {
  #link;

  constructor(link) {
    this.#link = link;
  }

  edit(room, mid, text) {
    return this.#change("edit", { room, mid, text });
  }

  remove(room, mid, note = "") {
    return this.#change("delete", { room, mid, ...said(note) });
  }

  react(room, mid, emoji, on) {
    return this.#change("react", { room, mid, emoji, on });
  }

  report(room, mid, reason, note) {
    return this.#change("report", { room, mid, reason, ...said(note) });
  }

  /** `fields`: `title`, `topic`. */
  setRoom(room, fields) {
    return this.#change("set_room", { room, ...fields });
  }

  kick(room, user, note) {
    return this.#change("kick", { room, user, ...said(note) });
  }

  ban(room, user, note) {
    return this.#change("ban_member", { room, user, ...said(note) });
  }

  unban(room, user) {
    return this.#change("ban_member", { room, user, banned: false });
  }

  setRole(room, user, role) {
    return this.#change("set_role", { room, user, role });
  }

  banned(room, after) {
    return this.#link.ask("banned", { room, limit: LIST_PAGE, ...(after ? { after } : {}) });
  }

  audit(room, before) {
    return this.#link.ask("audit", { room, limit: LIST_PAGE, ...(before ? { before } : {}) });
  }

  members(room, after) {
    return this.#link.ask("members", { room, limit: LIST_PAGE, ...(after ? { after } : {}) });
  }

  /** Which of a page of members are here. */
  presence(room, after) {
    return this.#link.ask("presence", { room, limit: LIST_PAGE, ...(after ? { after } : {}) });
  }

  /** In one room, or in all where `room` is null. */
  search(text, room, before) {
    return this.#link.ask("search", { text, limit: FOUND_PAGE, ...(room ? { room } : {}), ...(before ? { before } : {}) });
  }

  #change(op, fields) {
    return this.#link.ask(op, { cmid: crypto.randomUUID(), ...fields });
  }
}

function said(note) {
  return note ? { note } : {};
}
