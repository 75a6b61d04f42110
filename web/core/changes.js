/**
 * What became of messages after they were said: edits, deletions, reactions, each an event that names the message's `seq` in `of`.
 *
 * Events may come in any order of pages, because history is read backwards; what counts is their own `seq`. So every message's changes
 * are kept sorted, and its picture is made by applying them in order. A deletion is final, whatever else is said.
 */

export const KINDS = ["edited", "deleted", "reaction"];

export class Changes {
  #of = new Map();

  /** Whether it told something new. */
  add(event) {
    if (!KINDS.includes(event.op)) return false;
    const known = this.#of.get(event.of) ?? [];
    if (known.some(({ seq }) => seq === event.seq)) return false;
    this.#of.set(event.of, [...known, event].sort((a, b) => a.seq - b.seq));
    return true;
  }

  clear() {
    this.#of.clear();
  }

  /**
   * A message as it is now: `{text, files, edited, deleted, byModerator, reactions}`; `edited` is a time or null; `reactions` is a list of
   * `{emoji, count, mine, names}` in the order in which they first came.
   */
  picture(message, ownId) {
    const changes = this.#of.get(message.seq) ?? [];
    const gone = changes.find(({ op }) => op === "deleted");
    if (gone || message.deleted) {
      return { text: "", files: [], edited: null, deleted: true, byModerator: gone?.by_moderator === true, reactions: [] };
    }
    const edits = changes.filter((change) => change.op === "edited" && !change.void);
    return {
      text: edits.at(-1)?.text ?? message.text ?? "",
      files: message.files ?? [],
      edited: edits.at(-1)?.ts ?? message.edited ?? null,
      deleted: false,
      byModerator: false,
      reactions: reactions(changes, ownId),
    };
  }
}

function reactions(changes, ownId) {
  const people = new Map();
  for (const { op, emoji, user, on } of changes) {
    if (op !== "reaction") continue;
    if (!people.has(emoji)) people.set(emoji, new Map());
    if (on === false) people.get(emoji).delete(user.id);
    else people.get(emoji).set(user.id, user.name);
  }
  const all = [...people].filter(([, who]) => who.size > 0);
  return all.map(([emoji, who]) => ({ emoji, count: who.size, mine: who.has(ownId), names: [...who.values()] }));
}
